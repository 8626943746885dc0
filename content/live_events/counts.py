"""Votes are counted at once and told at most once a second, so that a thousand voters do not make a thousand events."""

from datetime import timedelta

import asyncpg

from app import clock, db, jobs
from community.chat import writer

PAUSE = timedelta(seconds=1)


async def tell_soon(event: asyncpg.Record) -> None:
    """In the voter's transaction: tell the room now, or, when it was told just now, have a job do it in a second."""
    if await db.execute(
        "UPDATE live_event SET counted_at = $2 WHERE id = $1 AND (counted_at IS NULL OR counted_at < $3)",
        event["id"],
        clock.now(),
        clock.now() - PAUSE,
    ):
        await _tell(event["id"], event["room_id"])
    elif await db.execute("UPDATE live_event SET counts_due = true WHERE id = $1 AND NOT counts_due", event["id"]):
        await jobs.enqueue_one(tell_late, str(event["id"]).encode(), after=PAUSE)


@jobs.job
async def tell_late(payload: bytes) -> None:
    """What was voted while the room had just been told."""
    async with db.transaction():
        room_id = await db.fetch_val(
            "UPDATE live_event SET counts_due = false, counted_at = $2 WHERE id = $1 AND counts_due RETURNING room_id",
            int(payload),
            clock.now(),
        )
        if room_id is not None:
            await _tell(int(payload), room_id)


async def _tell(event_id: int, room_id: int) -> None:
    # Alone with the room first: what is read after that is what stands there when the event is written.
    await db.execute("SELECT 1 FROM room WHERE id = $1 FOR NO KEY UPDATE", room_id)
    options = await db.fetch(
        """SELECT o.poll_id, o.vote_count FROM live_poll p JOIN live_poll_option o ON o.poll_id = p.id
            WHERE p.event_id = $1 AND p.closed_at IS NULL ORDER BY o.position""",
        event_id,
    )
    questions = await db.fetch(
        """SELECT id, vote_count FROM live_question
            WHERE event_id = $1 AND answered_at IS NULL AND dismissed_at IS NULL AND vote_count > 0
            ORDER BY vote_count DESC, id LIMIT 50""",
        event_id,
    )
    data: dict = {"what": "counts", "questions": {str(row["id"]): row["vote_count"] for row in questions}}
    if options:
        data["poll"] = {"id": str(options[0]["poll_id"]), "counts": [row["vote_count"] for row in options]}
    await writer.append(room_id, "room", data=data)
