"""The room behind proxies that have something against sockets: it asks instead, does everything, and comes back."""

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from app import db
from community.chat import service
from tests.browser import PATIENCE_MS, enter, in_a_browser
from tests.browser import chromium as chromium  # a fixture
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import is_live, until, write
from tests.community.test_chat_client_browser import numbers_in
from tests.community.test_chat_marks import said
from tests.community.test_chat_pages import say
from tests.factories import a_member
from tests.lines import a_real_server, free_port
from tests.walls import a_proxy

pytestmark = in_a_browser("the room behind proxies")

POLLS = ".live:has-text('slow connection')"


async def test_behind_a_proxy_against_sockets_everything_goes_by_asking(house: Callable, chromium: Any, tmp_path):
    alice, bob = await a_member("alice", name="Alice"), await a_member("bob", name="Bob")
    (_slug, room), (_other, beside) = await a_room(alice, bob), await a_room(alice, bob)
    await say(alice, beside, "Beside")
    first = await said(alice, room, "First")
    port = free_port()
    async with a_proxy(port) as (door, wall), a_real_server(port, GRAPEVINE_BASE_URL=f"http://127.0.0.1:{door}"):
        window = await chromium.new_context(
            base_url=f"http://127.0.0.1:{door}", locale="en", viewport={"width": 1280, "height": 800}
        )
        window.set_default_timeout(PATIENCE_MS)
        page = await window.new_page()
        await enter(page, "bob")
        await page.goto(f"/chat/{room}")
        await page.wait_for_selector(POLLS)
        assert wall.met >= 3

        # Words, both ways.
        await say(alice, room, "Through the wall")
        await until(page, ["First", "Through the wall"])
        await write(page, "And back")
        await until(page, ["First", "Through the wall", "And back"])
        await page.wait_for_function("() => !document.querySelector('.message.waiting')")
        # How far one has read is told without a socket, too.
        last = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
        await until_read(bob.id, room, last)
        # Changes, signs and deletions of others arrive.
        await service.edit(alice.viewer, int(room), first, "First, changed")
        await page.wait_for_selector(f"#message-{first} .edited:visible")
        await page.wait_for_selector(f"#message-{first}:has-text('First, changed')")
        # One's own sign goes by its form and is seen.
        await page.hover(f"#message-{first}")
        await page.click(f"#message-{first} .more summary")
        await page.click(f"#message-{first} .signs button[value='👍']")
        await page.wait_for_selector(f"#message-{first} .reactions .reaction[aria-pressed=true]")
        # A file.
        (tmp_path / "list.txt").write_text("stove\n")
        await page.set_input_files("input[name=files]", str(tmp_path / "list.txt"))
        await page.wait_for_selector(".tray li.here")
        await page.click("form.say button.main")
        await page.wait_for_selector(".message.me[data-id]:not(.waiting) .files .paper")
        await service.delete(alice.viewer, int(room), first)
        await page.wait_for_selector(f"#message-{first} .bubble.gone")
        # The list beside is asked for anew now and then.
        await say(alice, beside, "News beside")
        await page.wait_for_selector(f".rooms a[data-room='{beside}']:has-text('News beside')", timeout=60_000)
        assert await page.get_attribute(f".rooms a[data-room='{room}']", "aria-current") == "page"

        # A backup was restored: what this page knew is another past.
        await service.send(alice.viewer, int(room), uuid.uuid4(), "Soon forgotten")
        await page.wait_for_selector(".message:has-text('Soon forgotten')")
        seq = await db.fetch_val("SELECT max(seq) FROM room_event WHERE room_id = $1", int(room))
        await db.execute("DELETE FROM room_event WHERE room_id = $1 AND seq = $2", int(room), seq)
        await db.execute("UPDATE room SET seq = seq - 1, epoch = 'restored' WHERE id = $1", int(room))
        await page.wait_for_function("() => !document.querySelector('.log').innerText.includes('Soon forgotten')")
        await say(alice, room, "After it all")
        await page.wait_for_selector(".message:has-text('After it all')")

        wall.against_sockets = ""
        await page.evaluate("dispatchEvent(new Event('online'))")
        await is_live(page)
        await say(alice, room, "Free again")
        await page.wait_for_selector(".message:has-text('Free again')")
        assert await numbers_in(page) == sorted(set(await numbers_in(page)))

        # Proxies that say nothing at all are found out as well, within a quarter of a minute.
        for against in ("swallow", "mute"):
            wall.against_sockets = against
            await page.reload()
            await page.wait_for_selector(POLLS, timeout=15_000)
            await write(page, f"Despite {against}")
            await page.wait_for_selector(f".message.me[data-id]:not(.waiting):has-text('Despite {against}')")
            wall.against_sockets = ""
            await page.wait_for_timeout(2_100)  # Who has only just tried does not try again because a network came.
            await page.evaluate("dispatchEvent(new Event('online'))")
            await is_live(page)
        await window.close()


async def until_read(member_id: int, room: str, seq: int) -> None:
    """Until the member's pointer is there."""
    async with asyncio.timeout(30):
        while True:
            at = await db.fetch_val(
                "SELECT seq FROM read_pointer WHERE member_id = $1 AND room_id = $2", member_id, int(room)
            )
            if (at or 0) >= seq:
                return
            await asyncio.sleep(0.1)
