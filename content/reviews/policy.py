import asyncpg

from app import db
from app.auth import Viewer
from app.errors import NotFound
from community.moderation.queries import in_sight


def visible(alias: str) -> str:
    """SQL: no moderator has hidden this review. Every list of reviews, of any feature, says so."""
    return in_sight("review", f"{alias}.id")


async def access_review(viewer: Viewer, review_id: int) -> asyncpg.Record:
    """The review with its product and store, or NotFound. A hidden one is there for its author and moderators."""
    row = await db.fetch_one(
        f"""SELECT r.*, NOT {visible("r")} AS is_hidden, p.slug AS product_slug, p.store_id,
                   s.name AS store_name, s.owner_id AS store_owner_id
              FROM review r JOIN product p ON p.id = r.product_id JOIN store s ON s.id = p.store_id
             WHERE r.id = $1""",
        review_id,
    )
    if row is None or (row["is_hidden"] and not (viewer.is_moderator or may_edit(viewer, row))):
        raise NotFound()
    return row


def may_edit(viewer: Viewer, review: asyncpg.Record) -> bool:
    return viewer.is_member and review["author_id"] == viewer.member_id


def may_vote(viewer: Viewer, review: asyncpg.Record) -> bool:
    """Neither its author nor the shop says which reviews of the shop's products help."""
    return viewer.is_member and viewer.member_id not in (review["author_id"], review["store_owner_id"])


def speaks_for_store(viewer: Viewer, store_owner_id: int | None) -> bool:
    return viewer.is_admin or (viewer.is_member and store_owner_id == viewer.member_id)
