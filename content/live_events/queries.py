from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.paging import Page, cut, decode
from community.members.queries import AVATAR_URL, as_author
from community.moderation.queries import in_sight
from content.live_events.policy import EVENT, EVENT_OF_ROOM, LISTED
from content.live_events.service import LONGEST

LATE = timedelta(hours=2)
"""So long after its hour an event that never began is still announced."""
SOON = timedelta(days=7)

_PIN = """
    SELECT p.id, p.event_id, p.note, p.pinned_at, p.unpinned_at, x.id AS product_id, x.slug, x.title, x.picture,
           nullif(x.price, 0) AS price, x.currency, x.stock, x.withdrawn_at, x.store_id, x.url
      FROM live_pin p JOIN product x ON x.id = p.product_id"""


async def on_air(viewer: Viewer, *, group_id: int | None = None, limit: int = 6) -> list[asyncpg.Record]:
    """What is live now, for strips on other pages; of one group if asked."""
    return await db.fetch(
        f"""{LISTED} AND e.state = 'live' AND e.went_live_at > $3 AND ($1::bigint IS NULL OR e.group_id = $1)
             ORDER BY e.went_live_at DESC LIMIT {limit:d}""",
        group_id,
        viewer.member_id,
        clock.now() - LONGEST,
    )


async def coming(viewer: Viewer, *, group_id: int | None = None, limit: int = 20) -> list[asyncpg.Record]:
    """What is planned, the next one first."""
    return await db.fetch(
        f"""{LISTED} AND e.state = 'planned' AND e.starts_at > $3 AND ($1::bigint IS NULL OR e.group_id = $1)
             ORDER BY e.starts_at, e.id LIMIT {limit:d}""",
        group_id,
        viewer.member_id,
        clock.now() - LATE,
    )


async def soon(viewer: Viewer, *, group_id: int | None = None, limit: int = 3) -> list[asyncpg.Record]:
    """What is live now, and after it what begins within days: for strips on other pages."""
    return await db.fetch(
        f"""{LISTED} AND ($1::bigint IS NULL OR e.group_id = $1)
               AND (e.state = 'live' AND e.went_live_at > $3
                    OR e.state = 'planned' AND e.starts_at BETWEEN $4 AND $5)
             ORDER BY e.state = 'live' DESC, e.starts_at, e.id LIMIT {limit:d}""",
        group_id,
        viewer.member_id,
        clock.now() - LONGEST,
        clock.now() - LATE,
        clock.now() + SOON,
    )


async def past(
    viewer: Viewer, *, cursor: str | None, group_id: int | None = None, limit: int = 20
) -> Page[asyncpg.Record]:
    """What is over, with its replay, the newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""{LISTED} AND e.state = 'ended' AND ($1::bigint IS NULL OR e.id < $1)
               AND ($3::bigint IS NULL OR e.group_id = $3)
             ORDER BY e.id DESC LIMIT {limit + 1:d}""",
        before,
        viewer.member_id,
        group_id,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def hosted_by(viewer: Viewer) -> list[asyncpg.Record]:
    """The events that the viewer hosts, alone or along, and that are not over."""
    return await db.fetch(
        f"""{EVENT} AND (e.host_id = $1 OR EXISTS (
                   SELECT 1 FROM room_member mine WHERE mine.room_id = e.room_id AND mine.member_id = $1
                      AND mine.role = 'host' AND mine.state = 'active'))
               AND e.state IN ('planned', 'live') ORDER BY e.starts_at LIMIT 50""",
        viewer.member_id,
        viewer.member_id,
    )


async def events_in(viewer: Viewer, state: str | None, *, cursor: str | None, limit: int) -> Page[asyncpg.Record]:
    """All that the viewer may see, the newest first; of one state if asked."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""{LISTED} AND ($1::bigint IS NULL OR e.id < $1) AND ($3::text IS NULL OR e.state = $3)
             ORDER BY e.id DESC LIMIT {limit + 1:d}""",
        before,
        viewer.member_id,
        state,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def pins_up(event_id: int) -> list[asyncpg.Record]:
    """What is held up, the last one first; at the end of an event, what was shown."""
    return await db.fetch(
        f"{_PIN} WHERE p.event_id = $1 AND p.unpinned_at IS NULL ORDER BY p.pinned_at DESC, p.id DESC", event_id
    )


async def pins_shown(event_id: int) -> list[asyncpg.Record]:
    """All that was ever held up, in its order."""
    return await db.fetch(f"{_PIN} WHERE p.event_id = $1 ORDER BY p.pinned_at, p.id LIMIT 500", event_id)


