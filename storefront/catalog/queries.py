import asyncpg

from app import db
from app.errors import NotFound


async def product_of_store(store_id: int, external_id: str) -> asyncpg.Record:
    row = await db.fetch_one(
        "SELECT * FROM product WHERE store_id = $1 AND external_id = $2 AND withdrawn_at IS NULL", store_id, external_id
    )
    if row is None:
        raise NotFound()
    return row


async def product_by_id(product_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM product WHERE id = $1", product_id)
    if row is None:
        raise NotFound()
    return row
