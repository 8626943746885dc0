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
from referrals.commissions.dues import Due, dues_of
from referrals.commissions.events import CommissionEarned
from referrals.commissions.hold_time import hold_end, reschedule
from referrals.commissions.postings import bring_all, note_step
from referrals.commissions.recruiting import note_recruiter
from referrals.programs.queries import version
from referrals.programs.terms import terms_of

Key = tuple[int, int, str]


async def settle(order_id: int) -> None:
    """Bring the books to what this order's facts ask for."""
    async with db.transaction():
        order = await queries.lock_order(order_id)
        if order is None or order["paid_at"] is None:
            return
        decision = await attribute(order)
        if decision is None:
            return
        rules = await version(decision["program_version_id"])
        await note_recruiter(decision["winner_id"], rules)
        lines = await queries.lines_of(order)
        dues = {
            (due.line_id, due.member_id, due.role): due
            for due in await dues_of(order, decision, lines, await queries.commissions_on(order_id))
        }
        heights = await _open_missing(order, decision, rules, dues)
        commissions = await queries.commissions_on(order_id)
        targets = await _within_limits(commissions, dues, heights)
        refunded = {line["id"] for line in lines if line["refunded"]}
        wanted = []
        for one in commissions:
            target = targets.get(one["id"])
            wanted.append((one, target or 0, _reason(order, one, target, refunded)))
        await reschedule(order, commissions, rules)
        await bring_all(wanted)
        await friend.bring(order, decision, rules, lines)


async def _open_missing(
    order: asyncpg.Record, decision: asyncpg.Record, rules: asyncpg.Record, dues: dict[Key, Due]
) -> dict[int, int]:
    """A commission for each line and share that earns and has none yet; how high the limits on these are.

    Later decisions find it again.
    """
    known = {_key(c) for c in await queries.commissions_on(order["id"])}
    fresh = []
    for key, due in dues.items():
        if due.granted == 0 or key in known:
            continue
        commission_id = await db.fetch_val(
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
            hold_end(order, rules),
            clock.now(),
        )
        fresh.append(limits.Fresh(commission_id, due.member_id, due.how.budget if due.how else ""))
        await note_step(commission_id, "", "pending", "order_paid")
        await publish(CommissionEarned(commission_id=commission_id, member_id=due.member_id, order_id=order["id"]))
    return await _grant(fresh, order, rules)


async def _grant(fresh: list[limits.Fresh], order: asyncpg.Record, rules: asyncpg.Record) -> dict[int, int]:
    """What the limits leave of new grants becomes what was granted, for good."""
    heights = await limits.watch(fresh, rules["program_id"], terms_of(rules), order) if fresh else {}
    asked = (
        await db.fetch(
            """SELECT id, granted FROM commission c WHERE id = ANY($1::bigint[])
              AND EXISTS (SELECT 1 FROM commission_limit_use u WHERE u.commission_id = c.id)""",
            [one.commission_id for one in fresh],
        )
        if fresh
        else []
    )
    got = await limits.reserve([limits.Claim(one["id"], one["granted"], 0) for one in asked], heights)
    for one in asked:
        if got[one["id"]] < one["granted"]:
            await db.execute("UPDATE commission SET granted = $2 WHERE id = $1", one["id"], got[one["id"]])
    return heights


async def _within_limits(
    commissions: list[asyncpg.Record], dues: dict[Key, Due], heights: dict[int, int]
) -> dict[int, int]:
    """What each commission should stand at: what is due, less what a limit has cut off. One that nobody is due any
    more is left out."""
    targets = {}
    for one in commissions:
        due = dues.get(_key(one))
        if due is None or one["state"] == "rejected":
            continue
        was_cut = one["reserved"] is not None and one["granted"] < one["how"].get("asked", 0)
        targets[one["id"]] = due.cut_to(one["granted"]) if was_cut else due.target
    claims = [
        limits.Claim(one["id"], targets.get(one["id"], 0), one["reserved"])
        for one in commissions
        if one["reserved"] is not None
    ]
    has = await limits.reserve([claim for claim in claims if claim.wanted != claim.reserved], heights)
    return targets | {one: amount for one, amount in has.items() if one in targets}


def _key(commission: asyncpg.Record) -> Key:
    return (commission["order_line_id"], commission["member_id"], commission["role"])


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
