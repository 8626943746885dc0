"""Whether the other one has read what one said: where two talk alone, as long as neither of them hides it."""

import asyncio
from collections.abc import Sequence

from app import db
from app.gathered import gathered
from app.live import sockets_of
from app.live_signals import heard, signal
from app.live_socket import Socket

# SQL: `me` and `o` are the two of a room, both in it, and neither hides what they read.
_TWO = """room_member me
          JOIN room_member o ON o.room_id = me.room_id AND o.member_id <> me.member_id AND o.state = 'active'"""
_BOTH_SHOW_IT = """me.state = 'active' AND (SELECT count(*) FROM room_member n WHERE n.room_id = me.room_id) = 2
          AND NOT EXISTS (
              SELECT 1 FROM privacy p WHERE p.member_id IN (me.member_id, o.member_id) AND p.hides_reading)"""


def how_far(room: str, member: str) -> str:
    """SQL: up to which event the other one has read this room of two; null where that is not shown."""
    return f"""(SELECT coalesce(theirs.seq, 0) FROM {_TWO}
          LEFT JOIN read_pointer theirs ON theirs.room_id = o.room_id AND theirs.member_id = o.member_id
         WHERE me.room_id = {room} AND me.member_id = {member} AND {_BOTH_SHOW_IT})"""


@gathered(most=500)
async def read_by_other(asked: list[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """For (room, member): up to which event the other one has read, where they are two and both show it. Who comes back
    in the same moment shares the query."""
    rows = await db.fetch(
        f"""SELECT t.room_id, t.member_id, {how_far("t.room_id", "t.member_id")} AS seq
              FROM unnest($1::bigint[], $2::bigint[]) AS t(room_id, member_id)""",
        [room_id for room_id, _member in asked],
        [member_id for _room, member_id in asked],
    )
    return {(row["room_id"], row["member_id"]): row["seq"] for row in rows if row["seq"]}


async def tell_as_it_stands(socket: Socket, room_ids: Sequence[int]) -> None:
    """To who just came, or comes back: what was read meanwhile in these rooms of direct messages."""
    read = await asyncio.gather(*(read_by_other((room_id, socket.member_id)) for room_id in room_ids))
    for room_id, seq in zip(room_ids, read, strict=True):
        if seq:
            socket.tell("seen", room=str(room_id), seq=seq)


async def tell(moves: Sequence[tuple[int, int, int]]) -> None:
    """Of these (room, member, seq), written down by now: whoever talks alone with one of them hears of it."""
    rows = await db.fetch(
        f"""SELECT o.member_id, me.room_id, mine.seq
              FROM unnest($1::bigint[], $2::bigint[]) AS t(room_id, member_id)
              JOIN room r ON r.id = t.room_id AND r.kind = 'direct'
              JOIN read_pointer mine ON mine.room_id = t.room_id AND mine.member_id = t.member_id
              JOIN {_TWO} ON me.room_id = t.room_id AND me.member_id = t.member_id
             WHERE {_BOTH_SHOW_IT}""",
        [room_id for room_id, _member, _seq in moves],
        [member_id for _room, member_id, _seq in moves],
    )
    for row in rows:
        await signal("seen", f"{row['member_id']}:{row['room_id']}", row["seq"])


@heard("seen")
def hear_seen(key: str, seq: int) -> None:
    member_id, _sign, room_id = key.partition(":")
    for socket in sockets_of(int(member_id)):
        socket.tell("seen", room=room_id, seq=seq)
