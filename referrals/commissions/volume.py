"""What a month's volume adds: lines are paid at the plain rate, and the difference to the higher rate is a commission
of its own for each member and month. It is worked out from what is left of the month's sales, so any order of orders
and refunds ends at the same sum, and each change is a posting that says why."""

from collections.abc import Iterable
from datetime import UTC, datetime

import asyncpg

from app import db
from app.money import EXPONENTS
from referrals.commissions import limits
from referrals.commissions.postings import bring_all
from referrals.commissions.reckoning import WHOLE, half_even, months_after
from referrals.commissions.rewards import grant
from referrals.commissions.standing import given_back, lock_commissions
from referrals.programs.queries import version
from referrals.programs.terms import Volume, terms_of

VOLUME = "volume"


async def rerate(order_id: int, member_id: int) -> None:
    """Bring a member's addition for the month of an order to what the month's sales ask for."""
    order = await db.fetch_one(
        """SELECT o.store_id, o.currency, o.paid_at FROM orders o
            WHERE o.id = $1 AND EXISTS (SELECT 1 FROM commission c WHERE c.order_id = o.id AND c.member_id = $2
                                           AND c.how ? 'counts_for_volume')""",
        order_id,
        member_id,
    )
    if order is None or order["currency"] not in EXPONENTS:
        return
    start = order["paid_at"].astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    async with db.transaction():
        program_id = await db.fetch_val("SELECT id FROM program WHERE store_id = $1", order["store_id"])
        source = f"volume:{program_id}:{member_id}:{start:%Y-%m}:{order['currency']}"
        # Held to the commit: what is counted after it sees every month's order that was counted before.
        await db.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", source)
        rules = await _rules_of_month(source, program_id, member_id, order["currency"], start)
        if rules is None:
            return
        volume = terms_of(rules).volume
        assert volume is not None
        sold = await sold_in(program_id, member_id, order["currency"], start)
        await _bring(source, rules, member_id, order["currency"], start, addition(volume, rules["rate_bps"], sold))


async def _bring(
    source: str, rules: asyncpg.Record, member_id: int, currency: str, start: datetime, target: int
) -> None:
    known = await db.fetch_val("SELECT id FROM commission WHERE source = $1", source)
    if known is None:
        if target:
            await grant(
                source,
                rules,
                member_id=member_id,
                role="sharer",
                rule=VOLUME,
                amount=target,
                currency=currency,
                reason="rerated",
                # Returns of the month's last day are waited for as well.
                hold_from=months_after(start, 1),
            )
        return
    for one in await lock_commissions([known]):
        if one["reserved"] is not None:
            target = (await limits.reserve([limits.Claim(known, target, one["reserved"])]))[known]
        await bring_all([(one, target, "rerated")])


def addition(volume: Volume, plain_bps: int, sold: int) -> int:
    """What the steps pay beyond the plain rate; a step below it takes nothing away."""
    reached = [
        step for step in volume.steps if sold > step.above or (volume.mode == "retroactive" and sold == step.above)
    ]
    if volume.mode == "retroactive":
        rate = max([plain_bps, *(step.rate_bps for step in reached[-1:])])
        return half_even(sold * (rate - plain_bps), WHOLE)
    more = 0
    ends = [*(one.above for one in reached[1:]), sold]
    for step, after in zip(reached, ends, strict=False):
        more += (after - step.above) * max(0, step.rate_bps - plain_bps)
    return half_even(more, WHOLE)


async def sold_in(program_id: int, member_id: int, currency: str, start: datetime) -> int:
    """What is left of a member's sales of a month that count."""
    sold: int = await db.fetch_val(
        f"""SELECT coalesce(sum(greatest(greatest(l.gross - l.discount, 0)
                        - ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")}), 0)), 0)::bigint
              FROM commission c
              JOIN program_version v ON v.id = c.program_version_id AND v.program_id = $1
              JOIN order_line l ON l.id = c.order_line_id
              JOIN orders o ON o.id = c.order_id
              JOIN LATERAL (SELECT winner_id FROM attribution WHERE order_id = o.id
                             ORDER BY version DESC LIMIT 1) d ON d.winner_id = c.member_id
             WHERE c.member_id = $2 AND c.currency = $3 AND c.role = 'sharer' AND c.state <> 'rejected'
               AND c.how ? 'counts_for_volume' AND o.paid_at >= $4 AND o.paid_at < $5
               AND o.cancelled_at IS NULL AND o.doubt = ''""",
        program_id,
        member_id,
        currency,
        start,
        months_after(start, 1),
    )
    return sold


async def sold_in_month(source: str, version_id: int) -> tuple[int, int]:
    """What an addition was worked out from: the month's sales that count, and the plain rate of its rules."""
    program_id, member_id, month, currency = source.split(":")[1:]
    start = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    rules = await version(version_id)
    return await sold_in(int(program_id), int(member_id), currency, start), rules["rate_bps"]


async def _rules_of_month(
    source: str, program_id: int, member_id: int, currency: str, start: datetime
) -> asyncpg.Record | None:
    """The steps that a month goes by: those its addition was first granted under, or its first order's."""
    return await db.fetch_one(
        """SELECT v.* FROM program_version v
            WHERE v.id = coalesce(
                (SELECT program_version_id FROM commission WHERE source = $1),
                (SELECT c.program_version_id FROM commission c JOIN orders o ON o.id = c.order_id
                   JOIN program_version w ON w.id = c.program_version_id AND w.program_id = $2
                  WHERE c.member_id = $3 AND c.currency = $4 AND c.how ? 'counts_for_volume'
                    AND o.paid_at >= $5 AND o.paid_at < $6 ORDER BY o.paid_at, o.id LIMIT 1))""",
        source,
        program_id,
        member_id,
        currency,
        start,
        months_after(start, 1),
    )


async def restore(commission_ids: Iterable[int]) -> None:
    """Commissions without an order were opened again after a rejection: what they are worth stands once more.

    The caller is in a transaction and has moved their states.
    """
    for one in await lock_commissions(commission_ids):
        target = one["granted"]
        if one["rule"] == VOLUME:
            sold, plain_bps = await sold_in_month(one["source"], one["program_version_id"])
            steps = terms_of(await version(one["program_version_id"])).volume
            target = addition(steps, plain_bps, sold) if steps else 0
        if one["reserved"] is not None:
            target = (await limits.reserve([limits.Claim(one["id"], target, one["reserved"])]))[one["id"]]
        await bring_all([(one, target, "appeal_upheld")])
