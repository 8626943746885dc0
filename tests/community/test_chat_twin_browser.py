"""A page that was open all the while looks like one opened now, whatever was said, changed, marked and taken back."""

import random
import uuid
from collections.abc import Callable

import pytest

from app import db
from community.chat import service
from tests.community.chat_machine import Room
from tests.community.test_chat import a_room
from tests.community.test_chat_browser import CHROMIUM, is_live, visit  # noqa: F401
from tests.factories import a_member

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.journey,
    pytest.mark.skipif(not CHROMIUM, reason="NO CHROMIUM: the browser side of chat was not tested"),
]

DEEDS = ["say", "say", "say", "answer", "edit", "edit", "delete", "react", "react", "react", "pin", "unpin"]
# What a person sees of each line of the room, in order.
SEEN = """() => [...document.querySelectorAll(".log > .message, .log > .event")].map((line) => {
  const text = (selector) => [...line.querySelectorAll(selector)]
    .filter((one) => !one.hidden && !one.closest("[hidden]")).map((one) => one.textContent.replace(/\\s+/g, " ").trim())
  return {
    id: line.dataset.id, seq: line.dataset.seq, kind: line.classList.contains("message") ? "message" : "event",
    same: line.classList.contains("same"), me: line.classList.contains("me"), by: text(".by a"),
    bubble: text(".bubble"), gone: Boolean(line.querySelector(".bubble.gone")), edited: text(".edited"),
    quoted: text(".quoted"), signs: text(".signs"), answers: text(".answers"), menu: text(".menu .sheet > a"),
    said: line.classList.contains("event") ? line.textContent.trim() : "",
  }
})"""
PINNED = "() => document.querySelector('chat-pins').textContent.replace(/\\s+/g, ' ').trim()"


def differences(seen: dict, fresh: dict) -> dict:
    """What the open page shows of a line, beside what a new one shows, where they differ."""
    differing = {name: (seen[name], fresh[name]) for name in fresh if seen[name] != fresh[name]}
    return {"line": fresh["id"] or fresh["seq"], **differing} if differing else {}


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_a_page_that_heard_it_all_looks_like_one_opened_now(
    visit: Callable,  # noqa: F811
    house: Callable,
    seed: int,
):
    chance = random.Random(seed)
    people = [await a_member("alice", name="Alice"), await a_member("bob", name="Bob"), await a_member("carol")]
    slug, room_id = await a_room(people[0], *people[1:])
    room = Room(house, people, slug, room_id)

    async def say(who: int, pick: int, reply_to: int | None = None) -> None:
        await service.send(people[who].viewer, room.id, uuid.uuid4(), f"{who} *says* {pick}", reply_to)

    async def answer(who: int, pick: int) -> None:
        message_id = await room.a_message(pick)
        told = await db.fetch_val("SELECT deleted_at FROM message WHERE id = $1", message_id) if message_id else None
        await say(who, pick, message_id if told is None else None)

    await say(0, 0)
    open_page = await visit(people[1], f"/chat/{room_id}")
    await is_live(open_page)
    for number in range(40):
        who, pick = chance.randrange(3), chance.randrange(10)
        deed = chance.choice(DEEDS)
        await {"say": say, "answer": answer}.get(deed, getattr(room, deed))(who, pick)
        await room.finish_deeds()
        if number in (15, 25):
            await open_page.context.set_offline(number == 15)
    await say(0, 99)
    last = await db.fetch_val("SELECT seq FROM message WHERE room_id = $1 ORDER BY seq DESC LIMIT 1", room.id)
    await open_page.wait_for_selector(f".log .message[data-seq='{last}']")
    seen = await open_page.evaluate(SEEN)
    new_page = await visit(people[1], f"/chat/{room_id}")
    await is_live(new_page)
    fresh = await new_page.evaluate(SEEN)
    assert len(fresh) > 10 and sum(line["gone"] for line in fresh) > 0 and any(line["signs"] for line in fresh)
    assert [differences(*pair) for pair in zip(seen, fresh, strict=True) if differences(*pair)] == []
    # The bar of pins is asked for anew a moment after it changed.
    await open_page.wait_for_function(f"pinned => ({PINNED})() === pinned", arg=await new_page.evaluate(PINNED))
