"""From an order's facts to money: decide who is credited, work out what each line should earn, post the difference.

`settle` may run any number of times, in any order with any other event: it folds all facts of the order anew and
posts only what is missing between what stands in the books and what should.
"""

import asyncpg
import msgspec

from app import clock, db
from app.events import publish
from referrals.attribution.service import attribute
from referrals.commissions import friend, limits, queries
from referrals.commissions.dues import NO_BUDGET, RECRUITER, Due, dues_of
from referrals.commissions.events import CommissionEarned
from referrals.commissions.hold_time import hold_end, reschedule
from referrals.commissions.postings import Step, bring_all, note_steps, take
from referrals.commissions.recruiting import note_recruiter
from referrals.commissions.within import Key, granted_before, granted_of, key_of, key_of_due, wanted
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
        dues = {key_of_due(due): due for due in await dues_of(order, decision, lines, commissions)}
        known = {key_of(one) for one in commissions}
        fresh = {key: due for key, due in dues.items() if key not in known and (due.granted or due.rule == NO_BUDGET)}
        heights: dict[int, int] = {}
        if fresh:
            before = granted_before(commissions, [*dues.values()])
            heights = await _open_missing(order, decision, rules, fresh, commissions, before)
            commissions = await queries.commissions_on(order_id)
        targets = await _within_limits(commissions, dues, heights)
        by_id = {line["id"]: line for line in lines}
        brought = []
        for one in commissions:
            target = targets.get(one["id"])
            reason = reason_for(order, one, target, by_id[one["order_line_id"]])
            comes_back = because and (target or 0) > one["standing"]
            brought.append((one, target or 0, because if comes_back else reason))
        await reschedule(order, commissions, rules)
        await bring_all(brought)
        await friend.bring_all([(order, decision, rules, lines)])


async def _open_missing(
    order: asyncpg.Record,
    decision: asyncpg.Record,
    rules: asyncpg.Record,
    fresh: dict[Key, Due],
    known: list[asyncpg.Record],
    before: dict[int, int],
) -> dict[int, int]:
    """A commission for each line and share that earns and has none yet; how high the limits on these are.

    Later decisions find it again. One that found its budget empty is kept as well: it does not earn by a later refund.
    """
    opened = {key: await _open(order, decision, rules, due) for key, due in fresh.items()}
    await note_steps([Step(one, "", "pending", "order_paid") for one in opened.values()])
    heights = await _grant(order, rules, fresh, opened, known, before)
    rows = await db.fetch(
        "SELECT id, member_id, granted FROM commission WHERE id = ANY($1::bigint[])", [*opened.values()]
    )
    await take([Step(row["id"], "pending", "rejected", "limit_reached") for row in rows if not row["granted"]])
    for row in rows:
        if row["granted"]:
            earned = CommissionEarned(commission_id=row["id"], member_id=row["member_id"], order_id=order["id"])
            await publish(earned)
    return heights


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


async def _grant(
    order: asyncpg.Record,
    rules: asyncpg.Record,
    fresh: dict[Key, Due],
    opened: dict[Key, int],
    known: list[asyncpg.Record],
    before: dict[int, int],
) -> dict[int, int]:
    """What the limits leave of new grants becomes what was granted, for good."""
    terms = terms_of(rules)
    budgets = {key: due.how.budget if due.how else "" for key, due in fresh.items()}
    if not limits.are_set(terms, budgets.values()):
        return {}
    watched = [limits.Fresh(opened[key], due.member_id, budgets[key]) for key, due in fresh.items()]
    heights = await limits.watch(watched, rules["program_id"], terms, order)
    await limits.lock_for(opened.values())
    new = [{"id": opened[key], "order_line_id": key[0], "member_id": key[1], "role": key[2]} for key in fresh]
    got: dict[int, int] = {}
    # Whoever recruited gets a share of what the recruit really gets.
    for is_second in (False, True):
        asked = {opened[key]: due for key, due in fresh.items() if (due.role == RECRUITER) == is_second}
        amounts = {one: granted_of(due, [*known, *new], before | got) for one, due in asked.items()}
        got |= await limits.reserve([limits.Claim(one, amount, 0) for one, amount in amounts.items()], heights)
    await db.execute_many("UPDATE commission SET granted = $2 WHERE id = $1 AND granted <> $2", [*got.items()])
    return heights


async def _within_limits(
    commissions: list[asyncpg.Record], dues: dict[Key, Due], heights: dict[int, int]
) -> dict[int, int]:
    """What each commission should stand at: what is due, less what a limit has cut off. One that nobody is due any
    more is left out."""
    await limits.lock_for(one["id"] for one in commissions if one["reserved"] is not None)
    targets: dict[int, int] = {}
    for is_second in (False, True):
        asked = [one for one in commissions if (one["role"] == RECRUITER) == is_second]
        for one in asked:
            due = dues.get(key_of(one))
            if due is not None and one["state"] != "rejected":
                targets[one["id"]] = wanted(one, due, commissions, targets)
        claims = [
            limits.Claim(one["id"], targets.get(one["id"], 0), one["reserved"])
            for one in asked
            if one["reserved"] is not None and targets.get(one["id"], 0) != one["reserved"]
        ]
        has = await limits.reserve(claims, heights)
        targets |= {one: amount for one, amount in has.items() if one in targets}
    return targets


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
