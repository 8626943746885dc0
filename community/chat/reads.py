"""How far members have read, where they are named, and which rooms may not disturb them.

Many small moves of a second become one statement; a pointer never goes back. A member's other devices hear of a move
at once.
"""

import asyncio
import contextvars
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime

import asyncpg

from app import db
from app.errors import Problem
from app.live import sockets_of
from app.live_signals import THIS_PROCESS, heard, signal
from app.live_socket import Socket
from community.chat import seen as seen_by_other
from community.notifications.service import seen

# What passes: the database restarts, or two statements waited for each other.
AWAY = (Problem, OSError, asyncpg.InterfaceError, asyncpg.DeadlockDetectedError, *db.AWAY)
FLUSH_SECONDS = 1
TELL_SECONDS = 0.2
# Who is named more often than this in one room between two looks into it knows enough.
MOST_MENTIONS = 100
FOR_EVER = datetime(9999, 12, 31, tzinfo=UTC)

_moves: dict[tuple[int, int], int] = {}
_flushing: asyncio.Task | None = None
# What the member's other devices are to hear: the new pointer, and the socket that said it.
_untold: dict[tuple[int, int], tuple[int, Socket | None]] = {}
_telling: asyncio.Task | None = None


def is_loud(alias: str) -> str:
    """SQL: the member of this read_pointer (an outer join's, perhaps) did not mute the room."""
    return f"coalesce({alias}.muted_until <= now(), true)"


def bell(room_id: int) -> str:
    """The source of the bell that rings while direct messages wait in a room; reading there answers it."""
    return f"direct:{room_id}"


def note(room_id: int, member_id: int, seq: int, *, by: Socket | None = None, tell: bool = True) -> None:
    """The member has seen the room up to here; written down within a second.

    `tell` their other devices, except the one that said so. Who says something is not told: they hear the message.
    """
    global _flushing, _telling
    _moves[room_id, member_id] = max(seq, _moves.get((room_id, member_id), 0))
    if _flushing is None or _flushing.done():
        _flushing = asyncio.get_running_loop().create_task(_flush_soon(), context=contextvars.Context())
    if tell:
        _untold[room_id, member_id] = (_moves[room_id, member_id], by)
        if _telling is None or _telling.done():
            _telling = asyncio.get_running_loop().create_task(_tell_soon(), context=contextvars.Context())


async def flush() -> None:
    """Write down what was noted."""
    moves = [(room_id, member_id, seq) for (room_id, member_id), seq in _moves.items()]
    _moves.clear()
    if moves:
        try:
            await move(moves)
        except AWAY:
            # Nobody says again how far they have read.
            for room_id, member_id, seq in moves:
                _moves[room_id, member_id] = max(seq, _moves.get((room_id, member_id), 0))
            raise
        await seen([(member_id, bell(room_id)) for room_id, member_id, _seq in moves])
        # A hint, which the next look repeats.
        await seen_by_other.tell(moves)


async def move(moves: Sequence[tuple[int, int, int]]) -> None:
    """(room, member, seq): forward only, and never beyond what has happened there.

    The lock waits for a room that is being removed this very moment, and then leaves it out.
    """
    room_ids, member_ids, seqs = zip(*sorted(moves), strict=True)
    await db.execute(
        """INSERT INTO read_pointer (room_id, member_id, seq, said)
           SELECT t.room_id, t.member_id, least(t.seq, r.seq), coalesce(e.said, 0)
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(room_id, member_id, seq)
             JOIN room r ON r.id = t.room_id
             JOIN member m ON m.id = t.member_id
             LEFT JOIN room_event e ON e.room_id = r.id AND e.seq = least(t.seq, r.seq)
              FOR KEY SHARE OF r, m
           ON CONFLICT (room_id, member_id) DO UPDATE
                 SET seq = greatest(read_pointer.seq, excluded.seq),
                     said = greatest(read_pointer.said, excluded.said),
                     mentioned = ARRAY(SELECT place FROM unnest(read_pointer.mentioned) AS place
                                        WHERE place > greatest(read_pointer.seq, excluded.seq))""",
        room_ids,
        member_ids,
        seqs,
    )


