import logging
import time
from collections.abc import Callable, Sequence

import asyncpg

from app import clock, db
from app.auth import Viewer
from app.text import clean
from referrals.commissions.paid import is_paid_by
from search import documents, meilisearch, messages, postgres
from search.engine import KINDS, Engine, Found, Key, Question
from search.policy import findable
from search.schemas import Facet, Facets, Hit, HitAuthor, HitGroup, HitProduct, SearchAnswer
from search.snippets import highlighted, snippet
from search.words import Term, terms

log = logging.getLogger(__name__)

LONGEST_QUESTION = 200
# Somebody's words about products never stand here without what they earn from them.
_PAID = is_paid_by("m.id", "IN (SELECT p.store_id UNION ALL SELECT x.store_id FROM guide_product y "
                   "JOIN product x ON x.id = y.product_id WHERE y.guide_id = gd.id)")  # fmt: skip
PAID = f"(d.kind IN ('review', 'guide') AND {_PAID})"
EARNS = """(d.kind IN ('review', 'guide') AND EXISTS (
    SELECT 1 FROM link l
      JOIN program pr ON pr.store_id = l.store_id
     WHERE l.owner_id = m.id AND l.disabled_at IS NULL
       AND (SELECT v.rate_bps > 0 FROM program_version v WHERE v.program_id = pr.id AND v.published_at <= $4
             ORDER BY v.version DESC LIMIT 1)
       AND (l.store_id = p.store_id OR EXISTS (
                SELECT 1 FROM guide_product gp JOIN product gpp ON gpp.id = gp.product_id
                 WHERE gp.guide_id = gd.id AND gpp.store_id = l.store_id))))"""
BATCH = 200


async def search(
    viewer: Viewer,
    text: str,
    *,
    kind: str | None = None,
    group: str | None = None,
    product: str | None = None,
    room: str | None = None,
    newest: bool = False,
    cursor: str | None = None,
    limit: int = 20,
) -> SearchAnswer:
    """What the viewer may read of what fits. `group` and `product` are slugs; an unknown one finds nothing.

    What was said in rooms is looked through when asked for: as the kind `message`, or in one `room` by its id; what
    fits best comes first there, or the `newest`.
    """
    started = time.perf_counter()
    text = clean(text, "q", most=LONGEST_QUESTION)
    asked = terms(text)
    place = await _place(group, product)
    answer = SearchAnswer(items=[], facets=Facets(), engine=_engine().name)
    if asked and place is not None and (room or kind == "message"):
        in_room = _number(room)
        if product is None and (in_room is not None or not room):
            answer = await messages.find(
                viewer, text, asked, room_id=in_room, group_id=place[0], newest=newest, cursor=cursor, limit=limit
            )
    elif asked and place is not None and (kind is None or kind in KINDS):
        question = Question(text, asked, kind, *place, cursor=cursor, limit=limit)
        answer = await _ask(viewer, question)
    answer.took_ms = round((time.perf_counter() - started) * 1000, 1)
    return answer


async def index(kind: str, ids: Sequence[int]) -> None:
    """Bring the documents of these rows up to date, or take them out. Running it twice changes nothing."""
    ids = sorted(set(ids))
    async with db.transaction():
        # Two jobs about one row: whoever comes second waits, and then reads what both of their causes have written.
        await db.execute(
            "SELECT pg_advisory_xact_lock(hashtext($1), id) FROM unnest($2::int[]) AS id",
            f"search {kind}",
            [ref_id % 2**31 for ref_id in ids],
        )
        made = await documents.documents_of(kind, ids)
        there = {document.ref_id for document in made}
        gone = [(kind, ref_id) for ref_id in ids if ref_id not in there]
        if made:
            await postgres.put(made)
        if gone:
            await postgres.remove(gone)
    if meilisearch.is_set_up():
        if made:
            await meilisearch.put(made)
        if gone:
            await meilisearch.remove(gone)


async def reindex(progress: Callable[[int], None] = lambda done: None) -> dict[str, int]:
    """Make every document anew; how many of each kind. Searching goes on meanwhile."""
    if meilisearch.is_set_up():
        await meilisearch.prepare()
    done = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        last = 0
        while ids := await documents.ids_after(kind, last, BATCH):
            await index(kind, ids)
            await _sweep(kind, ids, last)
            last, done[kind] = ids[-1], done[kind] + len(ids)
            progress(len(ids))
        await _sweep(kind, [], last)
    await messages.forget_everything()
    await messages.catch_up_everywhere(seconds=float("inf"), progress=progress)
    await db.execute("ANALYZE search_document")
    await db.execute("ANALYZE search_message")
    return done


async def _sweep(kind: str, ids: Sequence[int], last: int) -> None:
    """Forget documents between `last` and the end of these ids (without ids: after it) whose row is no more."""
    rows = await db.fetch(
        f"""SELECT ref_id FROM search_document d WHERE kind = $1 AND ref_id > $2
              AND ($3::bigint IS NULL OR ref_id <= $3) AND ref_id <> ALL($4::bigint[])
              AND NOT EXISTS (SELECT 1 FROM {documents.TABLES[kind]} source WHERE source.id = d.ref_id)""",
        kind,
        last,
        ids[-1] if ids else None,
        list(ids),
    )
    if rows:
        await index(kind, [row["ref_id"] for row in rows])


