"""What time may do to a commission: approve it once its hold has ended. `held` never leaves this way."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from app import clock, db
from referrals.commissions.debts import Debts
from referrals.commissions.postings import Step, credit, legs_of, owed, posting, take, tell_changed
from referrals.commissions.standing import lock_commissions
from referrals.ledger.service import post_all

AT_ONCE = 200


async def release_due() -> int:
    """Approve what was on hold long enough and was screened for fraud; how many commissions."""
    released, last_id = 0, 0
    while due := await _due(last_id):
        last_id = due[-1]
        released += await _release(due)
    return released


async def _due(last_id: int) -> list[int]:
    rows = await db.fetch(
        """SELECT id FROM commission
            WHERE state = 'pending' AND hold_until <= $1 AND screened_at IS NOT NULL AND id > $2
              AND coalesce(risk_hold_until, hold_until) <= $1
            ORDER BY id LIMIT $3""",
        clock.now(),
        last_id,
        AT_ONCE,
    )
    return [row["id"] for row in rows]


async def _release(commission_ids: Sequence[int]) -> int:
    async with db.transaction():
        now = clock.now()
        # Read again under the lock: a refund or a hold may have come first.
        due = [one for one in await lock_commissions(commission_ids) if may_be_released(one, now)]
        await take([Step(one["id"], "pending", "approved", "hold_ended") for one in due])
        await tell_changed(due)
        await _mature(due)
    return len(due)


def may_be_released(commission: asyncpg.Record, now: datetime) -> bool:
    """The store's time for returns and ours for a risk are both over, and it was screened."""
    until = max(commission["hold_until"], commission["risk_hold_until"] or commission["hold_until"])
    return commission["state"] == "pending" and commission["screened_at"] is not None and until <= now


async def _mature(commissions: Sequence[asyncpg.Record]) -> None:
    """The money becomes the member's, after what they owe the store."""
    debts, postings = await Debts.of(one for one in commissions if one["in_pending"]), []
    for one in commissions:
        amount = one["in_pending"]
        if amount:
            netted = debts.pay(one, amount)
            legs = [*legs_of((owed(one, "pending"), amount)), *credit(one, "available", amount - netted, netted)]
            postings.append(posting("mature", one, legs, "hold_ended"))
    await post_all(postings)