async def mention(room_id: int, member_ids: Sequence[int], seq: int) -> None:
    """These members are named at `seq`: it counts for each until they have read that far. Twice counts once."""
    await db.execute(
        """INSERT INTO read_pointer (room_id, member_id, seq, said, mentioned)
           SELECT $1, id, 0, 0, ARRAY[$3::bigint] FROM unnest($2::bigint[]) AS m(id) ORDER BY id
           ON CONFLICT (room_id, member_id) DO UPDATE
                 SET mentioned = CASE WHEN read_pointer.seq >= $3 OR $3 = ANY(read_pointer.mentioned)
                                           OR cardinality(read_pointer.mentioned) >= $4
                                      THEN read_pointer.mentioned ELSE read_pointer.mentioned || $3::bigint END""",
        room_id,
        list(member_ids),
        seq,
        MOST_MENTIONS,
    )


async def take_back_mentions(room_id: int, seq: int) -> None:
    """What named them is gone, or names them no longer."""
    await db.execute(
        """WITH called AS (SELECT id FROM read_pointer WHERE room_id = $1 AND $2 = ANY(mentioned)
                            ORDER BY member_id FOR NO KEY UPDATE)
           UPDATE read_pointer SET mentioned = array_remove(mentioned, $2::bigint)
            WHERE id IN (SELECT id FROM called)""",
        room_id,
        seq,
    )


async def mute(room_id: int, member_id: int, until: datetime | None) -> None:
    """No badge and no bell from this room until then; None: the room may disturb again."""
    await db.execute(
        """INSERT INTO read_pointer (room_id, member_id, seq, said, muted_until) VALUES ($1, $2, 0, 0, $3)
           ON CONFLICT (room_id, member_id) DO UPDATE SET muted_until = excluded.muted_until""",
        room_id,
        member_id,
        until,
    )


async def put_away(room_id: int, member_id: int) -> None:
    """Out of the member's list, and read, until the room holds more messages than now."""
    await db.execute(
        """INSERT INTO read_pointer (room_id, member_id, seq, said, put_away)
           SELECT id, $2, seq, said, said FROM room WHERE id = $1
           ON CONFLICT (room_id, member_id) DO UPDATE
                 SET seq = greatest(read_pointer.seq, excluded.seq), said = greatest(read_pointer.said, excluded.said),
                     put_away = excluded.put_away, mentioned = '{}'""",
        room_id,
        member_id,
    )


async def who_hears(room_id: int, member_ids: Sequence[int]) -> set[int]:
    """Those of these members who did not mute the room."""
    rows = await db.fetch(
        f"""SELECT m.id FROM unnest($2::bigint[]) AS m(id)
              LEFT JOIN read_pointer p ON p.room_id = $1 AND p.member_id = m.id WHERE {is_loud("p")}""",
        room_id,
        list(member_ids),
    )
    return {row["id"] for row in rows}


@heard("read")
def hear_read(key: str, told: tuple[str, int]) -> None:
    process, seq = told
    if process != THIS_PROCESS:
        member_id, _sign, room_id = key.partition(":")
        _tell(int(member_id), int(room_id), seq)


def _tell(member_id: int, room_id: int, seq: int, *, but: Socket | None = None) -> None:
    for socket in sockets_of(member_id):
        if socket is not but:
            socket.tell("read", room=str(room_id), seq=seq)


async def _tell_soon() -> None:
    while _untold:
        await asyncio.sleep(TELL_SECONDS)
        told = list(_untold.items())
        _untold.clear()
        for (room_id, member_id), (seq, by) in told:
            _tell(member_id, room_id, seq, but=by)
            await signal("read", f"{member_id}:{room_id}", (THIS_PROCESS, seq))


async def _flush_soon() -> None:
    while _moves:
        await asyncio.sleep(FLUSH_SECONDS)
        with suppress(*AWAY):
            await flush()
