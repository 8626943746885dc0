"""Group commit: what this process is asked to say within a few milliseconds becomes one transaction.

While one batch commits, the next one gathers; a lone message waits for nothing. Order within a room is order of asking.
"""

import asyncio
import contextvars
import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

import asyncpg

from app import clock, db
from app.errors import NotFound, Unavailable
from app.events import publish_all
from community.chat import feed
from community.chat import files as chat_files
from community.chat import follow_up as follow_ups
from community.chat.events import DirectSaid
from community.chat.verdicts import Batch, Said, Saying, Verdict, judge
from community.groups.policy import readable_rooms

log = logging.getLogger(__name__)

MOST_AT_ONCE = 400
# Beyond this the database is far behind, and a refusal that can be tried again is kinder than a queue.
MOST_WAITING = 20_000


_KNOWN = f"""
    SELECT r.id IS NOT NULL AND {readable_rooms("r", "asked.author_id")} AS may_read,
           coalesce(rm.state, ms.state, CASE WHEN r.is_open THEN 'active' END) = 'active' AS belongs,
           coalesce(rm.role, '') IN ('host', 'moderator') OR coalesce(ms.role, '') IN ('owner', 'moderator') AS runs_it,
           r.kind, r.frozen_at, r.slow_seconds, turn.at AS turn_at,
           r.kind = 'direct' AND NOT EXISTS (
               SELECT 1 FROM room_member o
                WHERE o.room_id = r.id AND o.member_id <> asked.author_id AND o.state = 'active') AS is_alone,
           EXISTS (SELECT 1 FROM room_measure x
                    WHERE x.room_id = r.id AND x.member_id = asked.author_id AND x.kind = 'silence'
                      AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > $5)) AS silenced,
           said.id AS said_id, said.seq AS said_seq, said.fingerprint AS said_fingerprint, reply.id AS reply_id,
           EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = asked.author_id AND s.lifted_at IS NULL
                                               AND (s.until IS NULL OR s.until > $5)) AS suspended
      FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[])
           WITH ORDINALITY AS asked(room_id, author_id, client_id, reply_to, n)
      LEFT JOIN room r ON r.id = asked.room_id
      LEFT JOIN membership ms ON ms.group_id = r.group_id AND ms.member_id = asked.author_id
      LEFT JOIN room_member rm ON rm.room_id = r.id AND rm.member_id = asked.author_id AND rm.state <> 'left'
      LEFT JOIN room_turn turn ON turn.room_id = r.id AND turn.member_id = asked.author_id AND r.slow_seconds > 0
      LEFT JOIN message said ON said.room_id = asked.room_id AND said.author_id = asked.author_id
                            AND said.client_id = asked.client_id
      LEFT JOIN message reply ON reply.id = asked.reply_to AND reply.room_id = asked.room_id
                             AND reply.deleted_at IS NULL
     ORDER BY asked.n"""

_waiting: list[Saying] = []
_writing: asyncio.Task | None = None
# How much this process has written, and at how much it has the tables measured again.
_written, _measure_at = 0, 250
_measuring: asyncio.Task | None = None


def say(
    *,
    room_id: int,
    author_id: int,
    client_id: UUID,
    fingerprint: bytes,
    body: str,
    html: str,
    reply_to: int | None,
    files: Sequence[int] = (),
) -> "asyncio.Future[Verdict]":
    """Queue a message; the future is done after the commit."""
    global _writing
    if len(_waiting) >= MOST_WAITING:
        raise Unavailable()
    result = asyncio.get_running_loop().create_future()
    _waiting.append(Saying(room_id, author_id, client_id, fingerprint, body, html, reply_to, result, list(files)))
    if _writing is None or _writing.done():
        # A context of its own: the asker's transaction, if any, is not ours.
        _writing = asyncio.get_running_loop().create_task(_write_all(), context=contextvars.Context())
    return result


async def _write_all() -> None:
    while _waiting:
        batch = _waiting[:MOST_AT_ONCE]
        del _waiting[:MOST_AT_ONCE]
        await _write(batch)
        _count(len(batch))


def _count(written: int) -> None:
    global _written, _measure_at, _measuring
    _written += written
    if _written >= _measure_at:
        _measure_at *= 4
        _measuring = asyncio.get_running_loop().create_task(_measure(), context=contextvars.Context())


async def _measure() -> None:
    # What reads these tables was planned when they were small, and goes on so until PostgreSQL looks again by itself, a
    # minute later: with 12,000 messages after 30, reading two events took 15 ms instead of 1.
    try:
        await db.execute("ANALYZE message, room_event, room")
    except Exception as error:
        log.info("statistics of chat were not renewed: %s", error)


async def _write(batch: list[Saying]) -> None:
    try:
        outcomes = await _commit(batch)
    except Exception as error:
        if len(batch) > 1 and isinstance(error, asyncpg.DataError | asyncpg.IntegrityConstraintViolationError):
            # One of them is at fault; the others shall not suffer for it.
            for saying in batch:
                await _write([saying])
            return
        # Told without a trace while the database restarts: that is one for every batch.
        is_away = isinstance(error, db.AWAY)
        log.error("%s messages could not be written: %s", len(batch), error, exc_info=None if is_away else error)
        for saying in batch:
            if not saying.result.done():
                saying.result.set_exception(Unavailable())
        return
    for saying, outcome in zip(batch, outcomes, strict=True):
        if not saying.result.done():
            saying.result.set_result(outcome)


