"""How long somebody stayed after a click: told by the page, kept roughly, and what it says of stuffed visits."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app import clock, db, ids
from referrals.clicks import days
from referrals.clicks.service import claim
from referrals.fraud.screening import screen
from tests.factories import Browser, a_member
from tests.frontend import test_widgets_browser as widgets
from tests.frontend.test_widgets_browser import grapevine, visit  # noqa: F401
from tests.referrals.cast import CHROME, a_link, a_paying_shop, books_are_right, click, tell
from tests.storefront.shop import Shop, a_shop, order

pytestmark = pytest.mark.anyio

NORTH = "https://north.example"


async def left(browser: httpx.AsyncClient, gv: str, seconds: object, origin: str = NORTH, **more: str) -> int:
    """The page is left after so many seconds; the status of the answer."""
    headers = {"user-agent": CHROME, "content-type": "text/plain;charset=UTF-8"} | (
        {"origin": origin} if origin else {}
    )
    body = json.dumps({"gv": gv, "seconds": seconds, **more})
    return (await browser.post("/api/v1/clicks/dwell", content=body, headers=headers)).status_code


async def stays() -> list[int]:
    return [row["seconds"] for row in await db.fetch("SELECT seconds FROM click_dwell ORDER BY click_id")]


@pytest.fixture
async def code(web: Browser) -> str:
    await a_paying_shop()
    return (await a_link(web, await a_member("mara")))["code"]


async def a_while_ago(gv: str, seconds: int = 7_200) -> str:
    """The same click, older: its id begins with the moment."""
    at = clock.now() - timedelta(seconds=seconds)
    older = ids.new_click_id(at)
    await db.execute("UPDATE click SET id = $2, occurred_at = $3 WHERE id = $1", UUID(gv), older, at)
    return older.hex


async def test_the_longest_stay_is_kept_roughly_and_once(web: Browser, code: str):
    gv = await a_while_ago(await click(web(), code))
    for seconds, kept in ((1, 0), (47, 15), (3, 15), (86_400, 1_800), (9, 1_800)):
        assert await left(web(), gv, seconds) == 204 and await stays() == [kept]


async def test_many_pages_left_at_once_keep_the_longest(web: Browser, code: str):
    gv = await a_while_ago(await click(web(), code))
    assert set(await asyncio.gather(*(left(web(), gv, n) for n in (0, 400, 7, 70, 2, 20)))) == {204}
    assert await stays() == [300]


async def test_nobody_stays_longer_than_their_click_is_old(web: Browser, code: str):
    await left(web(), await click(web(), code), 1_500)
    assert await stays() == [5]


async def test_a_stay_is_told_within_a_day(web: Browser, code: str):
    assert await left(web(), await a_while_ago(await click(web(), code), 90_000), 60) == 204
    assert await stays() == []


async def test_our_own_pages_and_further_hosts_of_the_shop_may_tell(web: Browser, code: str):
    browser = web()
    ours = f"{browser.base_url.scheme}://{browser.base_url.netloc.decode()}"
    assert await left(browser, await a_while_ago(await click(web(), code)), 20, ours) == 204
    assert await stays() == [15]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://north.example.evil.example", "http://north.example"]
)
async def test_another_site_tells_nothing_and_learns_nothing(web: Browser, code: str, origin: str):
    gv = await click(web(), code)
    assert await left(web(), gv, 20, origin) == await left(web(), ids.new_click_id(clock.now()).hex, 20, origin) == 204
    assert await stays() == []


async def test_another_shop_and_what_is_no_page_tell_nothing(web: Browser, code: str):
    await a_shop("south")
    gv = await click(web(), code)
    assert await left(web(), gv, 20, "https://south.example") == 204
    assert await left(web(), gv, 20, "") == await left(web(), gv, 20, "null") == 403
    for wrong in ("x", "", gv.upper() + "0", "' OR 1=1 --"):
        assert await left(web(), wrong, 20) == 422
    for seconds in (-1, 86_401, 1.5, "20", None):
        assert await left(web(), gv, seconds) == 422
    assert await stays() == []


async def test_of_whoever_denied_nothing_is_kept(web: Browser, code: str):
    denied = (await web().get(f"/r/{code}", headers={"user-agent": CHROME, "sec-gpc": "1"})).headers["location"]
    assert "gv=" not in denied
    hidden = await db.fetch_val("SELECT id FROM click")
    assert await left(web(), hidden.hex, 20) == 204
    # Nor of whoever denies after the click: by the shop's own question, the browser's signal, or the choice with us.
    gv = await click(web(), code)
    assert await left(web(), gv, 20, consent="denied") == 204
    assert await left(web(**{"sec-gpc": "1"}), gv, 20) == await left(web(cookie="gv_consent=denied"), gv, 20) == 204
    assert await stays() == []
    assert await left(web(**{"sec-gpc": "1"}), gv, 20, consent="granted") == 204 and len(await stays()) == 1


async def test_a_machines_click_has_no_stay_and_telling_is_slowed_down(web: Browser, code: str):
    gv = await click(web(), code, agent="curl/8")
    browser = web()
    answers = [await left(browser, gv, 20) for _ in range(70)]
    assert answers[0] == 204 and answers[-1] == 429 and await stays() == []


async def test_a_stay_goes_with_its_click_even_when_the_click_is_kept(web: Browser, code: str):
    kept, gone = await click(web(), code), await click(web(), code)
    for gv in (kept, gone):
        await left(web(), gv, 5)
    await claim((await a_member("bob")).id, kept)
    await days.make_ahead()
    assert len(await stays()) == 2
    clock.travel(timedelta(days=90))
    dropped = await days.drop_before(clock.now().date() - timedelta(days=70))
    assert (dropped.dropped, dropped.kept) == (1, 1) and await stays() == []


# --- What it says of stuffed visits ---


async def visited(code: str, stayed: int | None, count: int = 60, **more: object) -> None:
    """So many visits by a link in the last days, each of which stayed so long; None: no page told of it."""
    link_id = await db.fetch_val("SELECT id FROM link WHERE code = $1", code)
    for n in range(count):
        at = clock.now() - timedelta(hours=2, minutes=11 * n + n * n % 7, seconds=n * 37 % 60)
        gv = ids.new_click_id(at)
        row = {
            "id": gv,
            "link_id": link_id,
            "occurred_at": at,
            "kind": "human",
            "visitor_day_hash": f"{code}{n}",
            **more,
        }
        places = ", ".join(f"${place}" for place in range(1, len(row) + 1))
        await db.execute(f"INSERT INTO click ({', '.join(row)}) VALUES ({places})", *row.values())
        if stayed is not None:
            await db.execute("INSERT INTO click_dwell VALUES ($1, $2)", gv, stayed)


async def sold_after(web: Browser, mine: int | None, others: int | None, **more: Any) -> list[dict]:
    """Mara sells once after such visits, beside such visits by another's link; what the cases saw."""
    mara, bob, shop = await a_member("mara"), await a_member("bob"), await a_paying_shop()
    code, other = (await a_link(web, mara))["code"], (await a_link(web, bob))["code"]
    await visited(code, mine, **more)
    await visited(other, others)
    return await _sold(web, shop, code)


