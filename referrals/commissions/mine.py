"""The terms as they apply to one member: their own rate and tier at each store, and how far their month has come."""

from datetime import datetime

import asyncpg
import msgspec

from app import clock, db
from app.money import Money
from referrals.commissions.volume import sold_in
from referrals.programs.terms import terms_of

MOST = 20


class MyTerms(msgspec.Struct, frozen=True):
    store: str
    slug: str
    rate_bps: int
    tier: str
    agreed_until: datetime | None
    sold: Money | None
    next_step: Money | None
    next_bps: int


async def terms_for(member_id: int) -> list[MyTerms]:
    """Of the stores a member has links to first, then of the others with a programme."""
    now = clock.now()
    rows = await db.fetch(
        """SELECT s.name, s.slug, v.program_id, v.rate_bps, v.terms, coalesce(t.tier, '') AS tier,
                  a.rate_bps AS agreed_bps, a.expires_at AS agreed_until,
                  EXISTS (SELECT 1 FROM link l WHERE l.store_id = s.id AND l.owner_id = $1) AS is_linked
             FROM program p JOIN store s ON s.id = p.store_id
             JOIN LATERAL (SELECT * FROM program_version WHERE program_id = p.id
                            ORDER BY version DESC LIMIT 1) v ON true
             LEFT JOIN partner t ON t.program_id = p.id AND t.member_id = $1 AND t.state = 'approved'
             LEFT JOIN LATERAL (
                  SELECT rate_bps, expires_at FROM rate_override
                   WHERE program_id = p.id AND member_id = $1 AND starts_at <= $2 AND $2 < expires_at
                     AND (ended_at IS NULL OR $2 < ended_at)
                   ORDER BY starts_at DESC, id DESC LIMIT 1) a ON true
            ORDER BY is_linked DESC, s.name, s.id LIMIT $3""",
        member_id,
        now,
        MOST,
    )
    return [await _terms_at(row, member_id, now) for row in rows]


async def _terms_at(row: asyncpg.Record, member_id: int, now: datetime) -> MyTerms:
    """Only a store with rates by volume costs one more look."""
    terms, sold, step = terms_of(row), None, None
    if terms.volume:
        start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        amount = await sold_in(row["program_id"], member_id, terms.currency, start)
        sold = Money(amount, terms.currency)
        step = next((one for one in terms.volume.steps if one.above > amount), None)
    return MyTerms(
        row["name"],
        row["slug"],
        row["rate_bps"] if row["agreed_bps"] is None else row["agreed_bps"],
        row["tier"],
        row["agreed_until"],
        sold,
        Money(step.above, terms.currency) if step else None,
        step.rate_bps if step else 0,
    )
