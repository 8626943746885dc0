"""How far members have read. Many small moves of a second become one statement; a pointer never goes back."""

import asyncio
import contextvars
from collections.abc import Sequence
from contextlib import suppress

from app import db
from app.errors import Problem

FLUSH_SECONDS = 1

_moves: dict[tuple[int, int], int] = {}
_flushing: asyncio.Task | None = None


def note(room_id: int, member_id: int, seq: int) -> None:
    """The member has seen the room up to here; written down within a second."""
    global _flushing
    _moves[room_id, member_id] = max(seq, _moves.get((room_id, member_id), 0))
    if _flushing is None or _flushing.done():
        _flushing = asyncio.get_running_loop().create_task(_flush_soon(), context=contextvars.Context())


async def flush() -> None:
    """Write down what was noted."""
    moves = [(room_id, member_id, seq) for (room_id, member_id), seq in _moves.items()]
    _moves.clear()
    if moves:
        await move(moves)


async def move(moves: Sequence[tuple[int, int, int]]) -> None:
    """(room, member, seq): forward only, and never beyond what has happened there.

    The lock waits for a room that is being removed this very moment, and then leaves it out.
    """
    room_ids, member_ids, seqs = zip(*sorted(moves), strict=True)
    await db.execute(
        """INSERT INTO read_pointer (room_id, member_id, seq)
           SELECT t.room_id, t.member_id, least(t.seq, r.seq)
             FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t(room_id, member_id, seq)
             JOIN room r ON r.id = t.room_id
             JOIN member m ON m.id = t.member_id
              FOR KEY SHARE OF r, m
           ON CONFLICT (room_id, member_id) DO UPDATE SET seq = greatest(read_pointer.seq, excluded.seq)""",
        room_ids,
        member_ids,
        seqs,
    )


async def _flush_soon() -> None:
    while _moves:
        await asyncio.sleep(FLUSH_SECONDS)
        with suppress(Problem, OSError):
            await flush()
