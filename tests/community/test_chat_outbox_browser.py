"""What waits in a browser: from whatever page, in whatever tab, with its files, and never thrown away unasked."""

from collections.abc import Callable
from typing import Any

from app import db
from community.chat import service
from tests.browser import chromium as chromium  # a fixture
from tests.browser import enter, in_a_browser
from tests.browser import visit as visit  # a fixture
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import is_live, until, write
from tests.community.test_chat_marks import said
from tests.community.test_chat_pages import say
from tests.factories import Person, a_member

pytestmark = in_a_browser("the outbox")

KEPT = "() => Object.keys(localStorage).filter(key => key.startsWith('chat-outbox')).length"
KEPT_FILES = """() => new Promise(done => { const asked = indexedDB.open("chat-files", 1)
  asked.onupgradeneeded = () => asked.result.createObjectStore("chat-files")
  asked.onsuccess = () => { const count = asked.result.transaction("chat-files").objectStore("chat-files").count()
    count.onsuccess = () => { asked.result.close(); done(count.result) } } })"""
# As if it had been written so many seconds earlier.
OLDER = """seconds => { for (const [key, it] of Object.entries(localStorage)) if (key.startsWith("chat-outbox"))
  localStorage.setItem(key, JSON.stringify({ ...JSON.parse(it), at: Date.now() - seconds * 1000 })) }"""
# A browser that is told to be offline keeps the sockets it has: these can be cut.
CUTTABLE = """const Real = WebSocket
window.WebSocket = class extends Real { constructor(...all) { super(...all); (window.lines ??= []).push(this) } }"""

# No socket leads anywhere.
ASLEEP = """() => { window.Awake = WebSocket; window.WebSocket = class {
  static OPEN = 1; static CLOSING = 2; readyState = 3; close() {} }
  lines.forEach(line => line.close()) }"""


async def a_page_that_can_be_cut(visit: Callable, person: Person, path: str):
    page = await visit(person, "/settings/profile", viewport={"width": 1280, "height": 800})
    await page.add_init_script(CUTTABLE)
    await page.goto(path)
    await is_live(page)
    await page.wait_for_selector(".say .tray", state="attached")
    return page


async def go_offline(page) -> None:
    await page.context.set_offline(True)
    await page.evaluate("lines.forEach(line => line.close())")
    await page.wait_for_selector(".live.off")


async def test_words_and_a_file_written_offline_go_out_from_another_page(visit: Callable, tmp_path):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    page = await a_page_that_can_be_cut(visit, bob, f"/chat/{room}")
    await go_offline(page)
    (tmp_path / "list.txt").write_text("stove\n")
    await page.set_input_files("input[name=files]", str(tmp_path / "list.txt"))
    await page.wait_for_selector(".tray li.waits:has-text('as soon as you are back online')")
    await write(page, "What we need")
    await page.wait_for_selector(".message.waiting .files:has-text('list.txt')")
    assert await page.locator(".tray li").count() == 0
    await write(page, "And tea")
    await page.wait_for_function(f"() => ({KEPT})() === 2")
    assert await page.evaluate(KEPT_FILES) == 1
    # The page is left, and the room not opened again. The list says that something waits; then it goes out.
    await page.evaluate(OLDER, 60)
    await page.context.set_offline(False)
    await page.goto("/settings/profile")
    await page.wait_for_function(f"() => ({KEPT})() === 0")
    said = await db.fetch("SELECT body, extra #>> '{files,0,name}' AS file FROM message ORDER BY id")
    assert [tuple(row) for row in said] == [("What we need", "list.txt"), ("And tea", None)]
    assert await page.evaluate(KEPT_FILES) == 0
    await page.goto(f"/chat/{room}")
    await page.wait_for_selector(".message .files .paper[href]:has-text('list.txt')")
    assert await page.locator(".message").count() == 2


# The second file finds no space any more.
FULL = """() => { const put = IDBObjectStore.prototype.put
  let times = 0
  IDBObjectStore.prototype.put = function (...all) {
    if (++times > 1) throw new DOMException("full", "QuotaExceededError")
    return put.apply(this, all)
  } }"""


