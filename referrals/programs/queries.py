from datetime import datetime

import asyncpg

from app import db


async def version_at(store_id: int, moment: datetime) -> asyncpg.Record | None:
    """The rules of a store that were in force at a moment, or None."""
    return await db.fetch_one(
        """SELECT v.id, v.program_id, v.version, v.rate_bps, v.hold_days, v.window_days, v.model, v.published_at
             FROM program p JOIN program_version v ON v.program_id = p.id
            WHERE p.store_id = $1 AND v.published_at <= $2
            ORDER BY v.version DESC LIMIT 1""",
        store_id,
        moment,
    )


async def version(version_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM program_version WHERE id = $1", version_id)
    assert row is not None
    return row
