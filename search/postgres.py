"""The default engine: a tsvector of our own words, trigrams of titles for typos."""

from collections.abc import Sequence

from app import db
from app.auth import Viewer
from app.paging import decode, encode
from search.engine import Document, Found, Key, Question
from search.policy import findable
from search.words import tsquery, tsquery_of_best, tsvector

name = "postgres"

# Ranking every hit of a common word took 242 ms of 400,000 documents; of the first thousand, 29 ms.
CANDIDATES = 1000
FACETS = 8
# "kettel" and "kettle" share 0.57.
ALIKE = "0.5"

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
    after = decode(question.cursor, (float, int)) or (None, None)
    # Without a kind, what is ranked is also what is counted: one walk through the index instead of two.
    counted = f"(SELECT d.kind, d.group_id, d.product_id {_fitting(condition)})" if question.kind else "candidates"
    row = await db.fetch_one(
        f"""WITH candidates AS MATERIALIZED (
                SELECT d.id, d.kind, d.ref_id, d.title, d.words, d.group_id, d.product_id
                  {_fitting(condition + " AND ($6::text IS NULL OR d.kind = $6)")}),
            scored AS (
                SELECT id, kind, ref_id,
                       round((ts_rank('{{0.05, 0.2, 0.4, 1.0}}', words, $9::tsquery, 1)
                              * CASE kind WHEN 'review' THEN 0.6 ELSE 1 END
                              + 0.25 * similarity(title, $5)
                              + CASE kind WHEN 'product' THEN 0.15 WHEN 'group' THEN 0.12 WHEN 'guide' THEN 0.06
                                          ELSE 0 END)::numeric, 6)::float8 AS score
                  FROM candidates),
            best AS (
                SELECT id, kind, ref_id, score FROM scored
                 WHERE $7::float8 IS NULL OR (score, id) < ($7::float8, $8::bigint)
                 ORDER BY score DESC, id DESC LIMIT {question.limit + 1:d}),
            facets AS (
                SELECT kind, group_id, product_id, count(*) AS n FROM {counted} counted
                 GROUP BY GROUPING SETS ((kind), (group_id), (product_id)))
            SELECT (SELECT coalesce(jsonb_agg(b ORDER BY score DESC, id DESC), '[]') FROM best b) AS best,
                   (SELECT coalesce(jsonb_agg(f ORDER BY n DESC), '[]') FROM facets f) AS facets""",
        query,
        viewer.member_id,
        question.group_id,
        question.product_id,
        question.text,
        question.kind,
        *after,
        tsquery_of_best(question.terms),
    )
    assert row is not None
    best, facets = row["best"][: question.limit], row["facets"]
    return Found(
        [(hit["kind"], hit["ref_id"]) for hit in best],
        encode(best[-1]["score"], best[-1]["id"]) if len(row["best"]) > question.limit else None,
        kinds={facet["kind"]: facet["n"] for facet in facets if facet["kind"]},
        groups=[(facet["group_id"], facet["n"]) for facet in facets if facet["group_id"]][:FACETS],
        products=[(facet["product_id"], facet["n"]) for facet in facets if facet["product_id"]][:FACETS],
    )


def _fitting(condition: str) -> str:
    return f"FROM search_document d WHERE {condition} AND {WHERE} LIMIT {CANDIDATES}"