async def _commit(batch: list[Saying]) -> list[Verdict]:
    now = clock.now()
    # Plans of a young room's quiet time, those of foreign keys among them, made each message of its first rush read all
    # the others (400 messages: 322 ms instead of 20); and planning anew cost as much as all the rest of a commit.
    async with db.planned_once():
        # Who holds the room's row is alone in it: seq has no holes, and the second of two equal sends sees the first.
        rooms = await db.fetch(
            "SELECT id, seq FROM room WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE",
            list({saying.room_id for saying in batch}),
        )
        facts = await _look_up(batch, now)
        decided = Batch(now, {room["id"]: room["seq"] for room in rooms})
        if brought := [file_id for saying in batch for file_id in saying.files]:
            decided.files = await chat_files.free_among(brought)
        outcomes: list[Verdict | None] = [
            judge(saying, known, decided) for saying, known in zip(batch, facts, strict=True)
        ]
        ids = await _insert(list(decided.new.values()), now) if decided.new else {}
        if decided.turns:
            await _take_turns(decided)
        await follow_ups.follow_up([_as_said(saying, ids[saying.room_id, seq]) for saying, seq in decided.new.values()])
        if decided.direct:
            await publish_all(
                [DirectSaid(room_id=room, author_id=author, seq=seq) for (room, author), seq in decided.direct.items()]
            )
    for position, saying in enumerate(batch):
        if outcomes[position] is None:
            first, seq = decided.new[saying.key]
            outcomes[position] = Said(ids[saying.room_id, seq], seq, is_new=first is saying)
    for room_id in {room_id for room_id, _seq in ids}:
        await feed.room_moved(room_id, decided.seqs[room_id])
    return outcomes  # type: ignore[return-value]


def _as_said(saying: Saying, message_id: int) -> follow_ups.Message:
    return follow_ups.Message(message_id, saying.body, saying.html, saying.reply_to, saying.files)


async def _look_up(batch: list[Saying], now: datetime) -> list[asyncpg.Record]:
    """For each message: its room, its author's place there, and whether it was said before. One query for all."""
    return await db.fetch(
        _KNOWN,
        [saying.room_id for saying in batch],
        [saying.author_id for saying in batch],
        [saying.client_id for saying in batch],
        [saying.reply_to for saying in batch],
        now,
    )


async def _insert(new: list[tuple[Saying, int]], now: datetime) -> dict[tuple[int, int], int]:
    """Write messages, their events and the rooms' new seq in one statement; the message ids by (room, seq)."""
    last_seqs = {
        room_id: max(seq for _r, seq in group)
        for room_id, group in groupby(sorted((saying.room_id, seq) for saying, seq in new), key=lambda pair: pair[0])
    }
    rows = await db.fetch(
        """WITH said AS (
               INSERT INTO message
                   (room_id, author_id, client_id, fingerprint, seq, reply_to_id, body, html, created_at)
               SELECT room_id, author_id, client_id, fingerprint, seq, reply_to, body, html, $9
                 FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bytea[], $5::bigint[], $6::bigint[],
                             $7::text[], $8::text[])
                      AS t(room_id, author_id, client_id, fingerprint, seq, reply_to, body, html)
               RETURNING id, room_id, seq, author_id),
           told AS (
               INSERT INTO room_event (room_id, seq, kind, said, message_id, author_id, data, at)
               SELECT room_id, said.seq, 'message', room.said + said.seq - room.seq, said.id, author_id, '{}', $9
                 FROM said JOIN room ON room.id = room_id),
           moved AS (
               UPDATE room SET said = said + last.seq - room.seq, seq = last.seq
                 FROM unnest($10::bigint[], $11::bigint[]) AS last(room_id, seq) WHERE room.id = last.room_id)
           SELECT id, room_id, seq FROM said""",
        [saying.room_id for saying, _ in new],
        [saying.author_id for saying, _ in new],
        [saying.client_id for saying, _ in new],
        [saying.fingerprint for saying, _ in new],
        [seq for _, seq in new],
        [saying.reply_to for saying, _ in new],
        [saying.body for saying, _ in new],
        [saying.html for saying, _ in new],
        now,
        list(last_seqs),
        list(last_seqs.values()),
    )
    return {(row["room_id"], row["seq"]): row["id"] for row in rows}


async def _take_turns(batch: Batch) -> None:
    room_ids, member_ids = zip(*sorted(batch.turns), strict=True)
    await db.execute(
        """INSERT INTO room_turn (room_id, member_id, at)
           SELECT room_id, member_id, $3 FROM unnest($1::bigint[], $2::bigint[]) AS t(room_id, member_id)
           ON CONFLICT (room_id, member_id) DO UPDATE SET at = excluded.at""",
        room_ids,
        member_ids,
        batch.now,
    )


async def append(
    room_id: int,
    kind: str,
    *,
    message_id: int | None = None,
    author_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> int:
    """The next event of the room, in the caller's transaction; its seq. It locks the room; listeners hear after the
    commit. `data` is what every reader may see of it."""
    moved = await db.fetch_one("UPDATE room SET seq = seq + 1 WHERE id = $1 RETURNING seq, said", room_id)
    if moved is None:
        raise NotFound()
    seq: int = moved["seq"]
    await db.execute(
        """INSERT INTO room_event (room_id, seq, kind, said, message_id, author_id, data, at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)""",
        room_id,
        seq,
        kind,
        moved["said"],
        message_id,
        author_id,
        data or {},
        clock.now(),
    )
    db.after_commit(lambda: feed.room_moved(room_id, seq))
    return seq
