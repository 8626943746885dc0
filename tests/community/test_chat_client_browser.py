"""What the room does in a real browser beyond sending: two tabs, the past, the keyboard, proxies, ears for eyes."""

import asyncio
import uuid
from collections.abc import Callable

import pytest

from app import db
from community.chat import service
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import CHROMIUM, is_live, until, visit, words_in, write  # noqa: F401
from tests.community.test_chat_marks import said
from tests.community.test_chat_pages import say
from tests.factories import a_member

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: the browser side of chat was not tested"),
]

LOG = "document.querySelector('.log')"


async def numbers_in(page) -> list[int]:
    """The seqs of what the log shows, as it shows them."""
    return await page.evaluate("[...document.querySelectorAll('.log .message[data-seq]')].map(m => +m.dataset.seq)")


async def test_what_is_written_stands_there_at_once(visit: Callable):  # noqa: F811
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, f"/chat/{room}")
    await is_live(page)
    for n in range(9):
        # In the same breath as the key: the next frame the browser paints has it, whatever the line does.
        shown = await page.evaluate(
            """text => {
                 const field = document.querySelector("textarea[name=body]")
                 field.value = text
                 field.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true, cancelable: true}))
                 return [...document.querySelectorAll(".log .message .bubble")].at(-1)?.innerText.trim()
               }""",
            f"Line {n}",
        )
        assert shown == f"Line {n}"
    await until(page, [f"Line {n}" for n in range(9)])


