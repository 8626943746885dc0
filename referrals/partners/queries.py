from datetime import datetime

import asyncpg

from app import db


async def recruiter_of(
    program_id: int, member_id: int, months: int, at: datetime, *, buyer_id: int | None = None
) -> int | None:
    """Who brought a partner to the programme, while their bonus runs; never the buyer, never a suspended account."""
    found: int | None = await db.fetch_val(
        """SELECT r.recruiter_id FROM recruit r
            WHERE r.program_id = $1 AND r.member_id = $2 AND r.recruiter_id IS DISTINCT FROM $5
              AND $4::timestamptz < r.since + make_interval(months => $3)
              AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = r.recruiter_id AND s.created_at <= $4
                                AND (s.until IS NULL OR s.until > $4)
                                AND (s.lifted_at IS NULL OR s.lifted_at > $4))""",
        program_id,
        member_id,
        months,
        at,
        buyer_id,
    )
    return found


async def tiers_of(program_id: int) -> list[str]:
    rows = await db.fetch(
        "SELECT DISTINCT tier FROM partner WHERE program_id = $1 AND tier <> '' ORDER BY tier", program_id
    )
    return [row["tier"] for row in rows]


async def agreed_rates(program_id: int, now: datetime, *, limit: int = 200) -> list[asyncpg.Record]:
    """The rates agreed with single members, those in force first."""
    return await db.fetch(
        """SELECT o.*, m.handle, m.name, b.handle AS by_handle,
                  o.ended_at IS NULL AND o.starts_at <= $2 AND $2 < o.expires_at AS in_force
             FROM rate_override o JOIN member m ON m.id = o.member_id JOIN member b ON b.id = o.by_id
            WHERE o.program_id = $1 ORDER BY in_force DESC, o.id DESC LIMIT $3""",
        program_id,
        now,
        limit,
    )


async def tiered_partners(program_id: int, *, limit: int = 200) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT p.member_id, p.tier, m.handle, m.name FROM partner p JOIN member m ON m.id = p.member_id
            WHERE p.program_id = $1 AND p.state = 'approved' AND p.tier <> '' ORDER BY p.tier, m.handle LIMIT $2""",
        program_id,
        limit,
    )
