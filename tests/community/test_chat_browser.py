"""The room in real browsers: two members, a cut line, a reload, no sockets, no JavaScript."""

import asyncio
import json
from collections.abc import Callable

from app import db
from tests.browser import CHROMIUM, PATIENCE_MS, in_a_browser, playwright, visit
from tests.community.test_chat import a_room
from tests.factories import a_member

__all__ = ["CHROMIUM", "playwright", "visit"]
pytestmark = in_a_browser("the room")


async def is_live(page) -> None:
    await page.wait_for_selector(".live.on")


async def write(page, text: str) -> None:
    await page.fill("textarea[name=body]", text)
    await page.press("textarea[name=body]", "Enter")


async def words_in(page) -> list[str]:
    return [text.strip() for text in await page.locator(".message .bubble").all_inner_texts()]


async def until(page, words: list[str], patience: float = PATIENCE_MS) -> None:
    """Wait until the log shows exactly these words, in this order."""
    await page.wait_for_function(
        """words => JSON.stringify([...document.querySelectorAll(".log .message .bubble")].map(b => b.innerText.trim()))
                    === words""",
        arg=json.dumps(words, ensure_ascii=False, separators=(",", ":")),
        timeout=patience,
    )


async def test_two_browsers_talk_and_a_cut_line_and_a_reload_lose_and_double_nothing(visit: Callable):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(hers)
    await is_live(his)

    await write(hers, "Does the **rain cover** come with it?")
    await until(his, ["Does the rain cover come with it?"])
    await write(his, "It does.")
    said = ["Does the rain cover come with it?", "It does."]
    await until(hers, said)
    assert await hers.locator(".message.me").count() == 1

    await his.context.set_offline(True)
    await his.evaluate("document.querySelector('chat-room') && dispatchEvent(new Event('offline'))")
    await write(hers, "Are you there?")
    await write(his, "One moment")
    await his.wait_for_selector(".message.waiting")
    # The tab is closed and opened again while offline would fail to load, so the line comes back first.
    await his.context.set_offline(False)
    await his.reload()
    # Who came back first is not ours to say; both said it once, and both see the same.
    await hers.wait_for_function("() => document.querySelectorAll('.log .message[data-id]').length === 4")
    await his.wait_for_function("() => document.querySelectorAll('.log .message[data-id]').length === 4")
    assert await words_in(hers) == await words_in(his)
    assert sorted(await words_in(his)) == sorted([*said, "Are you there?", "One moment"])
    assert await db.fetch_val("SELECT count(*) FROM message") == 4
    assert await his.evaluate("Object.keys(localStorage).filter(k => k.startsWith('chat-outbox')).length") == 0


async def test_what_is_written_while_the_server_restarts_is_sent_when_it_is_back(visit: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(hers)
    await is_live(his)
    await write(hers, "Before")
    await until(his, ["Before"])
    restarting = asyncio.create_task(visit.restart())
    await hers.wait_for_selector(".live.off")
    await write(hers, "Meanwhile")
    await hers.wait_for_selector(".message.waiting")
    await restarting
    await until(his, ["Before", "Meanwhile"])
    await until(hers, ["Before", "Meanwhile"])
    await hers.wait_for_function("() => !document.querySelector('.message.waiting')")
    assert await db.fetch_val("SELECT count(*) FROM message") == 2


async def test_while_an_input_method_composes_enter_chooses_a_word(visit: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, f"/chat/{room}")
    await is_live(page)
    await page.fill("textarea[name=body]", "nihao")
    await page.evaluate(
        """() => document.querySelector("textarea[name=body]").dispatchEvent(
               new KeyboardEvent("keydown", {key: "Enter", isComposing: true, bubbles: true, cancelable: true}))"""
    )
    assert await page.input_value("textarea[name=body]") == "nihao"
    await page.press("textarea[name=body]", "Shift+Enter")
    assert await page.input_value("textarea[name=body]") == "nihao\n"
    await page.press("textarea[name=body]", "Enter")
    await until(page, ["nihao"])


async def test_an_answer_an_edit_and_a_deletion_reach_the_other_browser(visit: Callable):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(hers)
    await is_live(his)
    await write(hers, "Tea at four?")
    await until(his, ["Tea at four?"])
    await his.hover(".message")
    await his.click(".message .more summary")
    await his.click(".message .reply")
    await write(his, "Make it five")
    await hers.wait_for_selector(".message .quoted[href^='#message-']")
    assert "Alice" in (await hers.inner_text(".message .quoted"))

    await hers.hover(".message.me")
    await hers.click(".message.me .more summary")
    await hers.click(".message.me .change")
    await hers.wait_for_selector("form.say.changing")
    assert await hers.input_value("textarea[name=body]") == "Tea at four?"
    await hers.fill("textarea[name=body]", "Tea at five?")
    await hers.click("form.say button.main")
    await his.wait_for_function("() => document.querySelector('.message .bubble').innerText.trim() === 'Tea at five?'")
    assert await his.is_visible(".message .edited")

    await is_live(hers)
    await hers.hover(".message.me")
    await hers.click(".message.me .more summary")
    await hers.click(".message.me .take button")
    await his.wait_for_selector(".message .bubble.gone")
    assert "Tea" not in await his.inner_text(".log .message >> nth=0")


async def test_where_sockets_are_blocked_the_room_still_moves(visit: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers = await visit(alice, f"/chat/{room}")
    his = await visit(bob, "/chat/")
    await his.add_init_script(
        """window.WebSocket = class { static CONNECTING = 0; static OPEN = 1; static CLOSING = 2; readyState = 3
               constructor() { setTimeout(() => this.onclose?.({code: 1006})) } close() {} }"""
    )
    await his.goto(f"/chat/{room}")
    await his.wait_for_selector(".live:has-text('slow connection')")
    await is_live(hers)
    await write(hers, "Through the wall")
    await until(his, ["Through the wall"])
    await write(his, "And back")
    await until(hers, ["Through the wall", "And back"])
    await until(his, ["Through the wall", "And back"])


async def test_reading_and_writing_work_without_javascript(visit: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, f"/chat/{room}", java_script_enabled=False)
    await page.fill("textarea[name=body]", "By hand")
    await page.click("form.say button.main")
    await page.wait_for_url(f"**/chat/{room}#message-*")
    assert await words_in(page) == ["By hand"]


async def test_what_was_said_just_before_a_reload_stands_once_though_its_answer_never_came(visit: Callable):
    """The page came with the message, and the outbox still has it: the answer was lost with the old page."""
    alice = await a_member("alice", name="Alice")
    _slug, room = await a_room(alice)
    hers = await visit(alice, f"/chat/{room}")
    await is_live(hers)
    await write(hers, "Said once")
    await hers.wait_for_function("() => document.querySelectorAll('.log .message[data-id]').length === 1")
    await hers.evaluate(
        """([room, member, client_id]) => localStorage.setItem(`chat-outbox:${member}:${room}:${client_id}`,
               JSON.stringify({ client_id, body: "Said once", at: Date.now() }))""",
        [str(room), str(alice.id), str(await db.fetch_val("SELECT client_id FROM message"))],
    )
    await hers.reload()
    await hers.wait_for_function("() => !Object.keys(localStorage).some(key => key.startsWith('chat-outbox'))")
    assert await words_in(hers) == ["Said once"]
    assert await db.fetch_val("SELECT count(*) FROM message") == 1