async def _sold(web: Browser, shop: Shop, code: str) -> list[dict]:
    await tell(web, shop, "order.paid", order("1", gv=await click(web(), code)))
    await books_are_right()
    rows = await db.fetch("SELECT c.rule, s.evidence FROM fraud_case c JOIN fraud_signal s ON s.case_id = c.id")
    return [{"rule": row["rule"], **row["evidence"]} for row in rows]


@pytest.mark.parametrize("mine", [0, None])
async def test_visits_nobody_looked_at_wait_where_others_visits_were_looked_at(web: Browser, mine: int | None):
    [seen] = await sold_after(web, mine, 15)
    assert seen["rule"] == "stuffing" and seen["fleeting"] == seen["measured"] >= 55 and seen["others"] == 0
    assert await db.fetch_val("SELECT state FROM commission") == "held"
    from referrals.fraud.words import evidence_words

    assert "ended within two seconds or told no time" in evidence_words("stuffing", seen) and "loaded as" not in (
        evidence_words("stuffing", seen)
    )


@pytest.mark.parametrize(
    ("mine", "others", "more"),
    [
        # A shop without the script.
        (None, None, {}),
        # Everybody's visitors leave at once: a page that does not open, or blockers everywhere.
        (0, 0, {}),
        # They stay like everybody's.
        (15, 15, {}),
        # A handful.
        (None, 15, {"count": 20}),
        # They denied, so nothing of them could be told; or were told by the shop's server, which sees no page.
        (None, 15, {"consent": "denied"}),
        (None, 15, {"trigger": "embed"}),
    ],
)
async def test_honest_neighbours_are_let_alone(web: Browser, mine: int | None, others: int | None, more: dict):
    assert await sold_after(web, mine, others, **more) == []
    assert await db.fetch_val("SELECT state FROM commission") == "pending"


