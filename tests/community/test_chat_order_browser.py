"""Order in real browsers: who is silenced, or finds the room frozen or slow, sees so at once, and sees it end."""

from collections.abc import Callable

import pytest

from tests.community.test_chat import a_room
from tests.community.test_chat_browser import CHROMIUM, is_live, until, visit, write
from tests.community.test_chat_order import do, undo
from tests.factories import a_member

__all__ = ["visit"]
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: the browser side of order was not tested"),
]


async def test_who_may_not_write_for_now_sees_why_and_goes_on_when_it_is_over(visit: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    his = await visit(bob, f"/chat/{room}")
    await is_live(his)
    note, field = his.locator("chat-order p"), his.locator("textarea[name=body]")
    assert await note.is_hidden() and await field.is_enabled()

    freeze = await do(alice, room, "freeze")
    await his.wait_for_selector("textarea[name=body]:disabled")
    assert "frozen" in await note.inner_text()
    await his.reload()
    assert "frozen" in await note.inner_text() and await field.is_disabled()
    await is_live(his)
    await undo(alice, room, freeze)
    await his.wait_for_selector("textarea[name=body]:enabled")
    await write(his, "Thawed")
    await until(his, ["Thawed"])

    silence = await do(alice, room, "silence", bob)
    await his.wait_for_selector("textarea[name=body]:disabled")
    assert "silenced" in await note.inner_text()
    await undo(alice, room, silence)
    await his.wait_for_selector("textarea[name=body]:enabled")
    await do(alice, room, "slow", seconds=30)
    await his.wait_for_function("() => document.querySelector('chat-order p').innerText.includes('30')")


async def test_a_moderator_shows_somebody_out_and_lets_them_in_again(visit: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(his)
    await is_live(hers)
    await hers.click(".top details.menu:has(a[href$='/moderation']) > summary")
    await hers.click(f"a[href='/chat/{room}/moderation']")
    await hers.fill("[name=member]", "@bob")
    await hers.check("[name=kind][value=ban]")
    await hers.fill("#reason", "Advertising again and again.")
    await hers.click("form:has([name=member]) button.main")
    await hers.wait_for_selector("text=Advertising again and again.")
    await his.wait_for_selector("text=You are no longer in this room.")
    assert (await his.goto(f"/chat/{room}")).status == 404
    await hers.goto(f"/chat/{room}")
    assert "bob was shown out" in await hers.locator(".log").inner_text()
    await hers.goto(f"/chat/{room}/moderation")
    await hers.click("text=Undo")
    assert (await his.goto(f"/chat/{room}")).status == 200
