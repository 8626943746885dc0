"""From an order's facts to money: decide who is credited, work out what each line should earn, post the difference.

`settle` may run any number of times, in any order with any other event: it folds all facts of the order anew and
posts only what is missing between what stands in the books and what should.
"""

from datetime import timedelta

import asyncpg

from app import clock, db
from app.events import publish
from app.money import share_of
from referrals.attribution.service import attribute
from referrals.commissions import queries
from referrals.commissions.events import CommissionChanged, CommissionEarned
from referrals.commissions.states import BUCKET
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post
from referrals.programs.queries import version

ROLE = "sharer"
ORDERS_AT_ONCE = 1000


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
        if decision["winner_id"] is not None:
            await _open_commissions(order, decision, lines)
        by_id = {line["id"]: line for line in lines}
        for commission in await queries.commissions_on(order_id):
            line = by_id[commission["order_line_id"]]
            target = 0
            if commission["member_id"] == decision["winner_id"] and not order["cancelled_at"]:
                target = share_of(max(0, line["base"] - line["refunded"]), commission["rate_bps"])
            delta = target - commission["standing"]
            await _bring_to(commission, order, target, delta, _reason(order, decision, line, commission, delta))


async def release_due() -> int:
    """Approve what was on hold long enough; how many commissions. Only time's part: `held` never leaves this way."""
    released = 0
    while due := await queries.orders_with_due_commissions(clock.now(), ORDERS_AT_ONCE):
        for order_id in due:
            released += await _release(order_id)
    return released


async def _release(order_id: int) -> int:
    async with db.transaction():
        order = await queries.lock_order(order_id)
        assert order is not None
        due = [c for c in await queries.commissions_on(order_id) if c["state"] == "pending"]
        released = 0
        for commission in due:
            if commission["hold_until"] > clock.now() or not await _step(commission, "approved", "hold_ended"):
                continue
            if commission["standing"]:
                await _post(
                    "mature",
                    commission,
                    commission["postings"] + 1,
                    _member_account(commission, "pending"),
                    _member_account(commission, "available"),
                    commission["standing"],
                    "hold_ended",
                )
            released += 1
    return released


async def _open_commissions(order: asyncpg.Record, decision: asyncpg.Record, lines: list[asyncpg.Record]) -> None:
    """A commission for each line that can earn and has none for this member yet. Later decisions find it again."""
    rules = await version(decision["program_version_id"])
    known = {(c["order_line_id"], c["member_id"]) for c in await queries.commissions_on(order["id"])}
    # A store that dates an order back must not shorten the hold.
    heard = max(order["paid_at"], order["created_at"])
    for line in lines:
        granted = share_of(line["base"], rules["rate_bps"])
        if granted == 0 or (line["id"], decision["winner_id"]) in known:
            continue
        commission_id = await db.fetch_val(
            """INSERT INTO commission (order_id, order_line_id, member_id, role, attribution_id, program_version_id,
                                       base, rate_bps, granted, currency, state, hold_until, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'pending', $11, $12) RETURNING id""",
            order["id"],
            line["id"],
            decision["winner_id"],
            ROLE,
            decision["id"],
            rules["id"],
            line["base"],
            rules["rate_bps"],
            granted,
            order["currency"],
            heard + timedelta(days=rules["hold_days"]),
            clock.now(),
        )
        await _note_step(commission_id, "", "pending", "order_paid")
        await publish(
            CommissionEarned(commission_id=commission_id, member_id=decision["winner_id"], order_id=order["id"])
        )


async def _bring_to(commission: asyncpg.Record, order: asyncpg.Record, target: int, delta: int, reason: str) -> None:
    """Post the difference between what stands and what should, in the bucket where the money lies."""
    if target == 0 and commission["state"] in ("tentative", "pending", "held", "approved"):
        state = "reversed"
    elif target > 0 and commission["state"] == "reversed":
        state = "pending"
    else:
        state = commission["state"]
    bucket = BUCKET[commission["state"]]
    if delta:
        expense = AccountName("store", order["store_id"], "commission_expense", commission["currency"])
        owed = _member_account(commission, bucket)
        debit, credit = (expense, owed) if delta > 0 else (owed, expense)
        kind = "accrue" if delta > 0 else "reduce"
        await _post(kind, commission, commission["postings"] + 1, debit, credit, abs(delta), reason)
    if state != commission["state"]:
        await _step(commission, state, reason)
    if delta or state != commission["state"]:
        await publish(
            CommissionChanged(
                commission_id=commission["id"], member_id=commission["member_id"], order_id=commission["order_id"]
            )
        )


async def _post(
    kind: str, commission: asyncpg.Record, seq: int, debit: AccountName, credit: AccountName, amount: int, reason: str
) -> None:
    await post(kind, "commission", commission["id"], seq, [Leg(debit, amount), Leg(credit, -amount)], reason=reason)


def _member_account(commission: asyncpg.Record, bucket: str) -> AccountName:
    return AccountName("member", commission["member_id"], bucket, commission["currency"])


def _reason(
    order: asyncpg.Record, decision: asyncpg.Record, line: asyncpg.Record, commission: asyncpg.Record, delta: int
) -> str:
    """Why the books move, in one stable word."""
    if delta > 0:
        return "order_changed" if commission["postings"] else "order_paid"
    if commission["member_id"] != decision["winner_id"]:
        return "decided_anew"
    if order["cancelled_at"]:
        return "order_cancelled"
    return "refunded" if line["refunded"] else "order_changed"


async def _step(commission: asyncpg.Record, to_state: str, reason: str) -> bool:
    """One guarded step of the state; False when somebody else took it."""
    moved = await db.execute(
        "UPDATE commission SET state = $3 WHERE id = $1 AND state = $2", commission["id"], commission["state"], to_state
    )
    if moved:
        await _note_step(commission["id"], commission["state"], to_state, reason)
    return bool(moved)


async def _note_step(commission_id: int, from_state: str, to_state: str, reason: str) -> None:
    await db.execute(
        """INSERT INTO commission_event (commission_id, seq, from_state, to_state, reason, at)
           SELECT $1::bigint, coalesce(max(seq), 0) + 1, $2, $3, $4, $5::timestamptz
             FROM commission_event WHERE commission_id = $1""",
        commission_id,
        from_state,
        to_state,
        reason,
        clock.now(),
    )
