"""Two who talk alone in two browsers: a request is answered, both hear each other, a block shuts both composers."""

import re
import uuid
from collections.abc import Callable

import pytest

from app import live_signals
from app.auth import sign
from community.chat import service
from community.direct import blocking
from community.direct import service as direct
from community.groups import service as groups
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import CHROMIUM, is_live, until, visit, write  # noqa: F401
from tests.factories import a_member, run_jobs

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: direct messages were not looked at in a browser"),
]
PHONE = {"viewport": {"width": 390, "height": 780}, "color_scheme": "dark"}


async def test_a_request_becomes_a_conversation_and_ends_with_a_block(visit: Callable):  # noqa: F811
    alice, carol = await a_member("alice", name="Alice A"), await a_member("carol", name="Carol C")
    hers = await visit(carol, "/@alice")
    await hers.get_by_role("link", name="Write").click()
    await hers.fill("[name=body]", "Is it still for sale?")
    await hers.get_by_role("button", name="Ask to talk").click()
    await hers.wait_for_url(re.compile(r"/chat/\d+"))
    await hers.wait_for_selector("text=You can write on here once you are answered.")
    room = re.search(r"/chat/\d+", hers.url)[0]

    his = await visit(alice, "/chat/", **PHONE)
    await his.get_by_text("1 person asks to talk").click()
    await his.get_by_role("button", name="Accept").click()
    await his.wait_for_url(re.compile(room))
    await is_live(his)
    await hers.wait_for_selector(".say textarea")
    await is_live(hers)
    await hers.wait_for_function("() => document.querySelector('.live').textContent.includes('here now')")
    await write(his, "Yes, come by")
    await until(hers, ["Is it still for sale?", "Yes, come by"])
    await write(hers, "On my way")
    await until(his, ["Is it still for sale?", "Yes, come by", "On my way"])

    await his.get_by_label("More about this room").click()
    await his.get_by_role("button", name="Block Carol C").click()
    await his.wait_for_selector("text=You blocked Carol C.")
    await hers.wait_for_selector("text=You cannot write here any more.")
    assert await hers.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await his.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_what_somebody_blocked_says_among_many_opens_when_asked_for(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await service.send(bob.viewer, int(room), uuid.uuid4(), "Before the page")
    await blocking.block(alice.viewer, "bob")
    page = await visit(alice, f"/chat/{room}")
    await is_live(page)
    await service.send(bob.viewer, int(room), uuid.uuid4(), "While it is open")
    await service.send(alice.viewer, int(room), uuid.uuid4(), "Mine")
    log = page.locator(".log")
    await log.get_by_text("Mine", exact=True).wait_for()
    folded = page.locator(".message.unwanted")
    assert await folded.count() == 2
    for words in ("Before the page", "While it is open"):
        assert not await log.get_by_text(words).is_visible()
    await folded.nth(1).focus()
    assert await log.get_by_text("While it is open").is_visible()
    assert not await log.get_by_text("Before the page").is_visible()


async def test_the_list_shows_who_is_here_and_who_begins(visit: Callable, monkeypatch: pytest.MonkeyPatch):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    slug, room = await a_room(alice, bob)
    begun = await direct.begin(bob.viewer, ["alice"], uuid.uuid4(), "Hello")
    hers = await visit(alice, f"/chat/{room}")
    await is_live(hers)
    link = hers.locator(f".rooms a[data-room='{begun.room}']")
    assert "here" not in (await link.get_attribute("class") or "").split()
    his = await visit(bob, f"/chat/{begun.room}")
    await is_live(his)
    await hers.locator(f".rooms a.here[data-room='{begun.room}']").wait_for()
    assert await link.get_attribute("aria-description") == "here now"
    carol = await a_member("carol", name="Carol")
    await groups.join(carol.viewer, slug)
    fresh = await direct.begin(carol.viewer, ["alice"], uuid.uuid4(), "I am new here")
    ours = re.match(r"http://[^/]+", hers.url)[0]
    monkeypatch.setattr(live_signals, "_channel", lambda: "gv:live:" + sign("live-channel", ours)[:16])
    await run_jobs()  # the worker of that server, so to say
    await hers.locator(f".rooms a[data-room='{fresh.room}']").get_by_text("I am new here").wait_for()
    await service.send(carol.viewer, int(fresh.room), uuid.uuid4(), "and go on")
    await hers.locator(f".rooms a[data-room='{fresh.room}']").get_by_text("and go on").wait_for()
    await his.close()
    await hers.locator(f".rooms a[data-room='{begun.room}']:not(.here)").wait_for()


async def test_the_page_of_the_list_keeps_itself_true(visit: Callable):  # noqa: F811
    alice, bob = await a_member("alice"), await a_member("bob", name="Bob")
    await a_room(alice, bob)
    hers = await visit(alice, "/chat/", **PHONE)
    first = hers.locator(".rooms a[data-room]").first
    await first.focus()
    await direct.begin(bob.viewer, ["alice"], uuid.uuid4(), "While you look")
    await hers.get_by_text("While you look").wait_for(timeout=60_000)
    assert await hers.evaluate("document.activeElement.matches('.rooms a[data-room]')"), "the keyboard keeps its place"
