from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any, Literal

import asyncpg
import msgspec
from msgspec import Meta

from app import db
from app.auth import Viewer
from app.paging import Page, cut, decode
from community.members.queries import AVATAR_URL
from content.reviews.evidence import VERIFIED
from content.reviews.policy import visible

Sort = Literal["helpful", "new", "rating"]

# The column that a list is sorted by, and what its cursor holds. Each has an index (product_id, column, id).
SORTS: dict[str, tuple[str, str, type]] = {
    "helpful": ("helpful_count", "int", int),
    "new": ("created_at", "timestamptz", datetime),
    "rating": ("rating", "int", int),
}
REVIEW = f"""
    SELECT r.id, r.product_id, r.author_id, r.author_name, r.rating, r.title, r.body, r.html, r.lang, r.evidence,
           r.evidence_since, r.helpful_count, r.created_at, r.edited_at, r.external_key <> '' AS is_imported,
           r.author_id AS member_id, m.handle, m.name,
           coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '') AS avatar_url,
           (SELECT jsonb_agg(jsonb_build_object('id', u.id, 'url', '{AVATAR_URL}' || u.key, 'width', u.width,
                                                'height', u.height) ORDER BY ph.position)
              FROM review_photo ph JOIN upload u ON u.id = ph.upload_id WHERE ph.review_id = r.id) AS photos,
           NOT {visible("r")} AS is_hidden,
           EXISTS (SELECT 1 FROM review_vote v WHERE v.review_id = r.id AND v.member_id = $1) AS voted,
           a.html AS reply_html, a.body AS reply_body, a.created_at AS replied_at
      FROM review r
      LEFT JOIN member m ON m.id = r.author_id
      LEFT JOIN review_reply a ON a.review_id = r.id
"""


class Filter(msgspec.Struct, frozen=True):
    """Which reviews, and in which order. Low stars are left out only for a reader who asks for other ones."""

    sort: Sort = "helpful"
    stars: Annotated[int, Meta(ge=1, le=5)] | None = None
    verified: bool = False


HELPFUL_FIRST = Filter()


def review_url(product_slug: str, review_id: int) -> str:
    """One review on a page of its own, wherever it stands in the list."""
    return f"/p/{product_slug}/reviews/{review_id}"


async def reviews_of(
    viewer: Viewer, product_id: int, wanted: Filter = HELPFUL_FIRST, *, cursor: str | None = None, limit: int = 20
) -> Page[asyncpg.Record]:
    """A product's visible reviews with their authors and the store's answers."""
    column, sql_type, cursor_type = SORTS[wanted.sort]
    last: tuple[Any, ...] = decode(cursor, (cursor_type, int)) or (None, None)
    rows = await db.fetch(
        f"""{REVIEW}
             WHERE r.product_id = $2 AND {visible("r")}
               AND ($3::int IS NULL OR r.rating = $3)
               AND (NOT $4::bool OR r.evidence = ANY($5::text[]))
               AND ($6::{sql_type} IS NULL OR (r.{column}, r.id) < ($6::{sql_type}, $7::bigint))
             ORDER BY r.{column} DESC, r.id DESC LIMIT $8""",
        viewer.member_id,
        product_id,
        wanted.stars,
        wanted.verified,
        VERIFIED,
        *last,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row[column], row["id"]))


async def review(viewer: Viewer, review_id: int) -> asyncpg.Record | None:
    """One review as lists show it. A hidden one is there for its author and moderators."""
    return await db.fetch_one(
        f"{REVIEW} WHERE r.id = $2 AND ({visible('r')} OR r.author_id = $1 OR $3::bool)",
        viewer.member_id,
        review_id,
        viewer.is_moderator,
    )


async def own_review(viewer: Viewer, product_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(f"{REVIEW} WHERE r.author_id = $1 AND r.product_id = $2", viewer.member_id, product_id)


async def reviews_by(member_id: int, *, limit: int = 10) -> list[asyncpg.Record]:
    """What a member reviewed last, with the product: for profiles and feeds."""
    return await db.fetch(
        f"""SELECT r.id, r.rating, r.title, r.body, r.lang, r.created_at, r.evidence, r.evidence_since, p.store_id,
                   p.slug AS product_slug, p.title AS product_title
              FROM review r JOIN product p ON p.id = r.product_id
             WHERE r.author_id = $1 AND {visible("r")} ORDER BY r.id DESC LIMIT $2""",
        member_id,
        limit,
    )


async def reviews_by_ids(review_ids: Collection[int]) -> list[asyncpg.Record]:
    """Visible reviews with their products, as search and feeds describe them."""
    return await db.fetch(
        f"""SELECT r.id, r.product_id, r.author_id, r.rating, r.title, r.body, r.lang, r.created_at, r.edited_at,
                   p.slug AS product_slug, p.title AS product_title
              FROM review r JOIN product p ON p.id = r.product_id
             WHERE r.id = ANY($1::bigint[]) AND {visible("r")}""",
        list(review_ids),
    )
