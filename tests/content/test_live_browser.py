"""A live event in real browsers: what the host does at the desk moves on a viewer's page, without a reload."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from app import clock, db
from content.live_events import pins, polls, questions, segments, service
from content.live_events.schemas import NewLive, NewPin, NewPoll, NewSegment
from referrals.live_cards import service as live_cards
from tests.browser import in_a_browser, visit
from tests.community.test_chat_browser import is_live
from tests.factories import Browser, Person, a_member, run_jobs
from tests.referrals.cast import a_paying_shop, click, tell
from tests.storefront.shop import a_product, order, send

__all__ = ["visit"]
pytestmark = in_a_browser("a live event")
PHONE = {"width": 390, "height": 844}


async def through(page: Any, person: Person, method: str, door: str, body: dict) -> None:
    """Somebody else's deed, at the server that the page is at."""
    headers = {"Authorization": f"Bearer {person.token}"}
    answer = await page.request.fetch(f"/api/v1/live-events/{door}", method=method, headers=headers, data=body)
    assert answer.ok, await answer.text()


async def test_a_viewers_page_follows_the_desk_and_the_desk_the_room(visit: Callable, web: Browser):
    shop = await a_paying_shop()
    await a_product(shop, "SKU-2", title="Hand grinder 38 mm", stock=40)
    await run_jobs()
    ines, kai = await a_member("ines", name="Ines"), await a_member("kai", name="Kai")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(minutes=5)))
    desk = await visit(ines, f"/live/{slug}/desk")
    page = await visit(kai, f"/live/{slug}", viewport=PHONE)
    assert " in " in await page.locator("live-hour").first.inner_text(), "how long until it begins"
    await is_live(page)
    await page.evaluate("window.stayed = true")

    await desk.get_by_role("button", name="Go live").click()
    await page.wait_for_selector("#live-status .on-air")
    await page.get_by_role("button", name="Remind me").wait_for(state="hidden")
    await desk.wait_for_selector("live-desk[data-state=live]")
    await is_live(desk)

    await desk.fill("[data-search] [name=q]", "grinder")
    found = desk.locator("#desk-found li", has_text="Hand grinder 38 mm")
    await desk.wait_for_function("() => document.querySelectorAll('#desk-found .hold-up').length === 1")
    await found.get_by_role("button", name="Hold it up").click()
    await page.wait_for_selector(".pinned.now")
    card = page.locator(".pinned.now")
    assert "40 in stock" in await card.inner_text() and "#ad" in await card.inner_text()
    await desk.wait_for_selector("#desk-pins >> text=Hand grinder")
    told = {"id": "SKU-2", "title": "Hand grinder 38 mm", "url": "https://north.example/p/SKU-2"}
    await send(web(), shop, "product.upserted", {**told, "price": {"amount": 7_450, "currency": "USD"}, "stock": 3})
    await run_jobs()
    await page.wait_for_selector(".pinned >> text=$74.50")
    await page.wait_for_selector(".pinned >> text=Only 3 left")

    # Asking the room is a form that leads back to the desk; everything after it stays on the page.
    await desk.fill("[name=question]", "Which next?")
    await desk.fill("[name=options]", "This\nThat")
    await desk.locator("#poll").get_by_role("button", name="Ask").click()
    await desk.wait_for_selector("#desk-polls .poll")
    await is_live(desk)
    await desk.evaluate("window.stayed = true")
    await page.get_by_role("button", name="That").click()
    await page.wait_for_selector("[data-option='2'] button[aria-pressed=true]")
    poll_id = await db.fetch_val("SELECT poll_id FROM live_poll_vote")
    assert poll_id is not None
    voter = await a_member()
    # Counts are told once a second, the later ones by a job; no worker runs beside this server.
    await db.execute("UPDATE live_event SET counted_at = NULL")
    await through(page, voter, "PUT", f"{slug}/polls/{poll_id}/vote", {"option": 2})
    await page.wait_for_selector("[data-option='2'] [data-part=votes]:text-is('2')")
    await desk.wait_for_selector("#desk-polls .poll li:nth-child(2) b:text-is('2')")
    await through(page, voter, "POST", f"{slug}/questions", {"client_id": str(uuid.uuid4()), "body": "Does it clog?"})
    await page.wait_for_selector("[data-question]")
    await page.wait_for_selector("[data-option='2'] button[aria-pressed=true]")
    await page.get_by_role("button", name="I want to know that too").click()
    await page.wait_for_selector("[data-question] button[aria-pressed=true]")
    await desk.get_by_role("button", name="Answered").click()
    await page.wait_for_selector("[data-question]", state="detached")
    await desk.get_by_role("button", name="Close the vote").click()
    await page.wait_for_selector("#poll .mine .my-vote", state="visible")
    assert await desk.evaluate("window.stayed"), "what is done at the desk is done there"
    await desk.get_by_text("End the event").first.click()
    await desk.locator(".ask button").first.click()
    await page.get_by_role("link", name="Replay with times").wait_for()
    await page.wait_for_selector("#ask", state="hidden")
    assert await page.evaluate("window.stayed"), "none of this loaded the page anew"


async def test_a_visit_by_the_card_and_its_sale_are_on_the_desk_without_a_reload(visit: Callable, web: Browser):
    shop = await a_paying_shop()
    ines = await a_member("ines", name="Ines")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(minutes=5)))
    await service.begin(ines.viewer, slug)
    await live_cards.pin(ines.viewer, slug, NewPin("trail-pack"))
    code = await db.fetch_val("SELECT l.code FROM live_pin_link c JOIN link l ON l.id = c.link_id")
    desk = await visit(ines, f"/live/{slug}/desk")
    await desk.evaluate("window.stayed = true")
    figures = desk.locator("#desk-figures")
    assert "$12.00" not in await figures.inner_text()
    gv = await click(web(), code)
    await tell(web, shop, "order.paid", order("1001", gv=gv))
    await desk.wait_for_function("() => document.querySelector('#desk-figures').innerText.includes('$12.00')")
    numbers = await figures.locator("dd, b, .n").all_inner_texts()
    assert "1" in " ".join(numbers) and await desk.evaluate("window.stayed")


async def test_the_replay_leads_to_its_moments(visit: Callable):
    await a_paying_shop()
    ines = await a_member("ines", name="Ines")
    slug = await service.plan(ines.viewer, NewLive("Moka night", clock.now() + timedelta(minutes=5)))
    await service.begin(ines.viewer, slug)
    await segments.write(ines.viewer, slug, NewSegment("Good evening to you all"))
    clock.travel(timedelta(seconds=724))
    await pins.pin(ines.viewer, slug, NewPin("trail-pack"))
    clock.travel(timedelta(seconds=60))
    await service.end(ines.viewer, slug)
    page = await visit(ines, f"/live/{slug}/replay", viewport=PHONE)
    assert await page.locator(".replay .at").all_inner_texts() == ["0:00", "12:04"]
    await page.locator(".moments a", has_text="Trail pack").click()
    await page.wait_for_url("**/replay?from=724")
    assert await page.locator(".replay .at").all_inner_texts() == ["12:04"]
    await page.get_by_role("link", name="From the beginning").click()
    await page.wait_for_selector("text=Good evening to you all")


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
