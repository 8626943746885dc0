"""A live event in real browsers: what the host does at the desk moves on a viewer's page, without a reload."""

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from content.live_events import pins, polls, questions, segments, service
from content.live_events.schemas import NewLive, NewPin, NewPoll, NewSegment
from tests.community.test_chat_browser import CHROMIUM, is_live
from tests.community.test_chat_browser import visit as visit
from tests.factories import Browser, a_member, run_jobs
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_product, send

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: no live event was looked at in a browser"),
]
PHONE = {"width": 390, "height": 844}


async def test_a_viewers_page_follows_the_desk(visit: Callable, web: Browser):
    shop = await a_paying_shop()
    await a_product(shop, "SKU-2", title="Hand grinder 38 mm", stock=40)
    ines, kai = await a_member("ines", name="Ines"), await a_member("kai", name="Kai")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(minutes=5)))
    desk = await visit(ines, f"/live/{slug}/desk")
    page = await visit(kai, f"/live/{slug}", viewport=PHONE)
    assert " in " in await page.locator("live-hour").first.inner_text(), "how long until it begins"
    await is_live(page)
    await desk.get_by_role("button", name="Go live").click()
    await page.wait_for_selector(".on-air")
    await is_live(page)
    await page.evaluate("window.stayed = true")

    await desk.goto(f"/live/{slug}/desk")
    await desk.fill("[name=product]", "hand-grinder-38-mm")
    await desk.get_by_role("button", name="Hold it up").click()
    await page.wait_for_selector(".pinned.now")
    card = page.locator(".pinned.now")
    assert "40 in stock" in await card.inner_text() and "#ad" in await card.inner_text()
    told = {"id": "SKU-2", "title": "Hand grinder 38 mm", "url": "https://north.example/p/SKU-2"}
    await send(web(), shop, "product.upserted", {**told, "price": {"amount": 7_450, "currency": "USD"}, "stock": 3})
    await run_jobs()
    await page.wait_for_function("() => document.querySelector('.pinned').innerText.includes('$74.50')")
    assert "Only 3 left" in await card.inner_text()

    poll_id = await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That"]))
    await page.get_by_role("button", name="That").click()
    await page.wait_for_selector("[data-option='2'] button[aria-pressed=true]")
    assert await db.fetch_val("SELECT count(*) FROM live_poll_vote WHERE poll_id = $1", poll_id) == 1
    voter = await a_member()
    clock.travel(timedelta(seconds=2))
    await polls.vote(voter.viewer, slug, poll_id, 2)
    await page.wait_for_function(
        "() => document.querySelector('[data-option=\"2\"] [data-part=votes]').innerText === '2'"
    )

    await page.fill("[name=question]", "Does it clog?")
    await page.get_by_role("button", name="Ask").click()
    await page.wait_for_selector("[data-question]")
    question_id = await db.fetch_val("SELECT id FROM live_question")
    await is_live(page)
    await page.evaluate("window.stayed = true")
    await questions.mark_answered(ines.viewer, slug, question_id)
    await page.wait_for_function("() => !document.querySelector('[data-question]')")
    assert await page.evaluate("window.stayed"), "none of this loaded the page anew"
    await desk.goto(f"/live/{slug}/desk")
    await desk.get_by_text("End the event").first.click()
    await desk.locator(".ask button").first.click()
    await page.wait_for_function("() => document.body.innerText.includes('Replay with times')")


async def test_it_fits_a_phone_and_reads_in_chinese(visit: Callable):
    await a_paying_shop()
    ines = await a_member("ines", name="Ines")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(minutes=5)))
    await service.begin(ines.viewer, slug)
    await pins.pin(ines.viewer, slug, NewPin("trail-pack"))
    await questions.ask(ines.viewer, slug, uuid.uuid4(), "Does it clog? " * 20)
    await polls.open_poll(ines.viewer, slug, NewPoll("Which next?", ["This", "That " * 12]))
    await segments.write(ines.viewer, slug, NewSegment("Words " * 60))
    page = await visit(ines, "/live/", viewport=PHONE)
    for path in ("/live/", f"/live/{slug}", f"/live/{slug}/desk", f"/live/{slug}/replay", "/live/new"):
        for lang in ("en", "zh-Hans"):
            await page.goto(f"{path}?lang={lang}")
            wide = await page.evaluate("document.documentElement.scrollWidth")
            assert wide <= PHONE["width"], (path, lang, wide)
            text = await page.locator("main").inner_text()
            assert lang == "en" or "直播" in text or "聊天" in text, path
