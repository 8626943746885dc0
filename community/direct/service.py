"""Direct messages: the first words to somebody, and the rooms they open. Everything after that is chat."""

from uuid import UUID

import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound
from app.i18n import gettext as _
from app.text import clean
from community.chat import service as chat
from community.chat import writer
from community.chat.schemas import LONGEST_MESSAGE
from community.direct import policy
from community.direct.policy import Standing
from community.direct.schemas import MOST_IN_A_CIRCLE, Begun
from community.groups.tables import Room


async def begin(viewer: Viewer, handles: list[str], client_id: UUID, body: str, name: str = "") -> Begun:
    """Say the first words to one member, or to a few. Who has talked to them before goes on in the same room.

    The same `client_id` again says nothing twice: one lands in the same pair's room, and a circle carries the id.
    """
    member_id = require_member(viewer)
    body = clean(body, "body", least=1, most=LONGEST_MESSAGE, lines=True)
    others = await policy.standings(viewer, handles)
    if len(others) >= MOST_IN_A_CIRCLE:
        raise Invalid("to", _("At most %(n)s people in all.", n=MOST_IN_A_CIRCLE))
    if len(others) == 1:
        room_id = await _room_of_two(viewer, others[0])
    else:
        room_id = await _circle(viewer, others, clean(name, "name", most=80), client_id)
    said = await chat.send(viewer, room_id, client_id, body)
    return Begun(str(room_id), str(said.id), said.seq, waits=await is_unanswered(room_id, member_id))


async def is_unanswered(room_id: int, member_id: int) -> bool:
    """Whether nobody else has come into the room yet."""
    return not await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM room_member WHERE room_id = $1 AND member_id <> $2 AND state = 'active')",
        room_id,
        member_id,
    )


async def _room_of_two(viewer: Viewer, other: Standing) -> int:
    member_id = require_member(viewer)
    if other.way == "no":
        raise policy.refusal(other)
    if other.room_id is not None:
        await _answer_by_writing(viewer, other, other.room_id)
        return other.room_id
    if other.way == "open":
        await policy.require_room_to_begin(member_id)
    try:
        async with db.transaction():
            await policy.alone_with(member_id, other.id)
            (other,) = await policy.standings(viewer, [other.handle])
            if other.way == "no":
                raise policy.refusal(other)
            if other.way == "ask":
                await policy.require_room_to_ask(member_id)
            room_id = await _open_room("")
            await db.execute(
                """INSERT INTO direct_pair (room_id, low_id, high_id, asked_by_id, answer, created_at)
                   VALUES ($1, least($2::bigint, $3), greatest($2::bigint, $3), $4, '', $5)""",
                room_id,
                member_id,
                other.id,
                member_id if other.way == "ask" else None,
                clock.now(),
            )
            await _seat(room_id, member_id, "member", "active")
            await _seat(room_id, other.id, "member", "invited" if other.way == "ask" else "active")
        return room_id
    except asyncpg.UniqueViolationError:
        # Both began at the same moment. Theirs came first; going on there answers it.
        theirs = await policy.room_of_two(member_id, other.id)
        assert theirs is not None
        await _answer_by_writing(viewer, other, theirs)
        return theirs


async def _answer_by_writing(viewer: Viewer, other: Standing, room_id: int) -> None:
    """Who was asked, or had declined, and now writes, has accepted; unless one of them blocks the other just now."""
    member_id = require_member(viewer)
    if await db.fetch_val(
        "SELECT state NOT IN ('invited', 'left') FROM room_member WHERE room_id = $1 AND member_id = $2",
        room_id,
        member_id,
    ):
        return
    async with db.transaction():
        await policy.alone_with(member_id, other.id)
        (other,) = await policy.standings(viewer, [other.handle])
        if other.way == "no":
            raise policy.refusal(other)
        accepted = await db.execute(
            """UPDATE room_member SET state = 'active'
                WHERE room_id = $1 AND member_id = $2 AND state IN ('invited', 'left')""",
            room_id,
            member_id,
        )
        if accepted:
            await db.execute(
                "UPDATE direct_pair SET answer = 'accepted', answered_at = $2 WHERE room_id = $1", room_id, clock.now()
            )


