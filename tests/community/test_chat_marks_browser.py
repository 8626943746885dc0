"""What is pinned and shared, in two real browsers."""

import shutil
from collections.abc import Callable

import pytest

from community.chat import files, pins, service
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import is_live, visit  # noqa: F401
from tests.community.test_chat_marks import said
from tests.community.test_media import a_picture
from tests.factories import a_member

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: pins and pictures in a browser were not tested"),
]


async def test_a_pin_shows_above_the_room_while_it_is_open(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    rules = await said(alice, room, "Be kind")
    page = await visit(bob, f"/chat/{room}")
    await is_live(page)
    assert await page.locator(".pinned-bar").count() == 0
    await pins.pin(alice.viewer, int(room), rules)
    await page.wait_for_selector(".pinned-bar >> text=Be kind")
    await service.edit(alice.viewer, int(room), rules, "Be kinder")
    await page.wait_for_selector(".pinned-bar >> text=Be kinder")
    await page.click(".pinned-bar .cut")
    await page.wait_for_selector(f"#message-{rules}:target")
    await is_live(page)
    await pins.unpin(alice.viewer, int(room), rules)
    await page.wait_for_selector(".pinned-bar", state="detached")


async def test_a_picture_is_drawn_for_readers_and_breaks_for_who_was_put_out(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    page = await visit(bob, f"/chat/{room}")
    await is_live(page)
    file = await files.keep(alice.viewer, int(room), "beans.png", a_picture())
    await said(alice, room, "", files=(int(file.id),))
    await page.wait_for_selector(".files img")
    await page.wait_for_function("document.querySelector('.files img').naturalWidth > 0")
    answer = await page.request.get(file.url)
    assert answer.headers["content-type"] == "image/webp"
    outside = await visit(await a_member("carol"), "/")
    assert (await outside.request.get(file.url)).status == 200, "a public room is open to all who can read it"
    _slug, secret = await a_room(alice, visibility="secret")
    hidden = await files.keep(alice.viewer, int(secret), "beans.png", a_picture())
    await said(alice, secret, "", files=(int(hidden.id),))
    assert (await outside.request.get(hidden.url)).status == 404


async def test_an_answer_counts_at_what_it_answers_and_leads_to_the_thread(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    root = await said(alice, room, "Which grinder?")
    page = await visit(bob, f"/chat/{room}")
    await is_live(page)
    link = page.locator(f"#message-{root} .answers")
    assert await link.is_hidden()
    await said(alice, room, "Anybody?", root)
    await page.wait_for_selector(f"#message-{root} .answers >> text=1 answer")
    await said(alice, room, "Hello?", root)
    await page.wait_for_selector(f"#message-{root} .answers >> text=2 answers")
    await page.reload()
    assert await link.inner_text() == "2 answers"
    await link.click()
    await page.wait_for_selector("text=A thread")
    assert await page.locator(".log .message").count() == 3
