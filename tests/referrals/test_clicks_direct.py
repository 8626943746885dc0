"""Visitors who come straight to the shop by an address with somebody's code: no short link, and still a click."""

import asyncio
import gzip
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app import clock, db
from referrals.clicks import queries
from referrals.clicks.service import claim
from tests.factories import Browser, a_member
from tests.frontend import test_widgets_browser as widgets
from tests.frontend.test_widgets_browser import grapevine, visit  # noqa: F401
from tests.referrals.cast import CHROME, a_link, a_paying_shop, books_are_right, standing, tell
from tests.storefront.shop import a_shop, order

pytestmark = pytest.mark.anyio

SHOP = {"origin": "https://north.example", "user-agent": CHROME, "content-type": "text/plain;charset=UTF-8"}


async def told(browser: httpx.AsyncClient, code: str, headers: dict | None = None, **more: str) -> httpx.Response:
    return await browser.post("/api/v1/clicks", json={"code": code, **more}, headers={**SHOP, **(headers or {})})


async def test_a_code_in_the_shops_own_address_earns_like_a_link(web: Browser):
    mara = await a_member("mara")
    shop = await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    page = "https://north.example/p/SKU-1?ref=x&fbclid=secret"
    answer = await told(web(), code.upper(), page=page, referrer="https://blog.example/a?b=c")
    assert answer.status_code == 201 and answer.headers["access-control-allow-origin"] == "https://north.example"
    gv = answer.json()["gv"]
    row = await db.fetch_one("SELECT * FROM click WHERE id = $1", UUID(gv))
    assert row is not None and (row["kind"], row["trigger"], row["paid_click_param"]) == ("human", "embed", "fbclid")
    assert row["referrer_host"] == "blog.example" and "secret" not in str(dict(row))
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await standing(mara) == {("pending", "USD"): 1_200}
    await books_are_right()


async def test_the_personal_code_of_a_member_counts_at_every_shop(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    from referrals.links.service import make_personal_link

    await make_personal_link(mara.id, "mara")
    assert (await told(web(), "mara")).status_code == 201


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://north.example.evil.example", "http://north.example", "null"]
)
async def test_another_site_cannot_click_for_the_shop(web: Browser, origin: str):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    answer = await told(web(), code, {"origin": origin})
    assert answer.status_code == 403 and "access-control-allow-origin" not in answer.headers
    assert await db.fetch_val("SELECT count(*) FROM click") == 0


