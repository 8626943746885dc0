import asyncpg

from app import db
from app.paging import Page, cut, decode
from community.members.queries import as_author


def in_sight(kind: str, subject_id: str) -> str:
    """SQL: moderators have not hidden this subject. Every list says so, as it says `readable_groups`."""
    return f"NOT EXISTS (SELECT 1 FROM hiding hid WHERE hid.subject_kind = '{kind}' AND hid.subject_id = {subject_id})"


# A case with its author and what was reported, in one row: the queue shows many.
CASE = f"""
    SELECT c.id, c.subject_kind, c.subject_id, c.url, c.excerpt, c.around, c.opened_at, c.state, c.decided_at, c.reason,
           c.author_id, CASE WHEN a.id IS NOT NULL THEN {as_author("a")} END AS author,
           d.handle AS decider_handle, d.name AS decider_name,
           (SELECT count(*) FROM hiding h JOIN moderation_case x ON x.id = h.case_id
             WHERE x.author_id = c.author_id) AS hidden_before,
           EXISTS (SELECT 1 FROM hiding h WHERE h.subject_kind = c.subject_kind AND h.subject_id = c.subject_id)
               AS is_hidden,
           coalesce(f.reports, '[]'::jsonb) AS reports
      FROM moderation_case c
      LEFT JOIN member a ON a.id = c.author_id
      LEFT JOIN member d ON d.id = c.decided_by_id
      LEFT JOIN LATERAL (
          SELECT jsonb_agg(jsonb_build_object('reason', reason, 'note', note, 'handle', handle) ORDER BY id) AS reports
            FROM (SELECT f.id, f.reason, f.note, r.handle FROM flag f JOIN member r ON r.id = f.reporter_id
                   WHERE f.case_id = c.id ORDER BY f.id LIMIT 50) few) f ON true
"""


async def open_cases(*, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """The queue: what waits longest comes first."""
    after = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(f"{CASE} WHERE c.state = 'open' AND c.id > $1 ORDER BY c.id LIMIT $2", *after, limit + 1)
    return cut(rows, limit, lambda row: (row["id"],))


async def decided_cases(*, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """What was decided, the newest case first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"{CASE} WHERE c.state <> 'open' AND ($1::bigint IS NULL OR c.id < $1) ORDER BY c.id DESC LIMIT $2",
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def case(case_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(f"{CASE} WHERE c.id = $1", case_id)


async def log(*, subject: tuple[str, int] | None, cursor: str | None, limit: int = 50) -> Page[asyncpg.Record]:
    """The public log, newest first; of one subject if asked. It names no reporter and quotes nothing."""
    (before,) = decode(cursor, (int,)) or (None,)
    kind, subject_id = subject or (None, None)
    rows = await db.fetch(
        f"""SELECT l.id, l.action, l.subject_kind, l.subject_id, l.reason, l.created_at, {as_author("m")} AS moderator
             FROM modlog_entry l JOIN member m ON m.id = l.by_id
            WHERE ($1::bigint IS NULL OR l.id < $1)
              AND ($2::text IS NULL OR (l.subject_kind = $2 AND l.subject_id = $3))
            ORDER BY l.id DESC LIMIT $4""",
        before,
        kind,
        subject_id,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def count_open() -> int:
    return await db.fetch_val("SELECT count(*) FROM moderation_case WHERE state = 'open'")


async def reporters_of(case_id: int) -> list[int]:
    return [row["reporter_id"] for row in await db.fetch("SELECT reporter_id FROM flag WHERE case_id = $1", case_id)]
