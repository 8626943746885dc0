"""The default engine: a tsvector of our own words, trigrams of titles for typos."""

from collections.abc import Sequence
from typing import Any

from app import db
from app.auth import Viewer
from app.paging import decode, encode
from search.engine import Document, Found, Key, Question
from search.policy import findable
from search.words import tsquery, tsvector

name = "postgres"

# Ranking every hit of a common word took 242 ms of 400,000 documents; of the first thousand, 29 ms.
CANDIDATES = 1000
COUNTED = 2000
FACETS = 8
# "kettel" and "kettle" share 0.57.
ALIKE = "0.45"

EXACT = "d.words @@ $1::tsquery"
NEAR = "(d.words @@ $1::tsquery OR $5 <% d.title)"
WHERE = f"""($3::bigint IS NULL OR d.group_id = $3) AND ($4::bigint IS NULL OR d.product_id = $4)
        AND {findable("d", "$2")}"""


async def put(documents: Sequence[Document]) -> None:
    await db.execute_many(
        """INSERT INTO search_document (kind, ref_id, title, body, url, lang, group_id, product_id, updated_at, words)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::tsvector)
           ON CONFLICT (kind, ref_id) DO UPDATE SET
              title = excluded.title, body = excluded.body, url = excluded.url, lang = excluded.lang,
              group_id = excluded.group_id, product_id = excluded.product_id, updated_at = excluded.updated_at,
              words = excluded.words""",
        [
            (d.kind, d.ref_id, d.title, d.body, d.url, d.lang, d.group_id, d.product_id, d.updated_at, words)
            for d in documents
            for words in (tsvector(d.title, d.body),)
        ],
    )


async def remove(keys: Sequence[Key]) -> None:
    await db.execute(
        """DELETE FROM search_document d USING unnest($1::text[], $2::bigint[]) AS gone(kind, ref_id)
            WHERE d.kind = gone.kind AND d.ref_id = gone.ref_id""",
        [kind for kind, _ in keys],
        [ref_id for _, ref_id in keys],
    )


async def find(viewer: Viewer, question: Question) -> Found:
    """What holds every word; when nothing does, what holds some of them or is spelled alike."""
    found = await _found(viewer, question, EXACT, tsquery(question.terms))
    if found.kinds or question.cursor:
        return found
    async with db.transaction():
        await db.execute(f"SET LOCAL pg_trgm.word_similarity_threshold = {ALIKE}")
        near = await _found(viewer, question, NEAR, tsquery(question.terms, joined="|"))
    near.is_near = True
    # Close is a matter of taste: one page of it is enough.
    near.next = None
    return near


async def _found(viewer: Viewer, question: Question, condition: str, query: str) -> Found:
    asked = (query, viewer.member_id, question.group_id, question.product_id, question.text)
    after = decode(question.cursor, (float, int)) or (None, None)
    limit = question.limit
    rows = await db.fetch(
        f"""WITH candidates AS MATERIALIZED (
                SELECT d.id, d.kind, d.ref_id, d.title, d.words FROM search_document d
                 WHERE {condition} AND {WHERE} AND ($6::text IS NULL OR d.kind = $6)
                 LIMIT {CANDIDATES}),
            scored AS (
                SELECT id, kind, ref_id,
                       round((ts_rank('{{0.1, 0.2, 0.4, 1.0}}', words, $1::tsquery, 1)
                              + 0.25 * similarity(title, $5)
                              + CASE kind WHEN 'product' THEN 0.06 WHEN 'group' THEN 0.05 WHEN 'guide' THEN 0.04
                                          ELSE 0 END)::numeric, 6)::float8 AS score
                  FROM candidates)
            SELECT id, kind, ref_id, score FROM scored
             WHERE $7::float8 IS NULL OR (score, id) < ($7::float8, $8::bigint)
             ORDER BY score DESC, id DESC LIMIT {limit + 1:d}""",
        *asked,
        question.kind,
        *after,
    )
    return Found(
        [(row["kind"], row["ref_id"]) for row in rows[:limit]],
        encode(rows[limit - 1]["score"], rows[limit - 1]["id"]) if len(rows) > limit else None,
        **(await _facets(asked, condition)),
    )


async def _facets(asked: tuple[Any, ...], condition: str) -> dict[str, Any]:
    """Counts of everything that fits (of the first thousands, where a word is in everything), whatever the kind."""
    rows = await db.fetch(
        f"""SELECT kind, group_id, product_id, count(*)::int AS n
              FROM (SELECT d.kind, d.group_id, d.product_id FROM search_document d
                     WHERE {condition} AND $5::text IS NOT NULL AND {WHERE} LIMIT {COUNTED}) fitting
             GROUP BY GROUPING SETS ((kind), (group_id), (product_id)) ORDER BY n DESC""",
        *asked,
    )
    return {
        "kinds": {row["kind"]: row["n"] for row in rows if row["kind"]},
        "groups": [(row["group_id"], row["n"]) for row in rows if row["group_id"]][:FACETS],
        "products": [(row["product_id"], row["n"]) for row in rows if row["product_id"]][:FACETS],
    }