async def test_a_link_to_pages_without_the_script_is_not_measured_by_pages_that_have_it(web: Browser):
    mara, bob, shop = await a_member("mara"), await a_member("bob"), await a_paying_shop()
    code, other = (await a_link(web, mara))["code"], (await a_link(web, bob))["code"]
    await db.execute("UPDATE link SET destination = '/p/trail-pack' WHERE code = $1", other)
    await visited(code, None)
    await visited(other, 60)
    assert await _sold(web, shop, code) == []


async def test_days_before_the_script_was_there_do_not_count(web: Browser):
    mara, bob, shop = await a_member("mara"), await a_member("bob"), await a_paying_shop()
    code, other = (await a_link(web, mara))["code"], (await a_link(web, bob))["code"]
    await visited(code, None)
    clock.travel(timedelta(days=2))
    await visited(other, 15)
    assert await _sold(web, shop, code) == []


async def test_screening_again_finds_the_same_and_opens_no_second_case(web: Browser):
    assert len(await sold_after(web, None, 15)) == 1
    await screen(await db.fetch_val("SELECT id FROM commission"), again=True)
    assert await db.fetch_val("SELECT count(*) FROM fraud_case") == 1


PAGE = """<!doctype html><html lang="en"><title>A shop</title><script>window.told = 0;
addEventListener("gv:click", () => window.told++)</script>
<script type="module" async src="{grapevine}/embed/ref.js"></script>"""
# A browser without a window never hides a page, so the page is told that it is.
HIDE = """hidden => { Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true })
document.dispatchEvent(new Event("visibilitychange", { bubbles: true })) }"""


@pytest.mark.journey
@pytest.mark.skipif(not widgets.CHROMIUM, reason="NO CHROMIUM: the beacon was not tested in a browser")
@pytest.mark.skipif(not widgets.SCRIPT.is_file(), reason="THE FRONT END IS NOT BUILT: run bin/setup")
async def test_a_page_tells_once_when_it_is_left(
    web: Browser,
    code: str,
    grapevine: str,  # noqa: F811
    visit,  # type: ignore[no-untyped-def] # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(widgets, "PAGE", PAGE)
    async with widgets.a_shop_page(grapevine) as origin:
        await db.execute("UPDATE store SET origin = $1", origin)
        there = await visit(f"{origin}/?gv={await click(web(), code)}", user_agent=CHROME)
        here = await visit(f"{grapevine}/privacy/visits?gv={await click(web(), code)}", user_agent=CHROME)
        for page in (there, here):
            told: list[str] = []
            page.on("request", lambda request, told=told: told.append(request.url) if "dwell" in request.url else None)
            await page.wait_for_load_state("networkidle")
            await asyncio.sleep(2.1)
            for hidden in (True, False, True):
                await page.evaluate(HIDE, hidden)
            await page.goto("about:blank")
            await asyncio.sleep(0.3)
            assert len(told) == 1
    assert await stays() == [2, 2]
