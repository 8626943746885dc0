import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.paging import Page, cut, decode


async def notifications_of(viewer: Viewer, *, cursor: str | None, limit: int = 30) -> Page[asyncpg.Record]:
    """The viewer's notifications, newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT id, kind, url, data, created_at, read_at FROM notification
            WHERE member_id = $1 AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
        require_member(viewer, "read"),
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))