async def test_a_file_kept_for_a_message_that_found_no_space_is_let_go_when_it_is_taken_off(visit: Callable, tmp_path):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    page = await a_page_that_can_be_cut(visit, bob, f"/chat/{room}")
    await page.evaluate(FULL)
    await go_offline(page)
    for name in ("stove.txt", "tent.txt"):
        (tmp_path / name).write_text(name)
        await page.set_input_files("input[name=files]", str(tmp_path / name))
        await page.wait_for_selector(f".tray li.waits:has-text('{name}')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await write(page, "What we need")
    await page.wait_for_function(f"async () => await ({KEPT_FILES})() === 1")
    assert await page.locator(".tray li").count() == 2
    await page.click(".tray li:has-text('stove.txt') button.icon-only")
    await page.wait_for_function(f"async () => await ({KEPT_FILES})() === 0")
    assert await page.locator(".tray li").count() == 1 and not [one for one in asked if "/files/" in one]


async def test_what_is_refused_elsewhere_is_said_in_the_list_and_kept_with_its_words(visit: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    (_one, room), (_two, other) = await a_room(alice, bob), await a_room(alice, bob)
    page = await a_page_that_can_be_cut(visit, bob, f"/chat/{room}")
    await go_offline(page)
    await write(page, "Too late")
    await page.wait_for_function(f"() => ({KEPT})() === 1")
    await db.execute("UPDATE room SET frozen_at = now() WHERE id = $1", int(room))
    await page.evaluate(OLDER, 60)
    await page.context.set_offline(False)
    await page.goto(f"/chat/{other}")
    await page.wait_for_selector(f".rooms a[data-room='{room}'] .unsent:has-text('1')")
    await page.wait_for_function(
        "() => Object.entries(localStorage).some(([key, it]) => key.startsWith('chat-outbox') && JSON.parse(it).failed)"
    )
    assert await db.fetch_val("SELECT count(*) FROM message") == 0
    await db.execute("UPDATE room SET frozen_at = NULL WHERE id = $1", int(room))
    await page.goto(f"/chat/{room}")
    await is_live(page)
    await page.click(".message.failed:has-text('Too late') .retry")
    await page.wait_for_selector(".message.me[data-id]:not(.waiting):has-text('Too late')")


async def test_what_waited_for_days_is_not_sent_by_itself_and_not_thrown_away(visit: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await a_page_that_can_be_cut(visit, alice, f"/chat/{room}")
    await go_offline(page)
    await write(page, "See you on Monday")
    await write(page, "Bring tea")
    await page.wait_for_function(f"() => ({KEPT})() === 2")
    await page.evaluate(OLDER, 4 * 86_400)
    await page.context.set_offline(False)
    await page.goto("/settings/profile")
    await page.goto(f"/chat/{room}")
    await is_live(page)
    await page.wait_for_selector(".message.failed .after:has-text('more than three days') >> nth=1")
    assert await page.locator(".message.failed .copy-words").count() == 2
    await page.click(".message.failed:has-text('Bring tea') .retry")
    await page.wait_for_selector(".message.me[data-id]:not(.waiting):has-text('Bring tea')")
    await page.click(".message.failed .discard")
    await page.wait_for_function(f"() => ({KEPT})() === 0")
    assert await db.fetch_val("SELECT array_agg(body) FROM message") == ["Bring tea"]


async def test_two_tabs_share_what_failed_what_was_thrown_away_and_what_was_read(visit: Callable):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    one = await visit(bob, f"/chat/{room}")
    other = await one.context.new_page()
    await other.goto(f"/chat/{room}")
    for page in (one, other):
        await is_live(page)
        # What is fetched later is there: the tabs know of each other.
        await page.wait_for_selector(".say .tray", state="attached")
    await db.execute("UPDATE room SET frozen_at = now() WHERE id = $1", int(room))
    await write(one, "Not now")
    for page in (one, other):
        await page.wait_for_selector(".message.failed:has-text('Not now') .retry")
    await db.execute("UPDATE room SET frozen_at = NULL WHERE id = $1", int(room))
    await other.click(".message.failed .discard")
    for page in (one, other):
        await page.wait_for_selector(".message.failed", state="detached")
    assert await one.evaluate(KEPT) == 0
    # Read in one of them, it is read in both: the badge beside "Chat" and the unread line go.
    heard = await other.evaluate_handle(
        """() => { const heard = [], { member, room } = document.querySelector("chat-room").dataset
             new BroadcastChannel(`chat:${member}:${room}`).onmessage = ({ data }) => heard.push(data.kind)
             return heard }"""
    )
    await write(one, "Now")
    await until(other, ["Now"])
    await other.wait_for_function("heard => heard.includes('read')", arg=heard)


async def test_a_file_that_did_not_get_through_is_tried_again_by_a_button(visit: Callable, tmp_path):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    page = await visit(alice, f"/chat/{room}")
    await is_live(page)
    await page.wait_for_selector(".say .tray", state="attached")
    tries = []

    async def answer(route) -> None:
        tries.append(route.request.url)
        if len(tries) == 1:
            await route.fulfill(status=503, content_type="application/json", body="{}")
        else:
            await route.continue_()

    await page.route(f"**/chat/{room}/files", answer)
    (tmp_path / "list.txt").write_text("stove\n")
    await page.set_input_files("input[name=files]", str(tmp_path / "list.txt"))
    await page.wait_for_selector(".tray li.failed .again")
    await page.click(".tray li.failed .again")
    await page.wait_for_selector(".tray li.here:not(.failed)")
    await page.click("form.say button.main")
    await page.wait_for_selector(".message.me[data-id]:not(.waiting) .files .paper[href]")
    # What is refused for good has no such button.
    (tmp_path / "bad.exe").write_bytes(b"MZ\0")
    await page.set_input_files("input[name=files]", str(tmp_path / "bad.exe"))
    await page.wait_for_selector(".tray li.failed .meta:has-text('not taken')")
    assert await page.locator(".tray li .again").count() == 0


async def test_who_is_not_signed_in_follows_an_open_room(visit: Callable, chromium: Any):
    alice = await a_member("alice", name="Alice")
    _slug, room = await a_room(alice, visibility="public")
    first = await said(alice, room, "To everybody")
    hers = await visit(alice, "/chat/")
    window = await chromium.new_context(base_url=hers.url.partition("/chat")[0], locale="en")
    page = await window.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    await page.goto(f"/chat/{room}")
    await page.wait_for_selector(".live:has-text('follows by itself')")
    await say(alice, room, "And more")
    await until(page, ["To everybody", "And more"])
    await service.edit(alice.viewer, int(room), first, "To all")
    await page.wait_for_selector(f"#message-{first}:has-text('To all')")
    # The group shuts its doors: nothing more is told.
    await db.execute("UPDATE groups SET visibility = 'closed'")
    await say(alice, room, "Among us")
    await page.wait_for_selector("[data-part=status]:has-text('no longer')")
    assert await page.locator(".message").count() == 2
    assert sockets == [] and complaints == []


async def test_at_a_browser_of_several_people_nobody_says_or_sees_what_another_wrote(visit: Callable):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    _slug, room = await a_room(alice, bob)
    page = await a_page_that_can_be_cut(visit, alice, f"/chat/{room}")
    # Her page sleeps in a tab of its own, while Bob signs in to another one.
    await page.route("**/*", lambda route: route.abort())
    await page.evaluate(ASLEEP)
    await page.wait_for_selector(".live.off")
    await write(page, "From Alice")
    await page.wait_for_function(f"() => ({KEPT})() === 1")
    await page.fill("form.say [name=body]", "Half a sentence of Alice")
    await page.wait_for_function("() => Object.keys(localStorage).some(key => key.startsWith('draft:'))")
    other = await page.context.new_page()
    await page.context.clear_cookies()
    await enter(other, "bob")
    await other.goto(f"/chat/{room}")
    await is_live(other)
    assert await other.input_value("form.say [name=body]") == ""
    assert await other.locator(".message, .unsent").count() == 0
    # It wakes up with his cookie.
    await page.bring_to_front()
    await page.evaluate("() => { window.WebSocket = Awake; dispatchEvent(new Event('pageshow')) }")
    await page.wait_for_selector("[data-part=status]:has-text('signed out')")
    await other.bring_to_front()
    await write(other, "From Bob")
    await other.wait_for_selector(".message.me[data-id]:not(.waiting):has-text('From Bob')")
    assert await db.fetch_val("SELECT array_agg(body) FROM message") == ["From Bob"]
    assert await page.evaluate(KEPT) == 1, "hers waits for her"
