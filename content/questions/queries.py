import asyncpg

from app import db
from app.paging import Page, cut, decode
from community.members.queries import AVATAR_URL
from community.moderation.queries import in_sight

ANSWERS_SHOWN = 20


async def questions_about(product_id: int, *, cursor: str | None = None, limit: int = 10) -> Page[asyncpg.Record]:
    """Questions about a product, newest first, each with its answers: the store's own before the others."""
    last = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""SELECT q.id, q.body, q.created_at, m.id AS member_id, m.handle, m.name, answered.answers
              FROM question q
              JOIN member m ON m.id = q.author_id
              JOIN product p ON p.id = q.product_id JOIN store s ON s.id = p.store_id
              LEFT JOIN LATERAL (
                  SELECT coalesce(jsonb_agg(a ORDER BY a.official DESC, a.id), '[]') AS answers
                    FROM (SELECT a.id, a.html, a.created_at,
                                 b.id AS member_id, b.handle, b.name,
                                 coalesce('{AVATAR_URL}' || nullif(b.avatar_key, ''), '') AS avatar_url,
                                 coalesce(s.owner_id = a.author_id, false) AS official
                            FROM answer a JOIN member b ON b.id = a.author_id
                           WHERE a.question_id = q.id AND {in_sight("answer", "a.id")}
                           ORDER BY a.id LIMIT {ANSWERS_SHOWN}) a) answered ON true
             WHERE q.product_id = $1 AND {in_sight("question", "q.id")} AND ($2::bigint IS NULL OR q.id < $2)
             ORDER BY q.id DESC LIMIT $3""",
        product_id,
        last[0],
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def question(question_id: int) -> asyncpg.Record | None:
    """A question in sight with its product's address."""
    return await db.fetch_one(
        f"""SELECT q.id, q.author_id, q.body, q.product_id, p.slug AS product_slug, p.title AS product_title
              FROM question q JOIN product p ON p.id = q.product_id
             WHERE q.id = $1 AND {in_sight("question", "q.id")}""",
        question_id,
    )
