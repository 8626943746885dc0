from datetime import datetime

import asyncpg

from app import db

_BOUNTY = """SELECT b.*, s.slug AS store_slug, s.name AS store_name,
                    (SELECT count(*) FROM bounty_submission x
                      WHERE x.bounty_id = b.id AND x.state = 'approved') AS awarded
               FROM bounty b JOIN program p ON p.id = b.program_id JOIN store s ON s.id = p.store_id"""


async def open_bounties(now: datetime, limit: int = 100) -> list[asyncpg.Record]:
    return await db.fetch(f"{_BOUNTY} WHERE b.closes_at > $1 ORDER BY b.closes_at, b.id LIMIT $2", now, limit)


async def bounties_of(program_id: int, limit: int = 100) -> list[asyncpg.Record]:
    return await db.fetch(f"{_BOUNTY} WHERE b.program_id = $1 ORDER BY b.id DESC LIMIT $2", program_id, limit)


async def bounty(bounty_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(f"{_BOUNTY} WHERE b.id = $1", bounty_id)


async def submissions_to(program_id: int, limit: int = 200) -> list[asyncpg.Record]:
    """What was handed in for a programme's bounties, what waits first."""
    return await db.fetch(
        """SELECT x.*, b.title, b.amount, b.currency, m.handle, m.name
             FROM bounty_submission x JOIN bounty b ON b.id = x.bounty_id JOIN member m ON m.id = x.member_id
            WHERE b.program_id = $1 ORDER BY x.state = 'waiting' DESC, x.id DESC LIMIT $2""",
        program_id,
        limit,
    )


async def submission_by(bounty_id: int, member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT * FROM bounty_submission WHERE bounty_id = $1 AND member_id = $2", bounty_id, member_id
    )
