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


async def version_numbered(program_id: int, number: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT * FROM program_version WHERE program_id = $1 AND version = $2", program_id, number
    )


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


async def newest(program_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT * FROM program_version WHERE program_id = $1 ORDER BY version DESC LIMIT 1", program_id
    )


async def program_of(store_id: int) -> asyncpg.Record | None:
    return await db.fetch_one("SELECT * FROM program WHERE store_id = $1", store_id)


async def versions_of(program_id: int, *, before: int | None = None, limit: int = 20) -> list[asyncpg.Record]:
    """The versions of a programme with who published them, newest first."""
    return await db.fetch(
        """SELECT v.*, m.handle AS by_handle,
                  (SELECT count(*) FROM (SELECT 1 FROM commission WHERE program_version_id = v.id LIMIT 1000) c) AS uses
             FROM program_version v LEFT JOIN member m ON m.id = v.by_id
            WHERE v.program_id = $1 AND ($2::int IS NULL OR v.version < $2) ORDER BY v.version DESC LIMIT $3""",
        program_id,
        before,
        limit,
    )
