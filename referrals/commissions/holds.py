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
from referrals.commissions.states import BUCKET
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all

HOLDABLE = ("tentative", "pending", "approved")
REJECTABLE = ("tentative", "pending", "held", "approved")
OUT_OF_REACH = ("allocated", "paid")


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
    await take(
        [Step(one["id"], "pending", "reversed", reason) for one in found if not one["standing"] and not one["in_held"]]
    )
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
    debts, postings = await Debts.of(found), []
    for one in found:
        legs = _all_of(one, debts)
        if legs:
            postings.append(posting("reject", one, legs, reason))
    return await _finish(found, postings, actor_id)


async def claw_back(
    commission_ids: Iterable[int],
    reason: str,
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[int]:
    """End what is on its way to the member, or has arrived, for good: they owe it from now on."""
    found = [one for one in await lock_commissions(commission_ids) if one["state"] in OUT_OF_REACH]
    await take(
        [Step(one["id"], one["state"], "rejected", reason) for one in found], actor_id=actor_id, evidence=evidence
    )
    await limits.give_back(one["id"] for one in found)
    debts, postings = await Debts.of(found), []
    for one in found:
        legs = _all_of(one, debts)
        if legs:
            postings.append(posting("claw_back", one, legs, reason))
    return await _finish(found, postings, actor_id)


async def reinstate(
    commission_ids: Iterable[int],
    on_their_way: Mapping[int, int],
    reason: str,
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
) -> list[int]:
    """Open again what was rejected, where it was: what had been paid is paid, what is `on_their_way` (the payout of
    each) is so, the rest waits. Only states: the caller brings the money, by the facts as they are now."""
    found = [one for one in await lock_commissions(commission_ids) if one["state"] == "rejected"]
    for one in found:
        to_state, payout_id = "pending", on_their_way.get(one["id"])
        if one["in_payout"]:
            to_state = "paid" if payout_id is None else "allocated"
        more = {"payout_id": payout_id} if to_state == "allocated" else {}
        await take(
            [Step(one["id"], "rejected", to_state, reason)], actor_id=actor_id, evidence={**(evidence or {}), **more}
        )
    await post_all(await _debts_again(found, reason))
    return [one["id"] for one in found]


async def _debts_again(found: list[asyncpg.Record], reason: str) -> list[Posting]:
    """A store that let go of a debt which never was one gets it back before it is paid off: else it would pay twice."""
    rows = await db.fetch(
        """SELECT c.id, least(let_go.amount, taken.amount)::bigint AS amount
             FROM unnest($1::bigint[]) AS c (id)
             JOIN LATERAL (
                  SELECT max(t.ref_seq) AS seq, sum(e.amount) AS amount
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'receivable'
                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id AND t.kind IN ('claw_back', 'reject')
                   GROUP BY t.id ORDER BY t.ref_seq DESC LIMIT 1) taken ON taken.amount > 0
             JOIN LATERAL (
                  SELECT sum(e.amount) AS amount
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'written_off'
                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id AND t.ref_seq > taken.seq) let_go
                  ON let_go.amount > 0""",
        [one["id"] for one in found],
    )
    let_go = {row["id"]: row["amount"] for row in rows}
    postings = []
    for one in found:
        if amount := let_go.get(one["id"]):
            loss = AccountName("store", one["store_id"], "written_off", one["currency"])
            legs = legs_of((owed(one, "receivable"), amount), (loss, -amount))
            postings.append(posting("write_off", one, legs, reason))
    return postings


def _all_of(one: asyncpg.Record, debts: Debts) -> list[Leg]:
    """Everything that stands goes back; what lies there beyond it paid debts of this commission: it is credit."""
    bucket = BUCKET[one["state"]]
    more = max(0, one[f"in_{bucket}"] - one["standing"])
    return [
        *difference(one, -one["standing"], debts),
        *legs_of((owed(one, bucket), more), (owed(one, "receivable"), -more)),
    ]


async def hold_longer(commission_ids: Iterable[int], until: object) -> int:
    """A risk asks for more time than the store's returns do. Another risk never shortens it; how many it touched."""
    return await db.execute(
        """UPDATE commission SET risk_hold_until = greatest(risk_hold_until, $2::timestamptz)
            WHERE id = ANY($1::bigint[]) AND state IN ('tentative', 'pending', 'held')""",
        list(commission_ids),
        until,
    )


async def hold_no_longer(commission_ids: Iterable[int]) -> int:
    """The risk is over, says a person: only the store's returns are waited for. How many it touched."""
    return await db.execute(
        """UPDATE commission SET risk_hold_until = NULL
            WHERE id = ANY($1::bigint[]) AND risk_hold_until IS NOT NULL
              AND state IN ('tentative', 'pending', 'held')""",
        list(commission_ids),
    )


async def _finish(found: list[asyncpg.Record], postings: list, actor_id: int | None) -> list[int]:  # type: ignore[type-arg]
    await tell_changed(found, actor_id=actor_id)
    await post_all(postings)
    return [one["id"] for one in found]
