from collections.abc import Collection

import asyncpg

from app import db
from app.paging import Page, cut, decode
from community.members.queries import AVATAR_URL
from community.moderation.queries import in_sight

CARD = f"""
    SELECT g.id, g.slug, g.title, g.summary, g.lang, g.created_at, g.checked_at, m.id AS member_id, m.handle, m.name,
           coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '') AS avatar_url,
           (SELECT count(*) FROM guide_product gp WHERE gp.guide_id = g.id)::int AS product_count
      FROM guide g JOIN member m ON m.id = g.author_id
     WHERE {in_sight("guide", "g.id")}
"""


async def newest_guides(*, cursor: str | None = None, limit: int = 18) -> Page[asyncpg.Record]:
    last = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"{CARD} AND ($1::bigint IS NULL OR g.id < $1) ORDER BY g.id DESC LIMIT $2", last[0], limit + 1
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def guides_about(product_id: int, *, limit: int = 5) -> list[asyncpg.Record]:
    """Guides that speak of a product, the last checked first."""
    return await db.fetch(
        f"""{CARD} AND EXISTS (SELECT 1 FROM guide_product gp WHERE gp.guide_id = g.id AND gp.product_id = $1)
            ORDER BY g.checked_at DESC, g.id DESC LIMIT $2""",
        product_id,
        limit,
    )


async def guides_by_ids(guide_ids: Collection[int]) -> list[asyncpg.Record]:
    """Guides in sight with their blocks, as search describes them."""
    return await db.fetch(
        f"""SELECT g.id, g.slug, g.title, g.summary, g.lang, g.author_id, g.blocks, g.created_at, g.checked_at
              FROM guide g WHERE g.id = ANY($1::bigint[]) AND {in_sight("guide", "g.id")}""",
        list(guide_ids),
    )