async def _circle(viewer: Viewer, others: list[Standing], name: str, client_id: UUID) -> int:
    """A room for a few, of people whom the one who begins it may write to at once."""
    member_id = require_member(viewer)
    begun = await db.fetch_val(
        """SELECT m.room_id FROM room_member rm JOIN room r ON r.id = rm.room_id AND r.kind = 'direct'
             JOIN message m ON m.room_id = r.id AND m.author_id = $1 AND m.client_id = $2
            WHERE rm.member_id = $1""",
        member_id,
        client_id,
    )
    if begun:
        return begun
    _require_open(others)
    await policy.require_room_to_begin(member_id, len(others))
    async with db.transaction():
        # In one order, whoever else begins or blocks in the same moment.
        for other in sorted(others, key=lambda other: other.id):
            await policy.alone_with(member_id, other.id)
        _require_open(await policy.standings(viewer, [other.handle for other in others]))
        room_id = await _open_room(name)
        await _seat(room_id, member_id, "host", "active")
        for other in others:
            await _seat(room_id, other.id, "member", "active")
    return room_id


def _require_open(others: list[Standing]) -> None:
    if closed := [other for other in others if other.way == "no"]:
        raise policy.refusal(closed[0])
    if strangers := [other for other in others if other.way == "ask"]:
        raise Invalid(
            "to", _("@%(handle)s does not know you yet. Write to them alone first.", handle=strangers[0].handle)
        )


async def _open_room(name: str) -> int:
    room = Room(kind="direct", name=name, seq=0, epoch=ids.new_code(), created_at=clock.now())
    await room.save()
    return room.id


async def _seat(room_id: int, member_id: int, role: str, state: str) -> None:
    await db.execute(
        "INSERT INTO room_member (room_id, member_id, role, state, joined_at) VALUES ($1, $2, $3, $4, $5)",
        room_id,
        member_id,
        role,
        state,
        clock.now(),
    )


async def partner_in(viewer: Viewer, room_id: int) -> str:
    """The handle of the other one in a room of two."""
    handle = await db.fetch_val(
        """SELECT m.handle FROM direct_pair p JOIN member m ON m.id IN (p.low_id, p.high_id) AND m.id <> $2
            WHERE p.room_id = $1 AND $2::bigint IN (p.low_id, p.high_id)""",
        room_id,
        require_member(viewer),
    )
    if handle is None:
        raise NotFound()
    return handle


async def leave(viewer: Viewer, room_id: int) -> None:
    """Leave a circle, for good: who is added later would read what was said before, so nobody is. Its host hands over
    to who has been there longest. Two who talk alone block each other instead."""
    member_id = require_member(viewer)
    place = await policy.access_place(viewer, room_id)
    if place["pair_id"] is not None:
        raise Conflict(_("You two talk alone. Mute or block, if you have had enough."))
    async with db.transaction():
        # Who leaves takes turns with whom they would hand over to.
        await db.execute("SELECT 1 FROM room WHERE id = $1 FOR NO KEY UPDATE", room_id)
        place = await policy.access_place(viewer, room_id)
        left = await db.execute(
            """UPDATE room_member SET state = 'left', role = 'member'
                WHERE room_id = $1 AND member_id = $2 AND state <> 'left'""",
            room_id,
            member_id,
        )
        if not left:
            raise NotFound()
        if place["role"] == "host":
            await db.execute(
                """UPDATE room_member SET role = 'host' WHERE id = (
                       SELECT min(id) FROM room_member WHERE room_id = $1 AND state = 'active')""",
                room_id,
            )
        await writer.append(room_id, "leave", author_id=member_id)
