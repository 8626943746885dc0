from typing import Any

import asyncpg

from app import db
from app.auth import Viewer
from app.paging import Page, cut, decode


async def groups_to_join(viewer: Viewer, *, cursor: str | None, limit: int = 24) -> Page[asyncpg.Record]:
    """Public and closed groups, and the viewer's secret ones, the liveliest first."""
    after: tuple[Any, ...] = decode(cursor, (int, int)) or (None, None)
    rows = await db.fetch(
        """SELECT g.*, ms.state AS membership
             FROM groups g
             LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $1
            WHERE (g.visibility <> 'secret' OR ms.state = 'active')
              AND ($2::int IS NULL OR (g.member_count, g.id) < ($2::int, $3::bigint))
            ORDER BY g.member_count DESC, g.id DESC
            LIMIT $4""",
        viewer.member_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["member_count"], row["id"]))


async def members_of(group_id: int, *, limit: int = 12) -> list[asyncpg.Record]:
    """Some members of a group, its owners first."""
    return await db.fetch(
        """SELECT m.id, m.handle, m.name, coalesce('/media/' || nullif(m.avatar_key, ''), '') AS avatar_url,
                  m.kind, ms.role
             FROM membership ms JOIN member m ON m.id = ms.member_id
            WHERE ms.group_id = $1 AND ms.state = 'active'
            ORDER BY m.kind = 'bot', ms.role = 'owner' DESC, ms.role = 'moderator' DESC, ms.id
            LIMIT $2""",
        group_id,
        limit,
    )


async def waiting_to_join(group_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT m.id, m.handle, m.name, coalesce('/media/' || nullif(m.avatar_key, ''), '') AS avatar_url,
                  ms.joined_at
             FROM membership ms JOIN member m ON m.id = ms.member_id
            WHERE ms.group_id = $1 AND ms.state = 'pending' ORDER BY ms.id LIMIT 100""",
        group_id,
    )
