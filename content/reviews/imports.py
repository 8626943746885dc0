"""Reviews that a shop collected elsewhere, from a file: shown as imported, never as verified, and never twice."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.errors import Invalid
from app.events import publish
from app.importing import Report, Row, Source
from app.money import Money
from app.text import clean, markdown
from content.reviews.events import ReviewsImported
from content.reviews.rating import hold_products, recount
from content.reviews.service import language_of
from storefront.catalog.schemas import ProductDetails
from storefront.catalog.service import upsert_product

NEEDED = ("product", "rating", "body")
OPTIONAL = ("title", "author", "date", "id", "product_title", "category")
BATCH = 500


class Draft(msgspec.Struct):
    """A review as the file has it, checked."""

    line: int
    product: str
    rating: int
    title: str
    body: str
    author: str
    created_at: datetime
    key: str


class _OnlyTrying(Exception):
    """Rolls a dry run back."""


async def import_reviews(
    store: asyncpg.Record, source: Source, columns: dict[str, str], *, dry_run: bool = False
) -> Report:
    """Take every review of the file; a line that cannot be is skipped with its reason. A second run changes nothing."""
    needed = [columns[field] for field in NEEDED]
    needed += [columns[field] for field in OPTIONAL if columns[field] != field]
    for batch in source.batches(needed, size=BATCH):
        try:
            async with db.transaction():
                await _take(store, batch, columns, source)
                if dry_run:
                    raise _OnlyTrying
        except _OnlyTrying:
            continue
    if source.report.created and not dry_run:
        # Until the next automatic one the planner would believe these tables to be as small as before.
        await db.execute("ANALYZE review, product_rating")
    return source.report


async def _take(store: asyncpg.Record, batch: list[Row], columns: dict[str, str], source: Source) -> None:
    drafts: dict[str, Draft] = {}
    products = await _known_products(store, batch, columns)
    for row in batch:
        try:
            draft = _draft(row, columns)
            if draft.product not in products:
                products[draft.product] = await _list_product(store, draft.product, row, columns)
        except Invalid as problem:
            source.skip(row.line, "; ".join(f"{field}: {why}" for field, why in problem.fields.items()))
            continue
        if twin := drafts.get(draft.key):
            source.skip(row.line, f"the same review as in line {twin.line}")
        else:
            drafts[draft.key] = draft
    await _store(list(drafts.values()), products, source.report)


async def _store(drafts: list[Draft], products: dict[str, int], report: Report) -> None:
    product_ids = {products[draft.product] for draft in drafts}
    await hold_products(product_ids)
    rows = await db.fetch(
        """INSERT INTO review (product_id, author_name, external_key, rating, title, body, html, lang, evidence,
                               helpful_count, created_at)
           SELECT product_id, author_name, external_key, rating, title, body, html, lang, 'imported', 0, created_at
             FROM unnest($1::bigint[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[],
                         $8::text[], $9::timestamptz[])
                  AS given (product_id, author_name, external_key, rating, title, body, html, lang, created_at)
           ON CONFLICT (product_id, external_key) WHERE external_key <> '' DO UPDATE
              SET rating = excluded.rating, title = excluded.title, body = excluded.body, html = excluded.html,
                  author_name = excluded.author_name, lang = excluded.lang
            WHERE (review.rating, review.title, review.body, review.author_name)
                  IS DISTINCT FROM (excluded.rating, excluded.title, excluded.body, excluded.author_name)
           RETURNING id, xmax = 0 AS is_new""",
        [products[draft.product] for draft in drafts],
        [draft.author for draft in drafts],
        [draft.key for draft in drafts],
        [draft.rating for draft in drafts],
        [draft.title for draft in drafts],
        [draft.body for draft in drafts],
        [markdown(draft.body) for draft in drafts],
        [language_of(draft.body) for draft in drafts],
        [draft.created_at for draft in drafts],
    )
    created = sum(row["is_new"] for row in rows)
    report.created += created
    report.updated += len(rows) - created
    report.unchanged += len(drafts) - len(rows)
    if rows:
        await recount(product_ids)
        await publish(ReviewsImported(review_ids=[row["id"] for row in rows]))


def _draft(row: Row, columns: dict[str, str]) -> Draft:
    given = {field: _text(row.values.get(column)) for field, column in columns.items()}
    product = clean(given["product"], "product", least=1, most=200)
    title = clean(given["title"], "title", most=200)
    body = clean(given["body"], "body", least=1, most=10_000, lines=True)
    author = clean(given["author"], "author", most=80)
    # The words are what makes a review the same one; where the file numbers its reviews, the number is.
    name = ["id", given["id"]] if given["id"] else ["words", title, body, author]
    return Draft(
        line=row.line,
        product=product,
        rating=_stars(given["rating"]),
        title=title,
        body=body,
        author=author,
        created_at=_moment(given["date"]),
        key=hashlib.sha256(msgspec.json.encode([product, *name])).hexdigest(),
    )


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _stars(given: str) -> int:
    stars = given.strip().removesuffix(".0")
    if stars not in ("1", "2", "3", "4", "5"):
        raise Invalid("rating", f"“{given[:20]}” is not one of 1, 2, 3, 4, 5")
    return int(stars)


def _moment(given: str) -> datetime:
    """An ISO 8601 date or time; none means now, the time of the import."""
    if not given.strip():
        return clock.now()
    try:
        moment = datetime.fromisoformat(given.strip())
    except ValueError as error:
        raise Invalid("date", f"“{given[:40]}” is not a date like 2026-03-31") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment > clock.now():
        raise Invalid("date", f"“{given[:40]}” has not come yet")
    return moment


async def _known_products(store: asyncpg.Record, batch: Iterable[Row], columns: dict[str, str]) -> dict[str, int]:
    named = {_text(row.values.get(columns["product"])).strip() for row in batch}
    rows = await db.fetch(
        "SELECT id, external_id FROM product WHERE store_id = $1 AND external_id = ANY($2::text[])",
        store["id"],
        [name.replace("\x00", "") for name in named],
    )
    return {row["external_id"]: row["id"] for row in rows}


async def _list_product(store: asyncpg.Record, external_id: str, row: Row, columns: dict[str, str]) -> int:
    """List a product that only its reviews speak of, with what they tell; its price is not known."""
    category = _text(row.values.get(columns["category"])).strip()
    title = _text(row.values.get(columns["product_title"])).strip() or (f"{category} {external_id}" if category else "")
    if not title:
        raise Invalid("product", f"the store lists no “{external_id[:40]}”, and nothing here names it")
    details = ProductDetails(
        title=title, url=store["origin"], price=Money(0, store["currency"]), category=category or None
    )
    return (await upsert_product(store, external_id, details)).id