def _engine() -> Engine:
    return meilisearch if meilisearch.is_set_up() else postgres


async def _ask(viewer: Viewer, question: Question) -> SearchAnswer:
    engine = _engine()
    try:
        found = await engine.find(viewer, question)
    except meilisearch.Away as away:
        log.warning("Meilisearch does not answer, PostgreSQL stands in: %s", away)
        engine = postgres
        found = await engine.find(viewer, question)
    return SearchAnswer(
        items=await _shown(viewer, found.keys, question.terms),
        facets=await _named(viewer, found),
        next=found.next,
        engine=engine.name,
        is_near=found.is_near,
    )


async def _shown(viewer: Viewer, keys: list[Key], asked: list[Term]) -> list[Hit]:
    """The found documents as they are now, without what the viewer may not read (any more), in the given order."""
    if not keys:
        return []
    async with db.planned_once():
        rows = await db.fetch(
            f"""SELECT d.kind, d.ref_id, d.title, d.body, d.url, d.lang, d.updated_at, g.slug AS group_slug,
                       g.name AS group_name, p.slug AS product_slug, p.title AS product_title, p.picture,
                       r.rating, r.evidence, r.evidence_since, m.handle, m.name AS author_name,
                       {EARNS} AS earns, {PAID} AS is_paid
                  FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS found(kind, ref_id, place)
                  JOIN search_document d ON d.kind = found.kind AND d.ref_id = found.ref_id
                  LEFT JOIN groups g ON g.id = d.group_id
                  LEFT JOIN product p ON p.id = d.product_id
                  LEFT JOIN review r ON d.kind = 'review' AND r.id = d.ref_id
                  LEFT JOIN guide gd ON d.kind = 'guide' AND gd.id = d.ref_id
                  LEFT JOIN topic t ON d.kind = 'topic' AND t.id = d.ref_id
                  LEFT JOIN member m ON m.id = coalesce(r.author_id, gd.author_id, t.author_id)
                 WHERE {findable("d", "$3")}
                 ORDER BY found.place""",
            [kind for kind, _ in keys],
            [ref_id for _, ref_id in keys],
            viewer.member_id,
            clock.now(),
        )
    return [_hit(row, asked) for row in rows]


def _hit(row: asyncpg.Record, asked: list[Term]) -> Hit:
    return Hit(
        kind=row["kind"],
        id=str(row["ref_id"]),
        title=row["title"],
        title_html=str(highlighted(row["title"], asked)),
        snippet=str(snippet(row["body"], asked)),
        url=row["url"],
        lang=row["lang"],
        updated_at=row["updated_at"],
        group=HitGroup(row["group_slug"], row["group_name"]) if row["group_slug"] and row["kind"] != "group" else None,
        product=HitProduct(row["product_slug"], row["product_title"], row["picture"]) if row["product_slug"] else None,
        author=HitAuthor(
            row["handle"], row["author_name"], row["earns"] or row["is_paid"], row["is_paid"] and not row["earns"]
        )
        if row["handle"]
        else None,
        rating=row["rating"],
        evidence=row["evidence"],
        evidence_since=row["evidence_since"],
    )


async def _named(viewer: Viewer, found: Found) -> Facets:
    """Facets with slugs and names. Meilisearch may still count a group that was closed a moment ago: not shown."""
    rows = await db.fetch(
        f"""SELECT 'group' AS kind, d.ref_id AS id, g.slug, g.name FROM search_document d
              JOIN groups g ON g.id = d.ref_id
             WHERE d.kind = 'group' AND d.ref_id = ANY($2::bigint[]) AND {findable("d", "$1")}
            UNION ALL
            SELECT 'product', id, slug, title FROM product WHERE id = ANY($3::bigint[])""",
        viewer.member_id,
        [group_id for group_id, _ in found.groups],
        [product_id for product_id, _ in found.products],
    )
    names = {(row["kind"], row["id"]): row for row in rows}
    return Facets(
        kind={kind: found.kinds[kind] for kind in KINDS if found.kinds.get(kind)},
        group=[Facet(r["slug"], r["name"], n) for id, n in found.groups if (r := names.get(("group", id)))],
        product=[Facet(r["slug"], r["name"], n) for id, n in found.products if (r := names.get(("product", id)))],
    )


def _number(given: str | None) -> int | None:
    return int(given) if given and given.isascii() and given.isdigit() and len(given) < 19 else None


async def _place(group: str | None, product: str | None) -> tuple[int | None, int | None] | None:
    """The ids behind the slugs; None when there is no such thing."""
    if not group and not product:
        return None, None
    row = await db.fetch_one(
        """SELECT (SELECT id FROM groups WHERE slug = $1) AS group_id,
                  (SELECT id FROM product WHERE slug = $2) AS product_id""",
        group,
        product,
    )
    assert row is not None
    missing = (group and row["group_id"] is None) or (product and row["product_id"] is None)
    return None if missing else (row["group_id"], row["product_id"])