async def test_two_tabs_of_one_browser_share_what_waits_and_send_it_once(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    one = await visit(alice, f"/chat/{room}")
    other = await one.context.new_page()
    await other.goto(f"/chat/{room}")
    await is_live(one)
    await is_live(other)
    frames: list[str] = []
    for page in (one, other):
        page.on("websocket", lambda socket: socket.on("framesent", lambda frame: frames.append(str(frame))))
    restarting = asyncio.create_task(visit.restart())  # type: ignore[attr-defined]
    await one.wait_for_selector(".live.off")
    await write(one, "From the first tab")
    await other.wait_for_selector(".message.waiting:has-text('From the first tab')")
    await write(other, "From the second")
    await one.wait_for_selector(".message.waiting:has-text('From the second')")
    await restarting
    for page in (one, other):
        await page.wait_for_function(
            "() => document.querySelectorAll('.log .message[data-id]').length === 2"
            " && !document.querySelector('.waiting')",
        )
    assert sorted(await words_in(one)) == ["From the first tab", "From the second"]
    assert await words_in(one) == await words_in(other)
    assert await db.fetch_val("SELECT count(*) FROM message") == 2
    assert await one.evaluate("Object.keys(localStorage).filter(k => k.startsWith('chat-outbox')).length") == 0


async def test_the_past_comes_by_scrolling_and_nothing_jumps(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    await say(bob, room, *(f"line {n}" for n in range(150)))
    first = await db.fetch_val("SELECT min(id) FROM message")
    page = await visit(alice, f"/chat/{room}")
    await is_live(page)
    for shown in (120, 150):
        await page.wait_for_selector(".log .older a")
        # What stands at the upper edge stays there to the pixel while earlier messages come in above it.
        before = await page.evaluate(
            f"""() => {{ {LOG}.scrollTop = 0
                        const top = document.querySelector(".log .message")
                        return [top.dataset.id, top.getBoundingClientRect().top] }}"""
        )
        await page.wait_for_function(f"() => document.querySelectorAll('.log .message').length === {shown}")
        after = await page.evaluate(
            "id => document.getElementById(`message-${id}`).getBoundingClientRect().top", before[0]
        )
        assert abs(after - before[1]) < 2
    assert await numbers_in(page) == sorted(set(await numbers_in(page)))
    assert await words_in(page) == [f"line {n}" for n in range(150)]
    assert not await page.query_selector(".log .older")

    await say(bob, room, "meanwhile")
    await page.wait_for_selector(".to-latest .count:has-text('1')")
    assert await page.evaluate(f"{LOG}.scrollTop") < 2000, "who reads the past is left there"
    await page.click(".to-latest")
    await page.wait_for_function(f"() => {LOG}.scrollHeight - {LOG}.scrollTop - {LOG}.clientHeight < 80")
    await page.wait_for_selector(".to-latest", state="hidden")

    # An answer to what is not on the page leads to its place in the past, and from there on to the present again.

    await service.send(bob.viewer, int(room), uuid.uuid4(), "as I said first", first)
    await page.goto(f"/chat/{room}")
    await is_live(page)
    await page.click(".message:has-text('as I said first') .quoted")
    await page.wait_for_selector(f"#message-{first}:target")
    assert (await words_in(page))[0] == "line 0"
    await say(bob, room, "and now")
    await page.wait_for_selector(".to-latest .count:has-text('1')")
    assert "and now" not in await words_in(page), "a page of the past does not end with the present"
    await page.click(".to-latest")
    await page.wait_for_selector(".message:has-text('and now')")
    assert await numbers_in(page) == sorted(set(await numbers_in(page)))


async def test_who_follows_the_link_of_an_old_message_stands_before_it(visit: Callable):  # noqa: F811
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    ids = [await said(alice, room, f"Line {n} " + "and on " * 30) for n in range(40)]
    page = await visit(alice, f"/chat/{room}/messages/{ids[5]}")
    await is_live(page)
    await page.wait_for_function(
        """id => {
             const at = (one) => document.querySelector(one).getBoundingClientRect()
             const [log, message] = [at(".log"), at(`#message-${id}`)]
             return log.top - 1 <= message.top && message.top < log.bottom
           }""",
        arg=ids[5],
    )


async def test_an_input_method_is_never_interrupted(visit: Callable):  # noqa: F811
    """As a Chinese keyboard does it: composed text, Enter that only chooses a word, then Enter that sends."""
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, f"/chat/{room}?lang=zh-Hans")
    await is_live(page)
    keyboard = await page.context.new_cdp_session(page)
    await page.focus("textarea[name=body]")
    await keyboard.send("Input.imeSetComposition", {"text": "ni hao", "selectionStart": 6, "selectionEnd": 6})
    for kind in ("rawKeyDown", "keyUp"):
        await keyboard.send(
            "Input.dispatchKeyEvent", {"type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 229}
        )
    assert await words_in(page) == []
    assert await page.input_value("textarea[name=body]") == "ni hao"
    await keyboard.send("Input.insertText", {"text": "你好"})
    assert await page.input_value("textarea[name=body]") == "你好"
    await page.keyboard.press("Enter")
    await page.wait_for_selector(".message[data-id]:not(.waiting) .bubble:has-text('你好')")
    assert await db.fetch_val("SELECT body FROM message") == "你好"


async def test_a_message_is_answered_marked_changed_and_taken_back_by_keyboard_alone(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob Stein")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(hers)
    await is_live(his)
    # Whoever hears instead of seeing is told what others say, and not what they say themselves.
    await write(hers, "Tea at four?")
    await his.wait_for_function(
        "() => document.querySelector('[data-part=heard]').textContent === 'Alice: Tea at four?'"
    )
    assert await hers.inner_text("[data-part=heard]") == ""

    # Calling somebody: two letters, the list, Enter chooses and does not send.
    await his.focus("textarea[name=body]")
    await his.keyboard.type("With @al")
    await his.wait_for_selector(".names li[aria-selected=true]:has-text('@alice')")
    assert await his.get_attribute("textarea[name=body]", "aria-activedescendant")
    await his.keyboard.press("Enter")
    assert await his.input_value("textarea[name=body]") == "With @alice "
    await his.keyboard.type("and biscuits")
    await his.keyboard.press("Enter")
    await hers.wait_for_selector(".message .bubble a[href='/@alice']")

    # Arrow up changes one's last words, Escape lets them be.
    await his.keyboard.press("ArrowUp")
    assert await his.input_value("textarea[name=body]") == "With @alice and biscuits"
    await his.keyboard.press("Escape")
    assert await his.input_value("textarea[name=body]") == ""
    await his.keyboard.press("ArrowUp")
    await his.keyboard.type(" too")
    await his.keyboard.press("Enter")
    await hers.wait_for_selector(".message:has-text('biscuits too') .edited:visible")

    # A sign that is on no board, typed; and it comes off again where it was put.
    await his.focus(".message:not(.me) .more summary")
    await his.keyboard.press("Enter")
    await his.click("details[open] .signs .other")
    await his.keyboard.type("🫖")
    await his.keyboard.press("Enter")
    await hers.wait_for_selector(".reactions .reaction[value='🫖']:has-text('1')")
    await hers.click(".reactions .reaction[value='🫖']")
    await his.wait_for_selector(".reactions .reaction[value='🫖'][aria-pressed=true]:has-text('2')")
    await his.focus(".reactions .reaction")
    await his.keyboard.press("Enter")
    await hers.wait_for_selector(".reactions .reaction[value='🫖'][aria-pressed=true]:has-text('1')")

    # Taking back leaves a moment to think again.
    await his.focus(".message.me .more summary")
    await his.keyboard.press("Enter")
    await his.focus(".message.me .take button")
    await his.keyboard.press("Enter")
    await his.wait_for_selector(".message.leaving .undo:focus")
    await his.keyboard.press("Enter")
    await his.wait_for_selector(".message.leaving", state="detached")
    await his.focus(".message.me .more summary")
    await his.keyboard.press("Enter")
    await his.focus(".message.me .take button")
    await his.keyboard.press("Enter")
    # Who closes the page has thought enough.
    await his.goto("/chat/")
    await hers.wait_for_selector(".message .bubble.gone")
    assert await db.fetch_val("SELECT count(*) FROM message WHERE deleted_at IS NOT NULL") == 1


async def test_a_pasted_picture_a_chosen_file_and_one_thought_better_of(visit: Callable, tmp_path):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await visit(alice, f"/chat/{room}"), await visit(bob, f"/chat/{room}")
    await is_live(hers)
    await is_live(his)
    await his.wait_for_selector(".say .tray", state="attached")
    await his.evaluate(
        """async () => {
             const canvas = Object.assign(document.createElement("canvas"), {width: 60, height: 40})
             canvas.getContext("2d").fillRect(0, 0, 60, 40)
             const picture = await new Promise(done => canvas.toBlob(done))
             const data = new DataTransfer()
             data.items.add(new File([picture], "tent.png", {type: "image/png"}))
             document.querySelector("textarea[name=body]").dispatchEvent(
               new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}))
           }"""
    )
    (tmp_path / "list.txt").write_text("stove\n")
    (tmp_path / "bad.exe").write_bytes(b"MZ\0")
    await his.set_input_files("input[name=files]", [str(tmp_path / "list.txt"), str(tmp_path / "bad.exe")])
    await his.wait_for_selector(".tray li.here >> nth=1")
    await his.wait_for_selector(".tray li.failed .meta:has-text('not taken')")
    await his.click(".tray li.failed button")
    assert await his.locator(".tray li").count() == 2
    await his.click("form.say button.main")
    picture = await hers.wait_for_selector(".message .files .picture img")
    assert await picture.evaluate("p => p.decode().then(() => p.naturalWidth)") == 60
    assert await hers.get_attribute(".message .files .paper", "href")
    assert await his.locator(".tray li").count() == 0
    assert await db.fetch_val("SELECT count(*) FROM message") == 1

    (tmp_path / "more.txt").write_text("rope\n")
    await his.set_input_files("input[name=files]", str(tmp_path / "more.txt"))
    await his.wait_for_selector(".tray li.here")
    await his.click(".tray li button")
    await his.wait_for_selector(".tray", state="hidden")
    for _ in range(50):
        if not await db.fetch_val("SELECT count(*) FROM chat_file WHERE message_id IS NULL"):
            break
        await asyncio.sleep(0.1)
    assert await db.fetch_val("SELECT count(*) FROM chat_file WHERE message_id IS NULL") == 0


async def rest_on(page, bubble) -> None:
    """A finger comes down on a message, in a room where somebody speaks just then, rests, and is lifted."""
    await bubble.click(trial=True)  # It is in sight, and the log has come to rest.
    box = await bubble.bounding_box()
    touch = await page.context.new_cdp_session(page)
    await page.evaluate("document.activeElement.blur()")
    lifted = await page.evaluate_handle(
        """() => ({ done: new Promise((done) =>
                 addEventListener("pointerup", () => setTimeout(done, 50), { once: true })) })"""
    )
    point = {"x": box["x"] + 10, "y": box["y"] + 10}
    await touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    await page.evaluate(f"{LOG}.dispatchEvent(new Event('scroll'))")
    await page.wait_for_selector(".message details[open] .sheet")
    await touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    # What follows of a lifted finger (focus, click) comes in the same breath.
    await page.evaluate("({ done }) => done", lifted)


async def test_on_a_phone_in_chinese_and_in_the_dark(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice", name="Alice"), await a_member("wei", name="林薇")
    _slug, room = await a_room(alice, bob)
    await say(alice, room, *(f"第 {n} 条" for n in range(30)))
    page = await visit(
        bob, f"/chat/{room}?lang=zh-Hans", viewport={"width": 390, "height": 760}, has_touch=True, is_mobile=True,
        color_scheme="dark",
    )  # fmt: skip
    await is_live(page)
    assert await page.evaluate("document.documentElement.lang") == "zh-Hans"
    assert await page.inner_text(".log .day >> nth=-1") == "今天"
    # The room is the whole screen; nothing lies beside or below it.
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not await page.is_visible(".tabs-below") and not await page.is_visible(".bar")
    field = await page.locator("form.say").bounding_box()
    assert field and abs(field["y"] + field["height"] - 760) < 1
    # A keyboard takes half of the screen: the composer stands above it, and who was at the end still is.
    await page.set_viewport_size({"width": 390, "height": 400})
    await page.wait_for_function(
        "() => Math.abs(document.querySelector('form.say').getBoundingClientRect().bottom - 400) < 1"
    )
    await page.wait_for_function(f"() => {LOG}.scrollHeight - {LOG}.scrollTop - {LOG}.clientHeight < 80")
    await page.set_viewport_size({"width": 390, "height": 760})
    await page.wait_for_function(
        "() => Math.abs(document.querySelector('form.say').getBoundingClientRect().bottom - 760) < 1"
    )
    # A finger that rests on a message opens its menu, as a sheet at the lower edge, wherever the message stands.
    for number in (24, 29):
        await rest_on(page, page.locator(".message .bubble", has_text=f"第 {number} 条"))
        sheet = await page.locator(".message details[open] .sheet").bounding_box()
        assert sheet and abs(sheet["y"] + sheet["height"] - 760) < 2 and sheet["width"] > 380
        assert await page.evaluate("document.activeElement.closest('.log')") is None, (
            "the focus did not follow the finger"
        )
        if number == 24:
            await page.keyboard.press("Escape")
            await page.wait_for_selector(".message details[open]", state="detached")
    await page.tap(".message details[open] .reply")
    await page.fill("textarea[name=body]", "收到")
    await page.tap("form.say button.main")
    await page.wait_for_selector(".message.me .quoted:has-text('第 29 条')")


async def test_the_list_beside_a_room_tells_what_is_new_in_the_others(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    (_one, here), (_two, there) = await a_room(alice, bob), await a_room(alice, bob)
    await say(bob, there, "Long ago")
    await say(bob, here, "Later")
    page = await visit(alice, f"/chat/{here}", viewport={"width": 1280, "height": 800})
    await is_live(page)
    other = f".rooms a[data-room='{there}']"
    await page.wait_for_selector(f"{other} .count:text-is('1')")
    await page.wait_for_timeout(500)
    await say(bob, there, "Tea?", "Anybody?")
    await page.wait_for_selector(f"{other} .count:text-is('3')")
    assert await page.inner_text(f"{other} .who > span") == "Bob: Anybody?"
    assert await page.get_attribute(".rooms a[data-room] >> nth=0", "data-room") == there
    assert await words_in(page) == ["Later"], "what is said there stays there"
    # Read on another device, it is no longer new here.
    second = await page.context.new_page()
    await second.goto(f"/chat/{there}")
    await is_live(second)
    await page.wait_for_selector(f"{other} .count", state="detached")


async def test_a_thread_is_talked_in_and_a_restored_past_is_taken_over(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    await say(bob, room, "Which stove?", "Something else")
    root = await db.fetch_val("SELECT min(id) FROM message")
    page = await visit(alice, f"/chat/{room}?thread={root}")
    await is_live(page)
    for words in ("The small one", "Or none at all"):
        await write(page, words)
    await page.wait_for_function("() => !document.querySelector('.message.waiting')")
    await say(bob, room, "Elsewhere")
    await service.send(bob.viewer, int(room), uuid.uuid4(), "Thank you", root)
    await page.wait_for_selector(".message:has-text('Thank you')")
    said = [words.split("\n")[-1] for words in await words_in(page)]
    assert said == ["Which stove?", "The small one", "Or none at all", "Thank you"]
    assert await db.fetch_val("SELECT count(*) FROM message WHERE reply_to_id = $1", root) == 3

    # A backup was restored: what this page knew is another past.
    await page.goto(f"/chat/{room}")
    await is_live(page)
    gone = await db.fetch_val("SELECT max(seq) FROM room_event WHERE room_id = $1", int(room))
    await db.execute("DELETE FROM room_event WHERE room_id = $1 AND seq = $2", int(room), gone)
    await db.execute("UPDATE room SET seq = seq - 1, epoch = 'restored' WHERE id = $1", int(room))
    await visit.restart()  # type: ignore[attr-defined]
    await page.wait_for_function("() => !document.querySelector('.log').innerText.includes('Thank you')")
    await is_live(page)
    await say(bob, room, "After it all")
    await page.wait_for_selector(".message:has-text('After it all')")
    assert await numbers_in(page) == sorted(set(await numbers_in(page)))
