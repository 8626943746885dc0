from collections.abc import Sequence

import asyncpg

from app import db
from app.errors import NotFound
from app.paging import Page, cut, decode

SHOWN = 6
# Looks in vain after which a person may judge what nobody has seen: their platform may be down for good.
IN_VAIN = 5
# Of a watch `w`, its work `x` and bounty `b`. What its platform lets us keep no longer stays with the work.
REACHED = "coalesce(w.figure, x.reach) >= b.least"
GROWING = f"""CASE w.state WHEN 'new' THEN w.failures < {IN_VAIN} WHEN 'watched' THEN NOT {REACHED} ELSE false END"""


async def watches_of(submission_ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """What we saw of the posts of handed-in work, by submission. One query, however many."""
    rows = await db.fetch(
        f"""SELECT w.*, w.state <> 'new' AND {REACHED} AS is_ready, {GROWING} AS is_growing
             FROM bounty_watch w JOIN bounty_submission x ON x.id = w.submission_id JOIN bounty b ON b.id = x.bounty_id
            WHERE w.submission_id = ANY($1::bigint[])""",
        list(submission_ids),
    )
    return {row["submission_id"]: row for row in rows}


async def last_figures(submission_ids: Sequence[int]) -> dict[int, list[asyncpg.Record]]:
    """The last few looks by submission, the newest first. One query, however many."""
    found: dict[int, list[asyncpg.Record]] = {one: [] for one in submission_ids}
    for row in await db.fetch(
        """SELECT w.submission_id, f.* FROM bounty_watch w
             JOIN LATERAL (SELECT * FROM bounty_figure f WHERE f.watch_id = w.id ORDER BY f.id DESC LIMIT $2) f ON true
            WHERE w.submission_id = ANY($1::bigint[]) ORDER BY f.id DESC""",
        list(submission_ids),
        SHOWN,
    ):
        found[row["submission_id"]].append(row)
    return found


async def figures_of(
    submission_id: int, member_id: int, *, is_admin: bool, cursor: str | None, limit: int
) -> Page[asyncpg.Record]:
    """Every look at one post, the newest first, for its member and the store's people; NotFound for all others."""
    work = await db.fetch_one(
        """SELECT x.member_id, s.owner_id FROM bounty_submission x JOIN bounty b ON b.id = x.bounty_id
             JOIN program p ON p.id = b.program_id JOIN store s ON s.id = p.store_id WHERE x.id = $1""",
        submission_id,
    )
    if work is None or not (is_admin or member_id in (work["member_id"], work["owner_id"])):
        raise NotFound()
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT f.* FROM bounty_figure f JOIN bounty_watch w ON w.id = f.watch_id
            WHERE w.submission_id = $1 AND ($2::bigint IS NULL OR f.id < $2) ORDER BY f.id DESC LIMIT $3""",
        submission_id,
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))
