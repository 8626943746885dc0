import asyncpg

from app import db
from app.errors import NotFound


async def store_by_slug(slug: str) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM store WHERE slug = $1", slug)
    if row is None:
        raise NotFound(f"There is no store called “{slug[:40]}”.")
    return row
