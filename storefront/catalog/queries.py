import asyncpg

from app import db
from app.errors import NotFound


async def product_in_store(store_slug: str, external_id: str) -> asyncpg.Record:
    """The product by the names its shop uses, with the shop's `origin`; also one that is no longer sold."""
    row = await db.fetch_one(
        """SELECT p.*, s.origin FROM product p JOIN store s ON s.id = p.store_id
            WHERE s.slug = $1 AND p.external_id = $2""",
        store_slug,
        external_id,
    )
    if row is None:
        raise NotFound()
    return row


async def product_by_id(product_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM product WHERE id = $1", product_id)
    if row is None:
        raise NotFound()
    return row
