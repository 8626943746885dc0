from collections.abc import Sequence
from datetime import datetime

import asyncpg

from app import db
from app.paging import Page, cut, decode

Recruited = tuple[int, int, int, datetime, int | None]
"""A programme, a partner of it, how many months the bonus runs, the moment of an order, and its buyer if a member."""


async def recruiters_of(asked: Sequence[Recruited]) -> list[int | None]:
    """Who brought each partner to the programme, while the bonus runs; never the buyer, never a suspended account."""
    if not asked:
        return []
    rows = await db.fetch(
        """SELECT r.recruiter_id
             FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::timestamptz[], $5::bigint[])
                  WITH ORDINALITY AS a (program_id, member_id, months, at, buyer_id, place)
             LEFT JOIN recruit r
               ON r.program_id = a.program_id AND r.member_id = a.member_id
              AND r.recruiter_id IS DISTINCT FROM a.buyer_id
              AND a.at < r.since + make_interval(months => a.months)
              AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = r.recruiter_id AND s.created_at <= a.at
                                AND (s.until IS NULL OR s.until > a.at)
                                AND (s.lifted_at IS NULL OR s.lifted_at > a.at))
            ORDER BY a.place""",
        *map(list, zip(*asked, strict=True)),
    )
    return [row["recruiter_id"] for row in rows]


async def tier_of(program_id: int, member_id: int) -> str:
    """The tier of an approved partner, or an empty word."""
    found: str | None = await db.fetch_val(
        "SELECT tier FROM partner WHERE program_id = $1 AND member_id = $2 AND state = 'approved'",
        program_id,
        member_id,
    )
    return found or ""


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


async def open_programs(member_id: int, *, limit: int = 100) -> list[asyncpg.Record]:
    """Programmes that take applications, and those this member has to do with; their own first."""
    return await db.fetch(
        """SELECT s.slug, s.name, coalesce(f.is_open, false) AS is_open, coalesce(f.welcome, '') AS welcome,
                  coalesce(p.state, '') AS state, coalesce(p.tier, '') AS tier,
                  (SELECT count(*) FROM partner_message x WHERE x.program_id = g.id AND x.member_id = $1
                      AND x.is_from_store AND x.read_at IS NULL) AS unread
             FROM program g JOIN store s ON s.id = g.store_id
             LEFT JOIN partner_form f ON f.program_id = g.id
             LEFT JOIN partner p ON p.program_id = g.id AND p.member_id = $1
            WHERE f.is_open OR p.state IS NOT NULL
            ORDER BY p.state IS NULL, s.name, s.id LIMIT $2""",
        member_id,
        limit,
    )


async def application_of(program_id: int, member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT p.state, p.tier, a.answers, coalesce(a.reason, '') AS reason FROM partner p
             LEFT JOIN partner_application a ON a.program_id = p.program_id AND a.member_id = p.member_id
            WHERE p.program_id = $1 AND p.member_id = $2""",
        program_id,
        member_id,
    )


async def applications_to(program_id: int, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """Who waits to be let in, the one who has waited longest first."""
    after = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(
        """SELECT a.*, m.handle, m.name, m.created_at AS joined_at FROM partner_application a
             JOIN member m ON m.id = a.member_id
            WHERE a.program_id = $1 AND a.state = 'waiting' AND a.id > $2 ORDER BY a.id LIMIT $3""",
        program_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def invites_of(program_id: int, *, limit: int = 200) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT i.*, m.handle AS by_handle FROM partner_invite i JOIN member m ON m.id = i.by_id
            WHERE i.program_id = $1 ORDER BY i.ended_at IS NOT NULL, i.id DESC LIMIT $2""",
        program_id,
        limit,
    )


async def messages_of(
    program_id: int, member_id: int, *, cursor: str | None = None, limit: int = 30
) -> Page[asyncpg.Record]:
    """A partner's thread, newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT x.*, m.handle, m.name FROM partner_message x JOIN member m ON m.id = x.author_id
            WHERE x.program_id = $1 AND x.member_id = $2 AND ($3::bigint IS NULL OR x.id < $3)
            ORDER BY x.id DESC LIMIT $4""",
        program_id,
        member_id,
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def notes_on(program_id: int, member_id: int, *, limit: int = 100) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT n.*, m.handle FROM partner_note n JOIN member m ON m.id = n.author_id
            WHERE n.program_id = $1 AND n.member_id = $2 ORDER BY n.id DESC LIMIT $3""",
        program_id,
        member_id,
        limit,
    )


async def tags_on(program_id: int, member_id: int) -> list[str]:
    rows = await db.fetch(
        "SELECT tag FROM partner_tag WHERE program_id = $1 AND member_id = $2 ORDER BY tag", program_id, member_id
    )
    return [row["tag"] for row in rows]


async def assets_of(program_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        "SELECT * FROM partner_asset WHERE program_id = $1 AND ended_at IS NULL ORDER BY id DESC", program_id
    )


async def product_pictures(store_id: int, *, limit: int = 24) -> list[asyncpg.Record]:
    """Our own copies of the store's product pictures, the newest products first."""
    return await db.fetch(
        """SELECT slug, title, picture FROM product WHERE store_id = $1 AND picture <> '' AND withdrawn_at IS NULL
            ORDER BY id DESC LIMIT $2""",
        store_id,
        limit,
    )
