from datetime import datetime

import asyncpg

from app import db


async def version_at(store_id: int, moment: datetime) -> asyncpg.Record | None:
    """The rules of a store that were in force at a moment, or None."""
    return await db.fetch_one(
        """SELECT v.id, v.program_id, v.version, v.rate_bps, v.hold_days, v.window_days, v.model, v.published_at,
                  v.policy, v.terms
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


async def stores_run_by(member_id: int | None) -> list[asyncpg.Record]:
    """The stores of a member, or all of them, with the rules in force."""
    return await db.fetch(
        """SELECT s.slug, s.name, v.version, v.rate_bps
             FROM store s
             LEFT JOIN program p ON p.store_id = s.id
             LEFT JOIN LATERAL (SELECT version, rate_bps FROM program_version
                                 WHERE program_id = p.id ORDER BY version DESC LIMIT 1) v ON true
            WHERE $1::bigint IS NULL OR s.owner_id = $1
            ORDER BY s.name, s.id LIMIT 500""",
        member_id,
    )
