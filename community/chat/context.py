"""What was said around a message that is reported: moderators see those few lines of a closed room, and no others."""

from collections.abc import Sequence

import asyncpg

from app import db
from community.moderation.queries import in_sight

BEFORE, AFTER = 4, 3


async def around(message_id: int) -> list[int]:
    """The ids of a message and of those just before and after it, in order."""
    rows = await db.fetch(
        f"""WITH it AS (SELECT room_id, seq FROM message WHERE id = $1)
            (SELECT m.id, e.seq FROM it JOIN room_event e ON e.room_id = it.room_id AND e.kind = 'message'
               JOIN message m ON m.id = e.message_id
              WHERE e.seq <= it.seq AND m.deleted_at IS NULL AND {in_sight("message", "m.id")}
              ORDER BY e.seq DESC LIMIT {BEFORE + 1:d})
            UNION ALL
            (SELECT m.id, e.seq FROM it JOIN room_event e ON e.room_id = it.room_id AND e.kind = 'message'
               JOIN message m ON m.id = e.message_id
              WHERE e.seq > it.seq AND m.deleted_at IS NULL AND {in_sight("message", "m.id")}
              ORDER BY e.seq LIMIT {AFTER:d})
            ORDER BY seq""",
        message_id,
    )
    return [row["id"] for row in rows]


async def lines(ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """Those messages as they are now, by id. What its author took back is not kept for anybody."""
    rows = await db.fetch(
        """SELECT m.id, m.seq, m.created_at, a.handle, a.name,
                  CASE WHEN m.deleted_at IS NULL THEN left(m.body, 600) ELSE '' END AS body
             FROM message m JOIN member a ON a.id = m.author_id WHERE m.id = ANY($1::bigint[])""",
        list(ids),
    )
    return {row["id"]: row for row in rows}
