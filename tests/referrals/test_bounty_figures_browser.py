"""A channel is proven and a film's figure looked at in a real browser, on a phone and without JavaScript."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app import db
from tests.browser import in_a_browser
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs
from tests.frontend.test_pages_browser import SMALLEST, grapevine
from tests.referrals.platforms import World, a_world_outside, post_at, profile_at
from tests.referrals.test_bounties import ADMIN
from tests.referrals.test_bounty_figures import films, later
from tests.storefront.vendors import Said

__all__ = ["grapevine"]
pytestmark = in_a_browser("proving a channel")


@pytest.fixture
async def world(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[World]:
    async with a_world_outside(monkeypatch) as outside:
        yield outside


async def a_phone(chromium: Any, grapevine: str, person: Person, lang: str = "en", **more: Any) -> Any:
    how: dict[str, Any] = {"base_url": grapevine, "viewport": SMALLEST, "locale": lang}
    page = await (await chromium.new_context(**{**how, **more})).new_page()
    await page.goto("/login")
    await page.fill("[name=login]", person.handle)
    await page.fill("[name=password]", PASSWORD)
    await page.click("main button.main")
    await page.wait_for_url(lambda url: "/login" not in url)
    return page


async def fits(page: Any) -> None:
    wide = await page.evaluate("document.documentElement.scrollWidth")
    assert wide <= page.viewport_size["width"], (page.url, wide)


async def test_without_javascript_from_the_code_to_the_figure(
    web: Browser, world: World, grapevine: str, chromium: Any
):
    _ona, _as_ona, bounty = await films(web)
    kol = await a_member("kol")
    page = await a_phone(chromium, grapevine, kol, java_script_enabled=False)
    await page.goto(f"/earn/bounties/{bounty}")
    await page.click("main a[href='/earn/channels']:has-text('Prove a channel')")
    await page.fill("[name=address]", profile_at("youtube", "kol"))
    await page.click("text=Get a code")
    world.bios["kol"] = await page.input_value("input.code")
    await page.click("text=It is there: look now")
    await run_jobs()
    await page.goto("/earn/channels")
    assert await page.is_visible("text=Proven")
    world.posts_now("7", "kol", views=640)
    await page.goto(f"/earn/bounties/{bounty}")
    await page.fill("[name=proof_url]", post_at("youtube", "kol", "7"))
    await page.click("main button:has-text('Hand in')")
    await run_jobs()
    await page.goto(f"/earn/bounties/{bounty}")
    assert await page.is_visible("b:has-text('640')")
    assert await db.fetch_val("SELECT figure FROM bounty_watch") == 640


@pytest.mark.parametrize("lang", ["en", "zh-Hans"])
async def test_everything_a_watched_post_can_say_fits_the_smallest_phone(
    web: Browser, world: World, grapevine: str, chromium: Any, lang: str
):
    from tests.referrals.test_bounty_figures import a_filmer, hand_in

    ona, _as_ona, bounty = await films(web, awards_itself="on", least="1000000")
    kol, thief = await a_filmer(world), await a_filmer(world, "thief")
    world.posts_now("7", "kol", "Hike #ad", views=120)
    await hand_in(kol, bounty)
    await hand_in(thief, bounty, "7", who="kol")
    world.posts["7"].views = 900_000
    await later(timedelta(hours=1))
    world.posts["7"].views, world.posts["7"].text = 61_000, "Hike"
    await later(timedelta(days=1))
    world.trouble["www.googleapis.com"] = Said({}, 429)
    await later(timedelta(days=1))
    for person, addresses in ((kol, [f"/earn/bounties/{bounty}", "/earn/channels"]), (ona, [ADMIN])):
        page = await a_phone(chromium, grapevine, person, lang)
        wrong: list[str] = []
        page.on("console", lambda said, wrong=wrong: wrong.append(said.text) if said.type == "error" else None)
        for address in addresses:
            await page.goto(f"{address}?lang={lang}")
            await page.evaluate("document.querySelectorAll('details.fold').forEach(one => { one.open = true })")
            await fits(page)
        assert wrong == []
    assert await page.locator("main .banner").count() >= 4, "it fell, it jumped, it was changed, nothing was seen"
