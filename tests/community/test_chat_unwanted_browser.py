"""Whom one blocked one does not meet among many; the list beside stays true; two who talk alone see what was read."""

import uuid
from typing import Any

from app import db
from community.chat import pins, reads, service
from community.direct import blocking
from community.direct import service as direct
from tests.browser import in_a_browser
from tests.community.hand import Sit, grapevine, is_ready, sit
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.factories import a_member

__all__ = ["grapevine", "sit"]
pytestmark = in_a_browser("what somebody blocked says")
WIDE = {"viewport": {"width": 1280, "height": 800}}


def line_to(page: Any, room: str) -> Any:
    return page.locator(f".rooms a[data-room='{room}']")


async def test_of_whom_one_blocked_nothing_is_put_before_one(sit: Sit):
    alice, bob, carol = (
        await a_member("alice"),
        await a_member("bob", name="Bob"),
        await a_member("carol", name="Carol"),
    )
    (_one, here), (_two, there) = await a_room(alice, bob, carol), await a_room(alice, bob, carol)
    pinned = await said(bob, here, "pinned poison")
    await pins.pin(alice.viewer, int(here), pinned)
    await said(carol, there, "Long ago")
    await said(carol, here, "Good morning")
    await service.mark_read(alice.viewer, int(here), 100)
    await service.mark_read(alice.viewer, int(there), 100)
    await reads.flush()
    await blocking.block(alice.viewer, "bob")
    page = await sit(alice, f"/chat/{here}", **WIDE)
    await is_ready(page)
    await line_to(page, there).filter(has_text="Carol: Long ago").wait_for()
    # He goes on in both rooms, answers her, and is answered.
    await said(bob, there, "poison there")
    theirs = await said(bob, here, "poison here")
    await said(carol, here, "I do not agree", reply_to=theirs)
    await page.locator(".log .message", has_text="I do not agree").wait_for()
    # What is told in order is drawn in order: his words of before have come by now.
    await said(carol, there, "Quite so")
    await line_to(page, there).filter(has_text="Carol: Quite so").wait_for()
    assert await line_to(page, there).locator(".count").inner_text() == "1", "his words are not counted as new"
    assert await page.locator("[data-part=heard]").inner_text() == "Carol: I do not agree"
    quote = page.locator(".message:has-text('I do not agree') .quoted")
    for _now_and_after_a_reload in range(2):
        assert await quote.inner_text() == "From somebody you blocked"
        assert await page.locator(".pinned-bar").count() == 0
        assert "poison" not in await page.locator(".rooms").inner_text()
        seen = await page.evaluate("document.body.innerText")
        assert "poison" not in seen
        # Who asks for it reads it.
        assert await page.locator(f"#message-{theirs}.unwanted").count() == 1
        await page.reload()
        await is_ready(page)
    await page.goto(f"/chat/{here}/pins")
    assert not await page.get_by_text("pinned poison").is_visible()
    await page.click("summary:has-text('From somebody you blocked')")
    assert await page.get_by_text("pinned poison").is_visible()

    # Taken back on another device, the open page shows what is said from then on.
    await page.goto(f"/chat/{here}")
    await is_ready(page)
    await blocking.unblock(alice.viewer, "bob")
    await page.wait_for_function("() => !document.querySelector('chat-room').dataset.blocked")
    again = await said(bob, here, "Sorry about that")
    await page.wait_for_selector(f"#message-{again}:not(.unwanted)")
    await line_to(page, here).filter(has_text="Bob: Sorry about that").wait_for()


async def test_the_list_follows_what_becomes_of_the_last_words(sit: Sit):
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    (_one, here), (_two, there) = await a_room(alice, bob), await a_room(alice, bob)
    await said(bob, there, "First")
    last = await said(bob, there, "Secund")
    await said(bob, here, "Before")
    mine = await said(bob, here, "Oops")
    page = await sit(alice, f"/chat/{here}", **WIDE)
    await is_ready(page)
    await line_to(page, there).filter(has_text="Bob: Secund").wait_for()
    await service.edit(bob.viewer, int(there), last, "Second")
    await line_to(page, there).filter(has_text="Bob: Second").wait_for()
    await service.delete(bob.viewer, int(there), last)
    await line_to(page, there).filter(has_text="Bob: First").wait_for()
    # In the open room as well.
    await service.edit(bob.viewer, int(here), mine, "Much better")
    await line_to(page, here).filter(has_text="Bob: Much better").wait_for()
    await service.delete(bob.viewer, int(here), mine)
    await line_to(page, here).filter(has_text="Bob: Before").wait_for()
    await said(bob, there, "Third")
    await line_to(page, there).filter(has_text="Bob: Third").wait_for()


async def test_two_who_talk_alone_see_that_the_other_has_read(sit: Sit):
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    await a_room(alice, bob)
    room = (await direct.begin(alice.viewer, ["bob"], uuid.uuid4(), "Are you coming?")).room
    hers = await sit(alice, f"/chat/{room}")
    await is_ready(hers)
    assert await hers.locator(".log .seen").count() == 0
    his = await sit(bob, f"/chat/{room}", lang="zh-Hans")
    await hers.locator(".message:has-text('Are you coming?') .seen").wait_for()
    assert await hers.locator(".log .seen").inner_text() == "Seen"
    await is_ready(his)
    await his.fill("textarea[name=body]", "Yes")
    await his.press("textarea[name=body]", "Enter")
    await his.locator(".message.me:has-text('Yes') .seen", has_text="已读").wait_for()
    # It stands below the last words alone, and goes when there are newer ones.
    await his.close()
    await hers.fill("textarea[name=body]", "At six")
    await hers.press("textarea[name=body]", "Enter")
    await hers.wait_for_selector(".message.me[data-seq]:has-text('At six')")
    await hers.wait_for_function("() => !document.querySelector('.log .seen')")
    await service.mark_read(bob.viewer, int(room), await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room)))
    await reads.flush()
    await hers.locator(".message:has-text('At six') .seen").wait_for()
    assert await hers.locator(".log .seen").count() == 1
