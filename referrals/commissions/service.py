"""From an order's facts to money: decide who is credited, work out what each line should earn, post the difference.

`settle` may run any number of times, in any order with any other event: it folds all facts of the order anew and
posts only what is missing between what stands in the books and what should.
"""

from datetime import timedelta

import asyncpg

from app import clock, db
from app.events import publish
from referrals.attribution.service import attribute
from referrals.commissions import queries
from referrals.commissions.dues import Due, dues_of
from referrals.commissions.events import CommissionEarned
from referrals.commissions.postings import bring_all, note_step
from referrals.programs.queries import version


async def settle(order_id: int) -> None:
    """Bring the books to what this order's facts ask for."""
    async with db.transaction():
        order = await queries.lock_order(order_id)
        if order is None or order["paid_at"] is None:
            return
        decision = await attribute(order)
        if decision is None:
            return
        lines = await queries.lines_of(order)
        dues = await dues_of(order, decision, lines, await queries.commissions_on(order_id))
        await _open_missing(order, decision, dues)
        targets = {(due.line_id, due.member_id, due.role): due.target for due in dues}
        refunded = {line["id"] for line in lines if line["refunded"]}
        wanted = []
        for commission in await queries.commissions_on(order_id):
            target = targets.get((commission["order_line_id"], commission["member_id"], commission["role"]))
            wanted.append((commission, target or 0, _reason(order, commission, target, refunded)))
        await bring_all(wanted)


async def _open_missing(order: asyncpg.Record, decision: asyncpg.Record, dues: list[Due]) -> None:
    """A commission for each line and share that earns and has none yet. Later decisions find it again."""
    known = {(c["order_line_id"], c["member_id"], c["role"]) for c in await queries.commissions_on(order["id"])}
    rules = await version(decision["program_version_id"])
    # A store that dates an order back must not shorten the hold.
    heard = max(order["paid_at"], order["created_at"])
    for due in dues:
        if due.granted == 0 or (due.line_id, due.member_id, due.role) in known:
            continue
        commission_id = await db.fetch_val(
            """INSERT INTO commission (order_id, order_line_id, member_id, role, attribution_id, program_version_id,
                                       base, rate_bps, granted, currency, state, hold_until, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12) RETURNING id""",
            order["id"],
            due.line_id,
            due.member_id,
            due.role,
            decision["id"],
            decision["program_version_id"],
            due.base,
            due.rate_bps,
            due.granted,
            order["currency"],
            heard + timedelta(days=rules["hold_days"]),
            clock.now(),
        )
        await note_step(commission_id, "", "pending", "order_paid")
        await publish(CommissionEarned(commission_id=commission_id, member_id=due.member_id, order_id=order["id"]))


def _reason(order: asyncpg.Record, commission: asyncpg.Record, target: int | None, refunded: set[int]) -> str:
    """Why the books move, in one stable word."""
    if (target or 0) > commission["standing"]:
        return "order_changed" if commission["postings"] else "order_paid"
    if target is None:
        return "decided_anew"
    if order["cancelled_at"]:
        return "order_cancelled"
    if order["doubt"]:
        return "in_doubt"
    return "refunded" if commission["order_line_id"] in refunded else "order_changed"
