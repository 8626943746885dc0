"""What people, and the rules that watch for fraud, may do to a commission. Each step says who and why.

Everything here is called inside the caller's transaction; it locks the orders, so call it before posting anything.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import asyncpg

from app import clock, db
from referrals.commissions import limits
from referrals.commissions.debts import Debts
from referrals.commissions.postings import Step, difference, legs_of, owed, posting, take, tell_changed
from referrals.commissions.standing import lock_commissions
from referrals.ledger.service import post_all

HOLDABLE = ("tentative", "pending", "approved")
REJECTABLE = ("tentative", "pending", "held", "approved")


async def mark_screened(commission_ids: Iterable[int]) -> int:
    """These were looked at; time may release them from now on. How many were new."""
    return await db.execute(
        "UPDATE commission SET screened_at = $2 WHERE id = ANY($1::bigint[]) AND screened_at IS NULL",
        list(commission_ids),
        clock.now(),
    )


async def hold(
    commission_ids: Iterable[int],
    reason: str,
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[int]:
    """Stop what is not in a payout yet, until somebody lifts or rejects it; those that are stopped now."""
    found = [one for one in await lock_commissions(commission_ids) if one["state"] in HOLDABLE]
    await take([Step(one["id"], one["state"], "held", reason) for one in found], actor_id=actor_id, evidence=evidence)
    postings = []
    for one in found:
        bucket = "available" if one["state"] == "approved" else "pending"
        legs = legs_of((owed(one, bucket), one[f"in_{bucket}"]), (owed(one, "held"), -one[f"in_{bucket}"]))
        if legs:
            postings.append(posting("hold", one, legs, reason))
    return await _finish(found, postings, actor_id)


async def lift(
    commission_ids: Iterable[int],
    reason: str,
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[int]:
    """Let what was held wait for the end of its hold again; those that were held."""
    found = [one for one in await lock_commissions(commission_ids) if one["state"] == "held"]
    await take([Step(one["id"], "held", "pending", reason) for one in found], actor_id=actor_id, evidence=evidence)
    # What the order gave back meanwhile ends here, not before: a case was open.
    await take([Step(one["id"], "pending", "reversed", reason) for one in found if one["standing"] == 0])
    postings = []
    for one in found:
        legs = legs_of((owed(one, "held"), one["in_held"]), (owed(one, "pending"), -one["in_held"]))
        if legs:
            postings.append(posting("lift", one, legs, reason))
    return await _finish(found, postings, actor_id)


async def reject(
    commission_ids: Iterable[int],
    reason: str,
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[int]:
    """End what has not gone into a payout, for good: all that stands of it goes back to the store."""
    found = [one for one in await lock_commissions(commission_ids) if one["state"] in REJECTABLE]
    await take(
        [Step(one["id"], one["state"], "rejected", reason) for one in found], actor_id=actor_id, evidence=evidence
    )
    await limits.give_back(one["id"] for one in found)
    debts, postings = Debts(), []
    for one in found:
        legs = await difference(one, -one["standing"], debts)
        if legs:
            postings.append(posting("reject", one, legs, reason))
    return await _finish(found, postings, actor_id)


async def hold_longer(commission_ids: Iterable[int], until: object) -> int:
    """A risk asks for more time than the store's returns do. It is never shortened; how many it touched."""
    return await db.execute(
        """UPDATE commission SET risk_hold_until = greatest(risk_hold_until, $2::timestamptz)
            WHERE id = ANY($1::bigint[]) AND state IN ('tentative', 'pending', 'held')""",
        list(commission_ids),
        until,
    )


async def _finish(found: list[asyncpg.Record], postings: list, actor_id: int | None) -> list[int]:  # type: ignore[type-arg]
    await tell_changed(found, actor_id=actor_id)
    await post_all(postings)
    return [one["id"] for one in found]