async def test_a_shop_cannot_click_links_to_another_shop(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    await a_shop("south")
    code = (await a_link(web, mara))["code"]
    assert (await told(web(), code, {"origin": "https://south.example"})).status_code == 403


async def test_a_program_needs_the_token_of_whoever_runs_the_shop(web: Browser):
    mara, owner = await a_member("mara"), await a_member("owner")
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    code = (await a_link(web, mara))["code"]
    without = {"user-agent": CHROME}
    assert (await web().post("/api/v1/clicks", json={"code": code}, headers=without)).status_code == 401
    said = await web(token=mara.token).post("/api/v1/clicks", json={"code": code}, headers=without)
    assert said.status_code == 403
    said = await web(token=owner.token).post("/api/v1/clicks", json={"code": code}, headers=without)
    assert said.status_code == 201


async def test_whoever_denied_and_whoever_is_a_machine_gets_no_id(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert (await told(web(), code, {"sec-gpc": "1"})).json() == {"gv": None}
    assert (await told(web(), code, consent="denied")).json() == {"gv": None}
    assert (await told(web(), code, {"user-agent": "curl/8"})).json() == {"gv": None}
    assert (await told(web(), code, {"sec-gpc": "1"}, consent="granted")).json()["gv"]
    kinds = await db.fetch("SELECT kind, sum(clicks)::int AS n FROM click_count GROUP BY kind ORDER BY kind")
    assert [tuple(row) for row in kinds] == [("bot", 1), ("human", 3)]


async def test_guessing_codes_is_slowed_down_and_a_closed_link_says_so(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    assert (await web(token=mara.token).delete(f"/api/v1/links/{code}")).status_code == 204
    assert (await told(web(), code)).status_code == 410
    assert await db.fetch_val("SELECT blocked FROM click") == "disabled"
    browser = web()
    answers = [(await told(browser, f"guess{n}")).status_code for n in range(40)]
    assert set(answers) == {404, 429} and answers[-1] == 429
    assert (await told(web(), code, {"user-agent": "Another " + CHROME}, page="x" * 2_001)).status_code == 422


async def test_a_former_code_is_the_link_it_was_and_a_shop_cannot_tell_of_another_shops_by_it(web: Browser):
    mara = await a_member("mara")
    shop = await a_paying_shop()
    await a_shop("south")
    old = (await a_link(web, mara))["code"]
    assert (await web(token=mara.token).patch(f"/api/v1/links/{old}", json={"code": "mara-walks"})).status_code == 200
    assert (await told(web(), old, {"origin": "https://south.example"})).status_code == 403
    gv = (await told(web(), old)).json()["gv"]
    await tell(web, shop, "order.paid", order("o1", gv=gv))
    assert await standing(mara) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_a_links_days_visits_and_password_hold_at_the_shop_too(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    client, code = web(token=mara.token), (await a_link(web, mara))["code"]

    async def changed(**limits: object) -> None:
        answer = await client.patch(f"/api/v1/links/{code}", json=limits)
        assert answer.status_code == 200, answer.text

    now = clock.now()
    await changed(starts_at=(now + timedelta(days=1)).isoformat())
    early = await told(web(), code)
    await changed(starts_at=None, ends_at=(now - timedelta(seconds=1)).isoformat())
    late = await told(web(), code)
    await changed(ends_at=None, password="open sesame")
    locked = await told(web(), code)
    await changed(password="", most_visits=1)
    answers = [await told(web(), code), await told(web(), code)]
    assert [one.status_code for one in (early, late, locked, *answers)] == [410, 410, 410, 201, 410]
    rows = await db.fetch("SELECT blocked FROM click ORDER BY occurred_at, id")
    assert [row["blocked"] for row in rows] == ["early", "expired", "password", "", "used_up"]


async def test_a_told_click_can_be_claimed_by_whoever_signs_in(web: Browser):
    mara, bob = await a_member("mara"), await a_member("bob")
    await a_paying_shop()
    gv = (await told(web(), (await a_link(web, mara))["code"])).json()["gv"]
    assert await claim(bob.id, gv) and (await queries.click(gv))["link_id"]  # type: ignore[index]


PAGE = """<!doctype html><html lang="en"><title>A shop</title><form><input name="gv" type="hidden"></form>
<script>window.told = 0; addEventListener("gv:click", () => window.told++)</script>
<script type="module" async src="{grapevine}/embed/ref.js"></script>"""


@pytest.mark.journey
@pytest.mark.skipif(not widgets.CHROMIUM, reason="NO CHROMIUM: the shop's script was not tested in a browser")
@pytest.mark.skipif(not widgets.SCRIPT.is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup")
async def test_a_shops_page_learns_the_click_once_and_keeps_it_for_the_order(
    web: Browser,
    grapevine: str,  # noqa: F811
    visit,  # type: ignore[no-untyped-def] # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    mara = await a_member("mara")
    shop = await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    monkeypatch.setattr(widgets, "PAGE", PAGE)
    async with widgets.a_shop_page(grapevine) as origin:
        await db.execute("UPDATE store SET origin = $1 WHERE id = $2", origin, shop.id)
        page = await visit(f"{origin}/p/SKU-1?ref={code}", user_agent=CHROME)
        await widgets.until(page, "window.told === 1")
        gv = await page.evaluate("document.querySelector('input[name=gv]').value")
        assert await page.evaluate("document.cookie") == f"gv={gv}"
        await page.reload()
        await page.goto(f"{origin}/checkout")
        await widgets.until(page, "window.told === 1")
        assert await page.evaluate("window.grapevine.gv") == gv
        await asyncio.sleep(0.1)
    rows = await db.fetch("SELECT id FROM click")
    assert [row["id"].hex for row in rows] == [gv]


def test_the_script_is_smaller_than_a_kilobyte_on_the_wire():
    script = widgets.SCRIPT.parent / "ref.js"
    assert not script.exists() or len(gzip.compress(script.read_bytes())) < 1_024
