from datetime import datetime
from typing import Literal

import asyncpg

from app import db
from app.auth import Viewer
from app.paging import Page, cut, decode
from community.members.queries import as_author
from community.topics.policy import listed_topics

Sort = Literal["hot", "new", "top"]
SORTS: tuple[Sort, ...] = ("hot", "new", "top")
POSTS_A_PAGE = 20

# What each order sorts by: the expression, and how its cursor is read. Each has an index with (group_id, …, id).
ORDERS: dict[str, tuple[str, type, str]] = {
    "hot": ("t.heat", float, "real"),
    "new": ("t.created_at", datetime, "timestamptz"),
    "top": ("(t.reaction_count + t.post_count)", int, "int"),
}

# Signs of one post with their counts, most used first, and whether the viewer ($2) gave them.
REACTIONS = """
    SELECT jsonb_agg(jsonb_build_object('emoji', emoji, 'count', n, 'mine', mine) ORDER BY n DESC, first) AS given
      FROM (SELECT emoji, count(*) AS n, min(id) AS first, coalesce(bool_or(r.member_id = $2::bigint), false) AS mine
              FROM reaction r WHERE r.post_id = p.id GROUP BY emoji) signs
"""
POST = f"""
    SELECT p.id, p.topic_id, p.number, p.author_id, p.body, p.html, p.created_at, p.edited_at, p.reply_to_id,
           {as_author("m")} AS author,
           q.number AS reply_to_number, qm.name AS reply_to_name, h.reason AS hidden,
           coalesce(x.given, '[]'::jsonb) AS reactions
      FROM post p
      JOIN member m ON m.id = p.author_id
      LEFT JOIN post q ON q.id = p.reply_to_id
      LEFT JOIN member qm ON qm.id = q.author_id
      LEFT JOIN hiding h ON h.subject_kind = 'post' AND h.subject_id = p.id
      LEFT JOIN LATERAL ({REACTIONS}) x ON true
"""


async def topics_of(group_id: int, *, sort: Sort, cursor: str | None, limit: int = 25) -> Page[asyncpg.Record]:
    """Topics of a group that the caller may read, hottest, newest or most answered first."""
    expression, cursor_type, sql_type = ORDERS[sort]
    after = decode(cursor, (cursor_type, int)) or ()
    # Not "$3 IS NULL OR …": a plan made for both cases reads the index from its start.
    beyond = f"AND ({expression}, t.id) < ($3::{sql_type}, $4::bigint)" if after else ""
    rows = await db.fetch(
        f"""SELECT t.id, t.slug, t.title, t.kind, t.post_count, t.reaction_count, t.created_at, t.active_at,
                   {expression} AS sort_key, left(f.body, 400) AS beginning,
                   {as_author("m")} AS author
              FROM topic t
              JOIN post f ON f.topic_id = t.id AND f.number = 1
              JOIN member m ON m.id = t.author_id
             WHERE t.group_id = $1 AND {listed_topics("t", "f")} {beyond}
             ORDER BY {expression} DESC, t.id DESC
             LIMIT $2""",
        group_id,
        limit + 1,
        *after,
    )
    return cut(rows, limit, lambda row: (row["sort_key"], row["id"]))


async def posts_of(viewer: Viewer, topic_id: int, *, after: int = 0, limit: int = POSTS_A_PAGE) -> list[asyncpg.Record]:
    """The posts that follow number `after`. Numbers have no holes, so every page can be named in advance."""
    return await db.fetch(
        f"{POST} WHERE p.topic_id = $1 AND p.number > $3 ORDER BY p.number LIMIT $4",
        topic_id,
        viewer.member_id,
        after,
        limit,
    )


async def post_shown(viewer: Viewer, post_id: int) -> asyncpg.Record:
    """One post as its thread shows it (access was checked)."""
    row = await db.fetch_one(f"{POST} WHERE p.id = $1", post_id, viewer.member_id)
    assert row is not None
    return row


async def room_of_group(group_id: int) -> int | None:
    return await db.fetch_val("SELECT id FROM room WHERE group_id = $1 AND kind = 'group'", group_id)


async def members_to_tell(post_id: int, handles: list[str]) -> list[asyncpg.Record]:
    """Who should hear of a post, each once for the strongest reason: answered, mentioned, or whose topic it is in.

    Only who may read the group, and never the author.
    """
    return await db.fetch(
        """WITH written AS (
               SELECT p.id, p.author_id, t.author_id AS topic_author_id, q.author_id AS answered_id,
                      g.id AS group_id, g.visibility
                 FROM post p
                 JOIN topic t ON t.id = p.topic_id
                 JOIN groups g ON g.id = t.group_id
                 LEFT JOIN post q ON q.id = p.reply_to_id
                WHERE p.id = $1)
           SELECT m.id AS member_id,
                  CASE WHEN m.id = w.answered_id THEN 'reply'
                       WHEN lower(m.handle) = ANY($2::text[]) THEN 'mention'
                       ELSE 'topic_reply' END AS kind
             FROM written w
             JOIN member m ON m.id IN (w.answered_id, w.topic_author_id) OR lower(m.handle) = ANY($2::text[])
            WHERE m.id <> w.author_id
              AND (w.visibility = 'public' OR EXISTS (
                     SELECT 1 FROM membership ms
                      WHERE ms.group_id = w.group_id AND ms.member_id = m.id AND ms.state = 'active'))""",
        post_id,
        handles,
    )


async def post_for_telling(post_id: int) -> asyncpg.Record | None:
    """A post with what a notification of it needs, unless it is hidden by now."""
    return await db.fetch_one(
        """SELECT p.id, p.number, p.body, t.id AS topic_id, t.slug, t.title, g.slug AS group_slug,
                  m.id AS author_id, m.handle, m.name
             FROM post p
             JOIN topic t ON t.id = p.topic_id
             JOIN groups g ON g.id = t.group_id
             JOIN member m ON m.id = p.author_id
            WHERE p.id = $1
              AND NOT EXISTS (SELECT 1 FROM hiding h WHERE h.subject_kind = 'post' AND h.subject_id = p.id)""",
        post_id,
    )
