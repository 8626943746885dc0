"""The steps of a commission and the money that moves with them: each one guarded, noted and in the books."""

import asyncpg

from app import clock, db
from app.events import publish
from referrals.commissions.events import CommissionChanged
from referrals.commissions.states import BUCKET
from referrals.ledger.schemas import AccountName, Leg
from referrals.ledger.service import post


async def bring_to(commission: asyncpg.Record, order: asyncpg.Record, target: int, reason: str) -> None:
    """Post the difference between what stands and what should, in the bucket where the money lies."""
    delta = target - commission["standing"]
    if target == 0 and commission["state"] in ("tentative", "pending", "held", "approved"):
        state = "reversed"
    elif target > 0 and commission["state"] == "reversed":
        state = "pending"
    else:
        state = commission["state"]
    if delta:
        expense = AccountName("store", order["store_id"], "commission_expense", commission["currency"])
        owed = member_account(commission, BUCKET[commission["state"]])
        debit, credit = (expense, owed) if delta > 0 else (owed, expense)
        kind = "accrue" if delta > 0 else "reduce"
        await post_for(kind, commission, commission["postings"] + 1, debit, credit, abs(delta), reason)
    if state != commission["state"]:
        await step(commission, state, reason)
    if delta or state != commission["state"]:
        await publish(
            CommissionChanged(
                commission_id=commission["id"], member_id=commission["member_id"], order_id=commission["order_id"]
            )
        )


async def post_for(
    kind: str, commission: asyncpg.Record, seq: int, debit: AccountName, credit: AccountName, amount: int, reason: str
) -> None:
    await post(kind, "commission", commission["id"], seq, [Leg(debit, amount), Leg(credit, -amount)], reason=reason)


def member_account(commission: asyncpg.Record, bucket: str) -> AccountName:
    return AccountName("member", commission["member_id"], bucket, commission["currency"])


async def step(commission: asyncpg.Record, to_state: str, reason: str) -> bool:
    """One guarded step of the state; False when somebody else took it."""
    moved = await db.execute(
        "UPDATE commission SET state = $3 WHERE id = $1 AND state = $2", commission["id"], commission["state"], to_state
    )
    if moved:
        await note_step(commission["id"], commission["state"], to_state, reason)
    return bool(moved)


async def note_step(commission_id: int, from_state: str, to_state: str, reason: str) -> None:
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
