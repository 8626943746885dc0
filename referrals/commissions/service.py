"""From an order's facts to money: decide who is credited, work out what each line should earn, post the difference.

`settle` may run any number of times, in any order with any other event: it folds all facts of the order anew and
posts only what is missing between what stands in the books and what should.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.events import publish
from referrals.attribution.service import attribute
from referrals.commissions import friend, queries
from referrals.commissions.dues import Due, dues_of
from referrals.commissions.events import CommissionEarned
from referrals.commissions.hold_time import hold_end, reschedule
from referrals.commissions.postings import Step, bring_all, note_steps
from referrals.commissions.recruiting import note_recruiter
from referrals.commissions.within import Asking, key_of, key_of_due, missing, within_limits
from referrals.programs.queries import version
from referrals.programs.terms import terms_of


async def settle(order_id: int, *, because: str = "") -> None:
    """Bring the books to what this order's facts ask for; `because` is the word for what comes back."""
    async with db.transaction():
        order = await queries.lock_order(order_id)
        if order is None or order["paid_at"] is None:
            return
        decision = await attribute(order)
        if decision is None:
            return
        rules = await version(decision["program_version_id"])
        await friend.lock_buyers([(order, rules)])
        await note_recruiter(decision["winner_id"], rules)
        lines = await queries.lines_of(order)
        commissions = await queries.commissions_on(order_id)
        dues = await dues_of(order, decision, lines, commissions)
        opened = await _open_missing(order, decision, rules, missing(dues, commissions))
        if opened:
            # As mappings that can be changed: what the limits leave of a new one is written into it.
            commissions = [dict(one) for one in await queries.commissions_on(order_id)]
        asking = Asking(order, rules["program_id"], terms_of(rules), commissions, dues)
        within = await within_limits([asking], opened)
        await _tell_earned(one for one in commissions if one["id"] in opened)
        due_now = {key_of_due(due): due.target for due in dues}
        by_id = {line["id"]: line for line in lines}
        brought = []
        for one in commissions:
            target = within[one["id"]] if one["id"] in within else due_now.get(key_of(one))
            reason = reason_for(order, one, target, by_id[one["order_line_id"]])
            comes_back = because and (target or 0) > one["standing"]
            brought.append((one, target or 0, because if comes_back else reason))
        await reschedule(order, commissions, rules)
        await bring_all(brought)
        await friend.bring_all([(order, decision, rules, lines)])


async def _open_missing(
    order: asyncpg.Record, decision: asyncpg.Record, rules: asyncpg.Record, fresh: list[Due]
) -> set[int]:
    """A commission for each line and share that earns and has none yet; later decisions find it again."""
    opened = [await _open(order, decision, rules, due) for due in fresh]
    await note_steps([Step(one, "", "pending", "order_paid") for one in opened])
    return set(opened)


async def _tell_earned(opened: Iterable[Mapping[str, Any]]) -> None:
    for one in opened:
        if one["granted"]:
            earned = CommissionEarned(commission_id=one["id"], member_id=one["member_id"], order_id=one["order_id"])
            await publish(earned)


async def _open(order: asyncpg.Record, decision: asyncpg.Record, rules: asyncpg.Record, due: Due) -> int:
    opened: int = await db.fetch_val(
        """INSERT INTO commission (order_id, order_line_id, member_id, role, attribution_id, program_version_id,
                                   base, rate_bps, granted, rule, how, currency, state, hold_until, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11::jsonb, $12, 'pending', $13, $14) RETURNING id""",
        order["id"],
        due.line_id,
        due.member_id,
        due.role,
        decision["id"],
        decision["program_version_id"],
        due.base,
        due.rate_bps,
        due.granted,
        due.rule,
        msgspec.json.encode(due.how or {}).decode(),
        order["currency"],
        hold_end(order, rules, due.how.wait if due.how else None),
        clock.now(),
    )
    return opened


def reason_for(order: asyncpg.Record, commission: asyncpg.Record, target: int | None, line: asyncpg.Record) -> str:
    """Why the books move, in one stable word of `reasons`."""
    if (target or 0) > commission["standing"]:
        if line["won_back"] and commission["postings"]:
            return "dispute_won"
        return "order_changed" if commission["postings"] else "order_paid"
    if target is None:
        return "decided_anew"
    if order["cancelled_at"]:
        return "order_cancelled"
    if order["doubt"]:
        return "in_doubt"
    if line["disputed"] > line["won_back"]:
        return "disputed"
    return "refunded" if line["refunded"] else "order_changed"
