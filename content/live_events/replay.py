"""An event again, with its times: what was said, shown, asked, answered and voted, by seconds since it went live.

It is the room's own sequence from `first_seq` to `last_seq`, with the transcript laid in between.
"""

from datetime import datetime, timedelta
from typing import Any

import asyncpg

from app import db
from app.paging import Page, cut, decode
from community.members.queries import as_author
from community.moderation.queries import in_sight

# A message that was raised is shown once, as the question. Votes, stock and prices of the moment are no marks.
_MARKS = f"""
    SELECT e.seq, e.at, coalesce(kinds.kind, 'message') AS kind, e.data, msg.id AS message_id,
           CASE WHEN {in_sight("message", "msg.id")} THEN msg.html ELSE '' END AS html,
           CASE WHEN {in_sight("message", "msg.id")} THEN msg.body ELSE '' END AS body,
           {as_author("m")} AS author, pin.note, x.title AS product_title, x.slug AS product_slug, x.picture,
           poll.question AS poll_question, q.id AS question_id, q.vote_count
      FROM room_event e
      LEFT JOIN LATERAL (
          SELECT CASE e.data->>'what'
                 WHEN 'pin' THEN 'pin' WHEN 'unpin' THEN 'unpin'
                 WHEN 'poll' THEN CASE e.data->>'state' WHEN 'open' THEN 'poll' ELSE 'result' END
                 WHEN 'question' THEN CASE e.data->>'state' WHEN 'answered' THEN 'answer' END END AS kind
           WHERE e.kind = 'room') kinds ON true
      LEFT JOIN live_pin pin ON pin.id = CASE WHEN kinds.kind IN ('pin', 'unpin') THEN (e.data->>'pin')::bigint END
      LEFT JOIN product x ON x.id = pin.product_id
      LEFT JOIN live_poll poll
             ON poll.id = CASE WHEN kinds.kind IN ('poll', 'result') THEN (e.data->>'poll')::bigint END
      LEFT JOIN live_question answered
             ON answered.id = CASE WHEN kinds.kind = 'answer' THEN (e.data->>'question')::bigint END
      LEFT JOIN message msg ON msg.id = coalesce(e.message_id, answered.message_id) AND msg.deleted_at IS NULL
      LEFT JOIN live_question q ON q.message_id = msg.id
      LEFT JOIN member m ON m.id = coalesce(msg.author_id, e.author_id)
     WHERE e.room_id = $1 AND e.seq BETWEEN $2 AND $3
       AND (kinds.kind IS NOT NULL OR (e.kind = 'message' AND msg.id IS NOT NULL))"""
# Where the next stretch goes on: before everything of a second, behind some words, behind some event.
BEFORE, WORDS, EVENT = -1, 0, 1


async def replay_of(
    event: asyncpg.Record, *, cursor: str | None, since: int = 0, limit: int = 100
) -> Page[dict[str, Any]]:
    """A stretch of it, from `since` seconds on or where the last one ended.

    In order of (second, words before events, number): what was said stands before what was shown at that second.
    """
    if event["first_seq"] is None:
        return Page([])
    second, source, number = decode(cursor, (int, int, int)) or (since, BEFORE, 0)
    told = await db.fetch(
        f"""{_MARKS} AND CASE WHEN $4 = {EVENT} THEN e.seq > $5 ELSE e.at >= $6 END
             ORDER BY e.seq LIMIT {limit + 1:d}""",
        event["room_id"],
        event["first_seq"],
        event["last_seq"] or 2**53,
        source,
        number,
        event["went_live_at"] + timedelta(seconds=second),
    )
    said = await db.fetch(
        f"""SELECT id, offset_seconds AS offset, body FROM live_segment
             WHERE event_id = $1 AND (offset_seconds > $2 OR (offset_seconds = $2 AND $3 < {EVENT} AND id > $4))
             ORDER BY offset_seconds, id LIMIT {limit + 1:d}""",
        event["id"],
        second,
        source,
        number,
    )
    stream = [{**row, "kind": "said", "author": None, "place": (row["offset"], WORDS, row["id"])} for row in said]
    for row in told:
        mark = _mark(event, row)
        stream.append({**mark, "place": (mark["offset"], EVENT, row["seq"])})
    return cut(sorted(stream, key=lambda one: one["place"]), limit, lambda one: one["place"])


async def marks_of(event: asyncpg.Record) -> list[dict[str, Any]]:
    """Its contents: products, answers and polls, without the talk."""
    if event["first_seq"] is None:
        return []
    rows = await db.fetch(
        f"""{_MARKS} AND kinds.kind IN ('pin', 'answer', 'poll') ORDER BY e.seq LIMIT 500""",
        event["room_id"],
        event["first_seq"],
        event["last_seq"] or 2**53,
    )
    marks = [_mark(event, row) for row in rows]
    before = await db.fetch(
        """SELECT p.id, p.note, x.title AS product_title, x.slug AS product_slug, x.picture
             FROM live_pin p JOIN product x ON x.id = p.product_id
            WHERE p.event_id = $1 AND p.pinned_at < $2 AND (p.unpinned_at IS NULL OR p.unpinned_at > $2)
            ORDER BY p.pinned_at, p.id""",
        event["id"],
        event["went_live_at"],
    )
    prepared = [{**row, "kind": "pin", "offset": 0, "body": "", "author": None} for row in before]
    return prepared + marks


def offset_of(event: asyncpg.Record, at: datetime) -> int:
    return max(0, int((at - event["went_live_at"]).total_seconds()))


def length_of(event: asyncpg.Record) -> int:
    return offset_of(event, event["ended_at"]) if event["ended_at"] else 0


def _mark(event: asyncpg.Record, row: asyncpg.Record) -> dict[str, Any]:
    kind = "question" if row["kind"] == "message" and row["question_id"] else row["kind"]
    return {**row, "kind": kind, "offset": offset_of(event, row["at"])}
