"""Two people in the same moment: whichever of them comes first, what stands afterwards is what both may expect."""

import asyncio
import contextvars
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Forbidden, Invalid, NotFound, Problem
from community.chat import mentions, reads, service
from community.direct import blocking, requests
from community.direct import policy as direct_policy
from community.direct import service as direct
from community.groups import policy as group_policy
from community.groups import service as groups
from content.live_events import hosts
from content.live_events import service as live_events
from content.live_events.schemas import NewLive
from tests.community.test_chat import a_room
from tests.community.test_chat_marks import said
from tests.community.test_chat_mentions import named_at
from tests.community.test_chat_order import do
from tests.factories import Person, a_member, run_jobs

pytestmark = pytest.mark.anyio


async def answer(message_id: int, who: Person, room: str) -> None:
    await service.send(who.viewer, int(room), uuid.uuid4(), "An answer", message_id)


def meanwhile(
    monkeypatch: pytest.MonkeyPatch, module: object, verb: str, deed: Callable[[], Awaitable]
) -> asyncio.Task:
    """Somebody's deed, begun when `verb` has just answered for the first time; it waits when it has to."""
    usual, begun, may_begin = getattr(module, verb), [], asyncio.Event()

    async def other() -> None:
        await may_begin.wait()
        with_problem = await asyncio.gather(deed(), return_exceptions=True)
        assert with_problem[0] is None or isinstance(with_problem[0], Problem | int), with_problem

    # A context of its own: nothing of the first one's transaction.
    doing = asyncio.get_running_loop().create_task(other(), context=contextvars.Context())

    async def answered(*given: object, **more: object) -> object:
        found = await usual(*given, **more)
        if not begun:
            begun.append(True)
            may_begin.set()
            # As far as it comes by itself: to its end, or to the lock that the first one holds.
            await asyncio.wait({doing}, timeout=0.5)
        return found

    monkeypatch.setattr(module, verb, answered)
    return doing


async def test_words_that_were_refused_take_no_turn_in_a_slow_room(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "Who comes along?")
    await service.delete(alice.viewer, int(room), words)
    await do(alice, room, "slow", seconds=3600)
    with pytest.raises(Invalid):
        await answer(words, bob, room)
    await said(bob, room, "I do")


@pytest.mark.parametrize("then", [None, "Hello @carol"], ids=["taken back", "changed"])
async def test_who_is_called_by_words_that_change_in_that_moment_is_not_called_by_the_old_ones(
    house: Callable, monkeypatch: pytest.MonkeyPatch, then: str | None
):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    words = await said(alice, room, "Hello @bob")

    async def change() -> None:
        if then is None:
            await service.delete(alice.viewer, int(room), words)
        else:
            await service.edit(alice.viewer, int(room), words, then)
            await mentions.tell(words)

    changing = meanwhile(monkeypatch, mentions, "_called", change)
    await run_jobs()
    await changing
    await run_jobs()
    assert await named_at(bob, room) == []
    assert len(await named_at(carol, room)) == (0 if then is None else 1)


async def test_who_is_banned_while_they_join_is_not_in_the_group(house: Callable, monkeypatch: pytest.MonkeyPatch):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice)
    banning = meanwhile(monkeypatch, group_policy, "is_shut_out", lambda: do(alice, room, "ban", bob))
    with suppress(Forbidden):
        await groups.join(bob.viewer, slug)
    await banning
    assert await db.fetch_val("SELECT count(*) FROM membership WHERE member_id = $1", bob.id) == 0
    assert await db.fetch_val("SELECT member_count FROM groups WHERE slug = $1", slug) == 1


async def test_who_is_blocked_while_they_answer_a_request_says_nothing(
    house: Callable, monkeypatch: pytest.MonkeyPatch
):
    alice, bob = await a_member("alice"), await a_member("bob")
    begun = await direct.begin(alice.viewer, [bob.handle], uuid.uuid4(), "Is it still for sale?")
    blocking_now = meanwhile(monkeypatch, direct_policy, "standings", lambda: blocking.block(alice.viewer, bob.handle))
    with pytest.raises(Forbidden):
        await direct.begin(bob.viewer, [alice.handle], uuid.uuid4(), "It is")
    await blocking_now
    assert await db.fetch_val("SELECT said FROM room WHERE id = $1", int(begun.room)) == 1
    with pytest.raises(NotFound):
        await requests.accept(bob.viewer, int(begun.room))


async def test_what_was_read_while_the_database_was_away_is_noted_when_it_is_back(
    house: Callable, monkeypatch: pytest.MonkeyPatch
):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(alice, room, "Read me")
    seq = await db.fetch_val("SELECT seq FROM message WHERE id = $1", words)
    await reads.flush()

    async def away(*_moves: object) -> None:
        raise ConnectionError("the database restarts")

    with monkeypatch.context() as meantime:
        meantime.setattr(reads, "move", away)
        await service.mark_read(bob.viewer, int(room), seq)
        with pytest.raises(ConnectionError):
            await reads.flush()
    await reads.flush()
    pointer = "SELECT seq FROM read_pointer WHERE room_id = $1 AND member_id = $2"
    assert await db.fetch_val(pointer, int(room), bob.id) == seq


async def test_who_hosted_along_and_left_is_kept_in_order_like_anybody(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, _room = await a_room(alice, bob)
    event = await live_events.plan(alice.viewer, NewLive("An evening", clock.now() + timedelta(hours=1), group=slug))
    room = await db.fetch_val("SELECT room_id FROM live_event WHERE slug = $1", event)
    await hosts.invite(alice.viewer, event, bob.handle)
    await hosts.accept(bob.viewer, event)
    with pytest.raises(Forbidden):
        await do(alice, str(room), "silence", bob)
    await groups.leave(bob.viewer, slug)
    await groups.join(bob.viewer, slug)
    await do(alice, str(room), "silence", bob)


async def test_of_a_circle_that_two_leave_at_once_the_third_is_host(house: Callable):
    people = [await a_member() for _ in range(3)]
    await a_room(*people)
    for _again in range(4):
        begun = await direct.begin(people[0].viewer, [one.handle for one in people[1:]], uuid.uuid4(), "A walk?")
        room = int(begun.room)
        await asyncio.gather(*(direct.leave(one.viewer, room) for one in people[:2]))
        rows = await db.fetch("SELECT member_id, role FROM room_member WHERE room_id = $1 AND state = 'active'", room)
        assert [(row["member_id"], row["role"]) for row in rows] == [(people[2].id, "host")]
