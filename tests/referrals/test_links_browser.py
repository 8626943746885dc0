"""A link's pages in a real browser: on the smallest phone, in both languages, in the dark, without JavaScript."""

from pathlib import Path
from typing import Any

import pytest

from app import db
from referrals.clicks import directory
from tests.factories import PASSWORD, Browser, a_member
from tests.frontend.test_pages_browser import MOVED, SMALLEST, grapevine
from tests.frontend.test_pages_browser import pytestmark as pytestmark
from tests.referrals.cast import a_link, a_paying_shop, click
from tests.referrals.test_links_routes import PHONE, SALE

__all__ = ["grapevine"]
SHOTS: Path | None = None


async def a_busy_owner(web: Browser) -> tuple[str, list[str]]:
    """A member with a store and a link that has everything; the link's code and the addresses of its pages."""
    mara = await a_member("mara")
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", mara.id, shop.id)
    client = web(token=mara.token)
    code = (await a_link(web, mara, placement="Poster beside the stairs of the third floor"))["code"]
    everything = {
        "starts_at": "2026-01-01T00:00:00Z",
        "ends_at": "2199-01-01T00:00:00Z",
        "most_visits": 1_000_000,
        "rules": [
            {"when": {"in_app": ["wechat", "weibo", "xiaohongshu"], "language": ["zh", "ja"]}, "to": PHONE},
            {"when": {"device": ["phone"], "until": "2199-01-01T00:00:00Z"}, "to": "https://north.example/" + "a" * 90},
        ],
        "split": [{"name": "short", "weight": 1, "to": SALE}, {"name": "long", "weight": 3, "to": "page:/p/"}],
        "place": {"kind": "poster", "location": "Hall 3, left of the stairs", "cost": 190_050, "currency": "USD"},
    }
    assert (await client.patch(f"/api/v1/links/{code}", json=everything)).status_code == 200
    directory.forget(code)
    for _ in range(3):
        await click(web(), code)
    assert (await client.patch(f"/api/v1/links/{code}", json={"code": "mara-on-the-stairs"})).status_code == 200
    code = "mara-on-the-stairs"
    await client.put("/api/v1/stores/north/hosts/a-very-long-name-of-a-host.blog.north.example")
    await client.put("/api/v1/stores/north/domains/go.north.example")
    locked = (await a_link(web, mara, "page:/p/", code="locked-one"))["code"]
    await client.patch(f"/api/v1/links/{locked}", json={"password": "alpine"})
    directory.forget(locked)
    at = f"/share/{code}"
    return code, [
        at,
        f"{at}/edit",
        f"{at}/routes",
        f"{at}/routes?try=wechat&language=zh-CN",
        "/share/placements",
        "/earn/links",
        "/earn/links?find=nothing",
        "/admin/programs/north/links",
        f"/r/{locked}",
    ]


@pytest.mark.parametrize(("lang", "scheme"), [("en", "light"), ("zh-Hans", "dark")])
async def test_a_links_pages_fit_the_smallest_phone(
    web: Browser, grapevine: str, chromium: Any, lang: str, scheme: str
) -> None:
    _code, addresses = await a_busy_owner(web)
    wrong: list[str] = []
    context = await chromium.new_context(base_url=grapevine, viewport=SMALLEST, locale=lang, color_scheme=scheme)
    page = await context.new_page()
    page.on("console", lambda said: wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
    page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
    await page.goto("/login")
    await page.fill("[name=login]", "mara")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_selector("#bell")
    for number, address in enumerate(addresses):
        answer = await page.goto(f"{address}{'&' if '?' in address else '?'}lang={lang}")
        for fold in await page.query_selector_all("main details.fold:not([open]) > summary"):
            await fold.click()
        wide, moved = await page.evaluate("document.documentElement.scrollWidth"), await page.evaluate(MOVED)
        ids = await page.evaluate("[...document.querySelectorAll('[id]')].map(e => e.id)")
        if answer.status != 200 or wide > SMALLEST["width"] or moved > 0.05 or len(ids) != len(set(ids)):
            twice = {one for one in ids if ids.count(one) > 1}
            wrong.append(f"{address}: {answer.status}, {wide} px wide, moved by {moved:.3f}, twice: {twice}")
        if SHOTS:
            await page.screenshot(path=SHOTS / f"{number}-{lang}-{scheme}-phone.png", full_page=True)
            await page.set_viewport_size({"width": 1280, "height": 900})
            await page.screenshot(path=SHOTS / f"{number}-{lang}-{scheme}-wide.png", full_page=True)
            await page.set_viewport_size(SMALLEST)
    assert not wrong, "\n".join(wrong)


async def test_a_link_is_changed_routed_and_switched_off_without_javascript(
    web: Browser, grapevine: str, chromium: Any
) -> None:
    mara = await a_member("mara")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    context = await chromium.new_context(base_url=grapevine, java_script_enabled=False)
    page = await context.new_page()
    await page.goto("/login")
    await page.fill("[name=login]", "mara")
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.goto(f"/share/{code}/edit")
    await page.fill("[name=code]", "trail-talk")
    await page.click("text=How long it is open")
    await page.fill("[name=ends_at]", "2199-12-31T18:00")
    await page.click("main form .acts .main")
    assert page.url.endswith("/share/trail-talk")
    await page.goto("/share/trail-talk/routes")
    await page.click("main summary >> nth=0")
    await page.select_option("[name=in_app]", "wechat")
    await page.fill("#to", "page:/guides/")
    await page.click("text=Add the rule")
    await page.select_option("#try", "wechat")
    await page.click("text=Where would it go?")
    assert "because rule 1 holds" in await page.inner_text("#dry-run")
    await page.goto("/share/trail-talk")
    await page.click("text=More options")
    await page.click("main details.confirm summary")
    await page.click("text=Switch it off")
    assert "switched off" in await page.inner_text("main")
    await page.click("text=Switch it on again")
    assert await page.query_selector("copy-button input") is not None
    link = (await web(token=mara.token).get("/api/v1/links/trail-talk")).json()
    assert link["ends_at"] == "2199-12-31T18:00:00+00:00" and not link["disabled"] and len(link["rules"]) == 1
