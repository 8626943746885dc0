"""What was said, reviewed and written here lately, as far as the viewer may read it: for the home page and feeds."""

from datetime import datetime
from typing import Any

import asyncpg

from app import db
from app.auth import Viewer
from app.paging import Page, cut, decode
from community.groups.policy import readable_groups
from community.members.queries import AVATAR_URL, as_author
from community.topics.policy import listed_topics
from content.reviews.policy import visible
from content.reviews.shelf import RATED

# "Popular" looks at this many of the latest reviews: what is talked about now, at the same cost for ever.
LATELY = 1000

TOPIC = f"""
    SELECT t.id, t.slug, t.title, t.kind, t.post_count, t.reaction_count, t.created_at, t.active_at, t.heat,
           left(f.body, 400) AS beginning, {as_author("m")} AS author, g.slug AS group_slug, g.name AS group_name
      FROM topic t
      JOIN groups g ON g.id = t.group_id
      JOIN post f ON f.topic_id = t.id AND f.number = 1
      JOIN member m ON m.id = t.author_id
     WHERE {listed_topics("t", "f")}
"""


async def topics_of_my_groups(viewer: Viewer, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """Topics of the groups the viewer is in, those with the newest posts first."""
    after: tuple[Any, ...] = decode(cursor, (datetime, int)) or (None, None)
    rows = await db.fetch(
        f"""{TOPIC}
               AND t.group_id IN (SELECT group_id FROM membership WHERE member_id = $1 AND state = 'active')
               AND ($2::timestamptz IS NULL OR (t.active_at, t.id) < ($2::timestamptz, $3::bigint))
             ORDER BY t.active_at DESC, t.id DESC LIMIT $4""",
        viewer.member_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["active_at"], row["id"]))


async def hot_topics(*, limit: int) -> list[asyncpg.Record]:
    """What everybody may read and many talk about."""
    return await db.fetch(
        f"{TOPIC} AND g.visibility = 'public' ORDER BY t.heat DESC, t.id DESC LIMIT $1",
        limit,
    )


async def newest_topics(*, limit: int) -> list[asyncpg.Record]:
    return await db.fetch(f"{TOPIC} AND g.visibility = 'public' ORDER BY t.id DESC LIMIT $1", limit)


async def popular_products(*, limit: int) -> list[asyncpg.Record]:
    """What was reviewed most lately, whatever the stars."""
    return await db.fetch(
        f"""SELECT p.id, p.slug, p.title, p.picture, nullif(p.price, 0) AS price, p.currency, rated.rating,
                   rated.review_count
              FROM (SELECT product_id, count(*) AS lately
                      FROM (SELECT r.product_id FROM review r WHERE {visible("r")}
                             ORDER BY r.id DESC LIMIT {LATELY}) new
                     GROUP BY product_id) talked
              JOIN product p ON p.id = talked.product_id AND p.withdrawn_at IS NULL {RATED}
             ORDER BY talked.lately DESC, p.id DESC LIMIT $1""",
        limit,
    )


async def latest_reviews(*, limit: int) -> list[asyncpg.Record]:
    """Reviews by members (imported ones have no one to ask), newest first."""
    return await db.fetch(
        f"""SELECT r.id, r.rating, r.title, r.body, r.html, r.lang, r.evidence, r.evidence_since, r.created_at,
                   r.author_id, r.author_id AS member_id, m.handle, m.name, p.store_id,
                   coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '') AS avatar_url,
                   p.slug AS product_slug, p.title AS product_title
              FROM review r
              JOIN member m ON m.id = r.author_id
              JOIN product p ON p.id = r.product_id
             WHERE {visible("r")}
             ORDER BY r.id DESC LIMIT $1""",
        limit,
    )


async def lively_groups(viewer: Viewer, *, limit: int) -> list[asyncpg.Record]:
    """Public groups with something going on that the viewer is not in yet."""
    return await db.fetch(
        f"""SELECT g.id, g.slug, g.name, g.description, g.visibility, g.lang, g.member_count, g.topic_count,
                   NULL::text AS membership
              FROM groups g
             WHERE g.visibility = 'public' AND {readable_groups("g", "$1")}
               AND NOT EXISTS (SELECT 1 FROM membership own WHERE own.group_id = g.id AND own.member_id = $1)
             ORDER BY g.active_at DESC, g.id DESC LIMIT $2""",
        viewer.member_id,
        limit,
    )
