"""Whether a room's history is whole: its sequence without a hole, its counters as its events say."""

import msgspec

from app import db
from app.errors import NotFound

MOST_HOLES = 20


class Complete(msgspec.Struct):
    room: str
    epoch: str
    seq: int
    """Where the room stands."""
    checked: int
    """Up to which event it was looked through."""
    events: int
    errors: list[str]


async def check(room_id: int, *, upto: int | None = None, epoch: str | None = None) -> Complete:
    """Every event up to `upto` is there, once; `epoch` is what a page said it knows of."""
    room = await db.fetch_one("SELECT seq, said, epoch FROM room WHERE id = $1", room_id)
    if room is None:
        raise NotFound()
    last = room["seq"] if upto is None else upto
    found = await db.fetch_one(
        """SELECT count(*) AS events, count(*) FILTER (WHERE kind = 'message') AS said, coalesce(max(seq), 0) AS seq
             FROM room_event WHERE room_id = $1 AND seq <= $2""",
        room_id,
        min(last, room["seq"]),
    )
    assert found is not None
    errors = [f"#{first} to #{until} are missing." for first, until in await _holes(room_id, min(last, room["seq"]))]
    if last > room["seq"]:
        errors.append(f"The page knew #{last}, the room stands at #{room['seq']}.")
    elif found["seq"] < last:
        errors.append(f"The last event is #{found['seq']}, not #{last}.")
    if last == room["seq"] and found["said"] != room["said"]:
        errors.append(f"The room counts {room['said']} messages and holds {found['said']}.")
    if epoch is not None and epoch != room["epoch"]:
        errors.append(f"The page knew epoch {epoch}; a backup was restored since, and this is {room['epoch']}.")
    return Complete(str(room_id), room["epoch"], room["seq"], last, found["events"], errors)


async def _holes(room_id: int, upto: int) -> list[tuple[int, int]]:
    rows = await db.fetch(
        """SELECT before + 1 AS first, seq - 1 AS until
             FROM (SELECT seq, lag(seq, 1, 0::bigint) OVER (ORDER BY seq) AS before
                     FROM room_event WHERE room_id = $1 AND seq <= $2) told
            WHERE seq > before + 1 ORDER BY seq LIMIT $3""",
        room_id,
        upto,
        MOST_HOLES,
    )
    return [(row["first"], row["until"]) for row in rows]
