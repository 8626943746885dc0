"""A room in the hand: files that are dropped, stopped and sent, who is here, what comes after, what one may not do."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from app import clock, db
from community.chat import measures, measures_schemas, pins
from tests.browser import in_a_browser
from tests.community.hand import Sit, grapevine, is_ready, sit
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_cards import pages
from tests.community.test_chat_marks import said
from tests.factories import a_member, run_jobs
from tests.referrals.cast import a_paying_shop
from tests.storefront.shop import a_product

__all__ = ["grapevine", "pages", "sit"]
pytestmark = in_a_browser("a room in the hand")
WHY = "Please let the others speak."


async def test_a_dropped_file_is_brought_a_stopped_one_is_not_and_the_words_go_out(sit: Sit):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await sit(alice, f"/chat/{room}"), await sit(bob, f"/chat/{room}")
    await is_ready(hers)
    await is_ready(his)

    # The keyboard goes straight to the field.
    await hers.keyboard.press("Tab")
    await hers.keyboard.press("Tab")
    await hers.wait_for_selector("a.skip:focus:has-text('Skip to the message field')")
    await hers.keyboard.press("Enter")
    await hers.wait_for_function("() => document.activeElement.name === 'body'")

    await his.evaluate(
        """() => {
             const given = new DataTransfer()
             given.items.add(new File(["stove, rope"], "packing list.txt", {type: "text/plain"}))
             const drop = kind => document.querySelector(".log").dispatchEvent(
               new DragEvent(kind, {dataTransfer: given, bubbles: true, cancelable: true}))
             drop("dragover")
             window.wasInvited = document.querySelector("chat-room").classList.contains("dropping")
             drop("drop")
           }"""
    )
    assert await his.evaluate("wasInvited") is True, "while a file hangs over the room it says that it can be let go"
    assert await his.locator("chat-room.dropping").count() == 0
    await his.wait_for_selector(".tray li.here:has-text('packing list.txt')")

    # One that takes long is stopped on its way: the server never has it.
    stopped = asyncio.Event()

    from playwright.async_api import Error

    async def hold(route: Any) -> None:
        await stopped.wait()
        # The page let go of it already.
        with suppress(Error):
            await route.abort()

    await his.route("**/files", hold)
    await his.set_input_files(
        "input[name=files]", {"name": "huge.txt", "mimeType": "text/plain", "buffer": b"much too much"}
    )
    await his.wait_for_selector(".tray li:has-text('huge.txt') progress")
    await his.click(".tray li:has-text('huge.txt') button")
    await his.wait_for_selector(".tray li:has-text('huge.txt')", state="detached")
    assert await his.evaluate("document.activeElement.name") == "body", "one goes on writing"
    stopped.set()
    await his.unroute("**/files")

    await his.fill("textarea[name=body]", "All we need")
    await his.press("textarea[name=body]", "Enter")
    paper = hers.locator(".message:has-text('All we need') .files .paper")
    await paper.wait_for()
    assert "packing list.txt" in await paper.inner_text()
    assert await db.fetch_val("SELECT count(*) FROM chat_file") == 1
    await his.wait_for_selector(".tray", state="hidden")


async def test_who_is_here_is_named_up_to_fifty_and_then_counted(sit: Sit, house: Any):
    alice = await a_member("alice", name="Alice")
    crowd = [await a_member() for _n in range(50)]
    _slug, room = await a_room(alice, *crowd)
    page = await sit(alice, f"/chat/{room}")
    await is_ready(page)

    async def come(person: Any) -> Any:
        line = await a_line(house, person)
        await line.hello(room)
        return line

    lines = [await come(person) for person in crowd[:49]]
    live = page.locator("[data-part=live]")
    await page.wait_for_function("() => document.querySelector('[data-part=live]').textContent.includes('50 here')")
    await page.click(".here > summary")
    await page.wait_for_function("() => document.querySelectorAll('[data-part=people] li').length === 50")
    assert await page.get_by_role("link", name="Alice", exact=True).count() >= 1

    lines.append(await come(crowd[49]))
    await page.wait_for_function("() => document.querySelector('[data-part=live]').textContent.includes('51 here')")
    await page.wait_for_function("() => document.querySelectorAll('[data-part=people] li').length === 0")
    for line in lines[-3:]:
        await line.cut()
    await page.wait_for_function("() => document.querySelector('[data-part=live]').textContent.includes('48 here')")
    await page.wait_for_function("() => document.querySelectorAll('[data-part=people] li').length === 48")
    assert "live" in await live.inner_text()
    await asyncio.gather(*(line.cut() for line in lines[:-3]))


async def test_cards_and_pins_arrive_in_the_open_room_after_the_words(sit: Sit, pages: list[str]):
    alice, bob = await a_member("alice"), await a_member("bob")
    shop = await a_paying_shop()
    slug = await a_product(shop, "GR-38", title="Hand grinder")
    _group, room = await a_room(alice, bob)
    page = await sit(bob, f"/chat/{room}")
    await is_ready(page)

    product = await said(alice, room, f"This one: http://test.example/p/{slug}")
    link = await said(alice, room, "And read https://roastery.example/beans")
    await page.wait_for_selector(f"#message-{link}")
    assert await page.locator(".cards").count() == 0, "nothing delays what is said"
    await run_jobs()
    card = page.locator(f"#message-{product} .cards .product")
    await card.wait_for()
    assert "Hand grinder" in await card.inner_text() and "$129.00" in await card.inner_text()
    preview = page.locator(f"#message-{link} .cards .link")
    await preview.wait_for()
    assert "Beans & more" in await preview.inner_text() and "Roastery" in await preview.inner_text()
    # What came bit by bit is what the server draws in one go.
    drawn = await page.locator(f"#message-{link} .cards").inner_text()
    await page.reload()
    assert await page.locator(f"#message-{link} .cards").inner_text() == drawn
    await is_ready(page)

    await pins.pin(alice.viewer, int(room), product)
    await page.wait_for_selector(".pinned-bar:has-text('This one')")
    await pins.pin(alice.viewer, int(room), link)
    await page.wait_for_selector(".pinned-bar:has-text('And read')")
    await pins.unpin(alice.viewer, int(room), link)
    await page.wait_for_selector(".pinned-bar:has-text('This one')")


async def take(by: Any, room: str, kind: str, to: str = "", **more: int) -> int:
    return await measures.take(by.viewer, int(room), measures_schemas.NewMeasure(kind, WHY, to, **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lang", "frozen", "slow", "silenced", "until", "why"),
    [
        ("en", "is frozen", "every 30 s", "You are silenced", "Until", "Why: "),
        ("zh-Hans", "已冻结", "30", "禁言", "为止", "原因："),
    ],
)
async def test_what_one_may_not_do_is_said_with_its_end_and_its_reason(
    sit: Sit, lang: str, frozen: str, slow: str, silenced: str, until: str, why: str
):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    his, hers = await sit(bob, f"/chat/{room}", lang=lang), await sit(carol, f"/chat/{room}", lang=lang)
    await is_ready(his)
    await is_ready(hers)
    note = his.locator("chat-order p")
    assert await note.is_hidden()

    async def reads(*parts: str) -> None:
        for part in parts:
            await note.filter(has_text=part).wait_for()

    freeze = await take(alice, room, "freeze", minutes=60)
    await reads(frozen, until, why + WHY)
    await his.wait_for_selector("textarea[name=body]:disabled")
    await his.reload()
    await is_ready(his)
    await reads(frozen, until, why + WHY)
    assert await his.locator("textarea[name=body]").is_disabled()
    await measures.lift(alice.viewer, int(room), freeze)
    await his.wait_for_selector("textarea[name=body]:enabled")
    assert await note.is_hidden()

    await take(alice, room, "slow", seconds=30)
    await reads(slow, why + WHY)
    assert until not in await note.inner_text(), "until somebody lifts it"
    await take(alice, room, "silence", "bob", minutes=60)
    await reads(silenced, until, why + WHY)
    await his.wait_for_selector("textarea[name=body]:disabled")
    # Another one sees that the room is slow, and nothing of him.
    assert silenced not in await hers.locator("chat-order p").inner_text()
    clock.travel(timedelta(minutes=61))
    await measures.lift_what_is_over()
    await his.wait_for_selector("textarea[name=body]:enabled")
    await reads(slow)

    # Shown out while looking at it: at once, with a word about it, and nothing can be written.
    await hers.fill("textarea[name=body]", "But I was about to")
    await take(alice, room, "kick", "carol")
    await hers.wait_for_function("() => document.querySelector('[data-part=status]').textContent.trim() !== ''")
    await hers.wait_for_selector("form.say button.main:disabled", state="attached")
    assert await hers.input_value("textarea[name=body]") == "But I was about to", "what was begun can be copied"
    last = await said(alice, room, "Among ourselves")
    await his.wait_for_selector(f"#message-{last}")
    assert await hers.locator(f"#message-{last}").count() == 0
