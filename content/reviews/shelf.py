"""Products with what their reviews say of them: the head of a product page, and the grid of many."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from app import db
from app.auth import Viewer
from app.errors import NotFound
from app.paging import Page, cut, decode
from content.reviews.evidence import VERIFIED
from content.reviews.policy import visible

FACETS = 16
# The sums over product_rating, five rows a product at most.
RATED = """LEFT JOIN LATERAL (
    SELECT sum(pr.reviews)::int AS review_count,
           sum(pr.stars * pr.reviews)::float8 / nullif(sum(pr.reviews), 0) AS rating
      FROM product_rating pr WHERE pr.product_id = p.id) rated ON true"""


class Shelf(msgspec.Struct):
    """A page of products, and the categories and brands that would narrow it."""

    products: Page[asyncpg.Record]
    categories: list[tuple[str, int]]
    brands: list[tuple[str, int]]


async def product_page(viewer: Viewer, slug: str) -> asyncpg.Record:
    """A product with its store, its histogram (reviews by stars), how many are hidden, and the viewer's own review."""
    row = await db.fetch_one(
        f"""SELECT p.*, s.slug AS store_slug, s.name AS store_name, s.owner_id AS store_owner_id,
                  coalesce((SELECT jsonb_object_agg(pr.stars, pr.reviews) FROM product_rating pr
                             WHERE pr.product_id = p.id), '{{}}') AS by_stars,
                  (SELECT count(*) FROM review r WHERE r.product_id = p.id AND NOT {visible("r")}) AS hidden_count,
                  (SELECT count(*) FROM review r WHERE r.product_id = p.id AND r.evidence = ANY($3::text[])
                      AND {visible("r")}) AS verified_count,
                  (SELECT r.id FROM review r WHERE r.product_id = p.id AND r.author_id = $2) AS own_review_id
             FROM product p JOIN store s ON s.id = p.store_id
            WHERE p.slug = $1""",
        slug,
        viewer.member_id,
        VERIFIED,
    )
    if row is None:
        raise NotFound()
    return row


def histogram(by_stars: Mapping[str, int]) -> list[tuple[int, int]]:
    """[(5, n), (4, n), …] out of what `product_page` read."""
    return [(stars, int(by_stars.get(str(stars), 0))) for stars in (5, 4, 3, 2, 1)]


def mean(rows: list[tuple[int, int]]) -> float | None:
    total = sum(n for _, n in rows)
    return sum(stars * n for stars, n in rows) / total if total else None


async def shelf(*, category: str = "", brand: str = "", cursor: str | None = None, limit: int = 24) -> Shelf:
    """Products on sale, the newest first. Two queries, however many there are."""
    last: tuple[Any, ...] = decode(cursor, (datetime, int)) or (None, None)
    rows = await db.fetch(
        f"""SELECT p.id, p.slug, p.title, p.picture, p.brand, p.category, nullif(p.price, 0) AS price, p.currency,
                   p.created_at, rated.rating, rated.review_count
              FROM product p {RATED}
             WHERE p.withdrawn_at IS NULL AND ($1 = '' OR p.category = $1) AND ($2 = '' OR p.brand = $2)
               AND ($3::timestamptz IS NULL OR (p.created_at, p.id) < ($3::timestamptz, $4::bigint))
             ORDER BY p.created_at DESC, p.id DESC LIMIT $5""",
        category,
        brand,
        *last,
        limit + 1,
    )
    counted = await db.fetch(
        """(SELECT 'category' AS kind, category AS value, count(*)::int AS n FROM product
             WHERE withdrawn_at IS NULL AND category <> '' GROUP BY category ORDER BY n DESC, category LIMIT $1)
           UNION ALL
           (SELECT 'brand', brand, count(*)::int AS n FROM product
             WHERE withdrawn_at IS NULL AND brand <> '' AND ($2 = '' OR category = $2)
             GROUP BY brand ORDER BY n DESC, brand LIMIT $1)""",
        FACETS,
        category,
    )
    return Shelf(
        cut(rows, limit, lambda row: (row["created_at"], row["id"])),
        [(row["value"], row["n"]) for row in counted if row["kind"] == "category"],
        [(row["value"], row["n"]) for row in counted if row["kind"] == "brand"],
    )


async def products_by_ids(product_ids: Collection[int]) -> dict[int, asyncpg.Record]:
    """Products with live price and rating, by id: for cards in guides and talk."""
    return await _cards("p.id = ANY($1::bigint[])", list(product_ids))


async def products_by_slugs(slugs: Collection[str]) -> dict[int, asyncpg.Record]:
    return await _cards("p.slug = ANY($1::text[])", list(slugs))


async def _cards(condition: str, keys: list) -> dict[int, asyncpg.Record]:
    rows = await db.fetch(
        f"""SELECT p.id, p.slug, p.title, p.url, p.picture, p.brand, p.category, nullif(p.price, 0) AS price,
                   p.currency, p.withdrawn_at, p.store_id, s.name AS store_name, rated.rating, rated.review_count
              FROM product p JOIN store s ON s.id = p.store_id {RATED}
             WHERE {condition}""",
        keys,
    )
    return {row["id"]: row for row in rows}
