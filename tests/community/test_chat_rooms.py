"""Rooms of every kind: one question says who reads them, and a yes that becomes a no counts before the next frame."""

from collections.abc import Callable

import pytest

from app import clock, db, ids
from app.errors import Forbidden, NotFound
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_order import do, say
from tests.factories import Browser, Person, a_member

pytestmark = pytest.mark.anyio


async def a_bare_room(kind: str, *, is_open: bool = False) -> str:
    from community.groups.tables import Room

    room = Room(kind=kind, name="A room", is_open=is_open, seq=0, epoch=ids.new_code(), created_at=clock.now())
    await room.save()
    return str(room.id)


async def seat(room: str, member: Person, state: str = "active", role: str = "member") -> None:
    await db.execute(
        """INSERT INTO room_member (room_id, member_id, role, state, joined_at) VALUES ($1, $2, $3, $4, now())
           ON CONFLICT (room_id, member_id) DO UPDATE SET state = excluded.state""",
        int(room),
        member.id,
        role,
        state,
    )


async def reads(who: Person, room: str) -> bool:
    from community.chat import policy

    try:
        await policy.access_room(who.viewer, int(room))
    except NotFound:
        return False
    return True


async def test_an_open_room_is_read_by_everybody_and_written_by_every_member(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    room = await a_bare_room("product", is_open=True)
    await seat(room, alice, role="host")
    assert (await web().get(f"/api/v1/rooms/{room}/messages")).status_code == 200
    his, hers = await a_line(house, bob), await a_line(house, carol)
    await his.hello(room)
    await hers.hello(room)
    await his.say(room, "Does it rattle?")
    assert (await hers.events(1))[0]["body"] == "Does it rattle?"
    await do(alice, room, "kick", bob)
    assert (await his.next("error", "events"))["type"] == "events", "his own words, said before"
    assert (await his.next("error"))["code"] == "forbidden"
    assert not await reads(bob, room) and await reads(carol, room)
    with pytest.raises(NotFound):
        await say(bob, room)
    await db.execute("UPDATE room_measure SET until = now() - interval '1 second'")
    assert await reads(bob, room)


async def test_two_who_talk_alone_are_read_by_nobody_else_not_even_moderators(house: Callable, web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    mod, admin = await a_member("mod", role="moderator"), await a_member("root-ed", role="admin")
    room = await a_bare_room("direct")
    for member in (alice, bob):
        await seat(room, member)
    await say(alice, room, "Between us")
    for other in (carol, mod, admin):
        assert not await reads(other, room)
        client = web(token=other.token)
        for path in ("", "/messages", "/measures"):
            assert (await client.get(f"/api/v1/rooms/{room}{path}")).status_code == 404, path
        line = await a_line(house, other)
        assert (await line.hello(room))["code"] == "not-found"
    with pytest.raises(Forbidden):
        await do(alice, room, "ban", bob)


@pytest.mark.parametrize(
    ("state", "may_read", "refusal"),
    [("invited", True, Forbidden), ("blocked", True, Forbidden), ("left", False, NotFound)],
)
async def test_a_place_in_a_room_says_what_one_may_there(house: Callable, state: str, may_read: bool, refusal: type):
    alice, bob = await a_member("alice"), await a_member("bob")
    room = await a_bare_room("live")
    await seat(room, alice, role="host")
    await seat(room, bob, state)
    assert await reads(bob, room) is may_read
    with pytest.raises(refusal):
        await say(bob, room)


@pytest.mark.parametrize(
    "how", ["the group closes", "the group is left", "the seat is lost", "the room closes", "a ban"]
)
async def test_whoever_may_no_longer_read_is_not_in_the_next_frame(house: Callable, how: str):
    """However it comes about: the database itself raises the room's version, nobody can forget to."""
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug, room = await a_room(alice, bob)
    if how in ("the seat is lost", "the room closes"):
        room = await a_bare_room("live", is_open=how == "the room closes")
        await seat(room, alice)
        if how == "the seat is lost":
            await seat(room, bob)
    leaver = carol if how == "the group closes" else bob
    if how == "the group is left":
        await db.execute("UPDATE groups SET visibility = 'closed'")
    line, hers = await a_line(house, leaver), await a_line(house, alice)
    await line.hello(room)
    await hers.hello(room)
    await {
        "the group closes": lambda: db.execute("UPDATE groups SET visibility = 'closed' WHERE slug = $1", slug),
        "the group is left": lambda: db.execute("DELETE FROM membership WHERE member_id = $1", bob.id),
        "the seat is lost": lambda: seat(room, bob, "left"),
        "the room closes": lambda: db.execute("UPDATE room SET is_open = false WHERE id = $1", int(room)),
        "a ban": lambda: db.execute(
            """INSERT INTO room_measure (room_id, kind, member_id, seconds, reason, by_id, created_at)
               VALUES ($1, 'ban', $2, 0, 'because', $3, now())""",
            int(room),
            bob.id,
            alice.id,
        ),
    }[how]()
    await say(alice, room, "Among ourselves")
    assert (await hers.events(1))[0]["body"] == "Among ourselves"
    assert (await line.next())["code"] == "forbidden"
    await line.send("ping")
    assert (await line.next())["type"] == "pong"


async def test_who_comes_and_speaks_costs_no_asking_who_reads(house: Callable):
    """Joining takes nothing from anybody: the version stays."""
    from community.groups import service as groups

    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice)
    version = "SELECT access_version FROM room WHERE id = $1"
    before = await db.fetch_val(version, int(room))
    await groups.join(bob.viewer, slug)
    await say(bob, room)
    assert await db.fetch_val(version, int(room)) == before
    await groups.leave(bob.viewer, slug)
    assert await db.fetch_val(version, int(room)) == before + 1