async def questions(event_id: int, viewer: Viewer, *, settled: bool = False) -> list[asyncpg.Record]:
    """The queue, most wanted first; or what was answered, in its order. Withheld and deleted words are not in it."""
    state = "q.answered_at IS NOT NULL" if settled else "q.answered_at IS NULL AND q.dismissed_at IS NULL"
    order = "q.answered_at, q.id" if settled else "q.vote_count DESC, q.id"
    return await db.fetch(
        f"""SELECT q.id, q.message_id, q.vote_count, q.raised_at, q.answered_at, q.asker_id, msg.body, msg.html,
                   msg.seq, {as_author("m")} AS author,
                   EXISTS (SELECT 1 FROM live_question_vote v WHERE v.question_id = q.id AND v.member_id = $2)
                       AS has_voted
              FROM live_question q JOIN message msg ON msg.id = q.message_id JOIN member m ON m.id = q.asker_id
             WHERE q.event_id = $1 AND {state} AND msg.deleted_at IS NULL AND {in_sight("message", "msg.id")}
               AND NOT EXISTS (SELECT 1 FROM member_block b WHERE b.member_id = $2 AND b.blocked_id = q.asker_id)
             ORDER BY {order} LIMIT 100""",
        event_id,
        viewer.member_id,
    )


async def polls(event_id: int, viewer: Viewer, *, only_last: bool = False) -> list[dict[str, Any]]:
    """The polls with their answers and the viewer's own choice, the newest first."""
    rows = await db.fetch(
        f"""SELECT p.id, p.question, p.opened_at, p.closed_at,
                  (SELECT o.position FROM live_poll_vote v JOIN live_poll_option o ON o.id = v.option_id
                    WHERE v.poll_id = p.id AND v.member_id = $2) AS chosen,
                  (SELECT jsonb_agg(jsonb_build_object('place', o.position, 'text', o.text, 'votes', o.vote_count)
                                    ORDER BY o.position) FROM live_poll_option o WHERE o.poll_id = p.id) AS options
             FROM live_poll p WHERE p.event_id = $1 ORDER BY p.id DESC LIMIT {1 if only_last else 100}""",
        event_id,
        viewer.member_id,
    )
    return [{**row, "votes": sum(option["votes"] for option in row["options"])} for row in rows]


async def segments(event_id: int, *, ids: Sequence[int] | None = None) -> list[asyncpg.Record]:
    """The transcript in its order, or these parts of it."""
    return await db.fetch(
        """SELECT id, offset_seconds, body FROM live_segment
            WHERE event_id = $1 AND ($2::bigint[] IS NULL OR id = ANY($2)) ORDER BY offset_seconds, id""",
        event_id,
        None if ids is None else list(ids),
    )


async def event_of_room(room_id: int) -> asyncpg.Record | None:
    """The event as nobody in particular sees it: for what is told to the whole room."""
    return await db.fetch_one(EVENT_OF_ROOM, room_id, None)


async def invited_to(event_id: int) -> list[asyncpg.Record]:
    """Who was asked to host along and has not answered."""
    return await db.fetch(
        f"""SELECT m.id, m.id AS member_id, m.handle, m.name,
                   coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '') AS avatar_url
              FROM live_invite li JOIN member m ON m.id = li.member_id WHERE li.event_id = $1 ORDER BY li.id""",
        event_id,
    )


async def slug_of_room(room_id: int) -> str | None:
    return await db.fetch_val("SELECT slug FROM live_event WHERE room_id = $1", room_id)


async def shown_live(product_id: int, viewer: Viewer) -> list[asyncpg.Record]:
    """Events in which this product is, or was lately, held up: what runs and what comes first."""
    return await db.fetch(
        f"""{LISTED} AND e.state <> 'cancelled'
               AND EXISTS (SELECT 1 FROM live_pin p WHERE p.event_id = e.id AND p.product_id = $1)
             ORDER BY e.state = 'live' DESC, e.state = 'planned' DESC, e.starts_at DESC LIMIT 3""",
        product_id,
        viewer.member_id,
    )


async def events_by_ids(event_ids: Sequence[int]) -> list[asyncpg.Record]:
    """Events in sight that were not called off, with their transcript, as search describes them."""
    return await db.fetch(
        f"""SELECT e.id, e.slug, e.title, e.summary, e.lang, e.group_id, e.state, e.starts_at, e.went_live_at,
                   (SELECT string_agg(s.body, E'\\n' ORDER BY s.offset_seconds, s.id) FROM live_segment s
                     WHERE s.event_id = e.id) AS said
              FROM live_event e
             WHERE e.id = ANY($1::bigint[]) AND e.state <> 'cancelled'
               AND {in_sight("live", "e.id")} AND {in_sight("member", "e.host_id")}""",
        list(event_ids),
    )
