"""The list of rooms beside an open one says at once where one is called."""

import uuid
from typing import Any

from community.chat import reads, service
from tests.browser import chromium as chromium  # a fixture
from tests.browser import enter, in_a_browser
from tests.browser import grapevine as grapevine  # a fixture
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import is_live
from tests.community.test_chat_marks import said
from tests.community.test_chat_pages import say
from tests.factories import a_member, run_jobs

pytestmark = in_a_browser("the list of rooms")


async def test_whoever_is_called_in_another_room_sees_it_in_the_list_at_once(grapevine: str, chromium: Any):
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    (_one, here), (_two, there) = await a_room(alice, bob), await a_room(alice, bob)
    mine = await said(alice, there, "Where is the stove?")
    # That she has read as far as her own words is known to this process for a second, and then to all.
    await reads.flush()
    window = await chromium.new_context(base_url=grapevine, locale="en", viewport={"width": 1280, "height": 800})
    page = await window.new_page()
    await enter(page, "alice")
    await page.goto(f"/chat/{here}")
    await is_live(page)
    other = f".rooms a[data-room='{there}']"
    # What was said before the page listens there comes by its hello.
    await say(bob, there, "Nobody in particular")
    await page.wait_for_selector(f"{other} .count:text-is('1')")
    assert await page.locator(f"{other} .called").count() == 0
    await say(bob, there, "@alice, look")
    await page.wait_for_selector(f"{other} .called:text-is('@1')")
    await page.wait_for_selector(f"{other} .count:not(.called):text-is('2')")
    # An answer calls, too: that comes with its bell, and the server's own numbers.
    await service.send(bob.viewer, int(there), uuid.uuid4(), "In the shed", mine)
    await page.wait_for_selector(f"{other} .count:not(.called):text-is('3')")
    await run_jobs()
    await page.wait_for_selector(f"{other} .called:text-is('@2')")
    await page.wait_for_selector(f"{other} .count:not(.called):text-is('3')")
    # Seen on another device, nothing calls any more.
    second = await page.context.new_page()
    await second.goto(f"/chat/{there}")
    await is_live(second)
    await page.wait_for_selector(f"{other} .count", state="detached")
