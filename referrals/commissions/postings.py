"""The steps of a commission and the money that moves with them: each one guarded, noted and in the books.

People's verbs stand in `holds` (hold, lift, reject, mark_screened), payouts' in `payable` (allocate, mark_paid,
return_to_available), time's in `release`; what facts ask for comes through `bring_all`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.events import publish_all
from referrals.commissions.debts import Debts
from referrals.commissions.events import CommissionChanged
from referrals.commissions.states import BUCKET
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all

Wanted = tuple[asyncpg.Record, int, str]


class Step(msgspec.Struct, frozen=True):
    """A commission goes from the state it was read in to another one, for a stable word."""

    commission_id: int
    from_state: str
    to_state: str
    reason: str


async def bring_all(wanted: Sequence[Wanted]) -> None:
    """Post, for each commission, the difference between what stands and what should, where its money lies.

    The caller holds the locks of their orders and writes everything of one transaction through one call.
    """
    # What a person rejected stays so, whatever the facts would give.
    targets = [0 if commission["state"] == "rejected" else asked for commission, asked, _reason in wanted]
    deltas = [target - one[0]["standing"] for one, target in zip(wanted, targets, strict=True)]
    debts = await Debts.of(one[0] for one, delta in zip(wanted, deltas, strict=True) if touches_debts(one[0], delta))
    postings, steps, changed = [], [], []
    for (commission, _asked, reason), target, delta in zip(wanted, targets, deltas, strict=True):
        legs = difference(commission, delta, debts)
        if legs:
            postings.append(posting("accrue" if delta > 0 else "reduce", commission, legs, reason))
        to_state = _state_after(commission, target, legs)
        if to_state != commission["state"]:
            steps.append(Step(commission["id"], commission["state"], to_state, reason))
        # That it is there at all was told by CommissionEarned.
        is_first = commission["postings"] == 0 and to_state == commission["state"]
        if (legs or to_state != commission["state"]) and not is_first:
            changed.append(commission)
    await take(steps)
    await tell_changed(changed)
    await post_all(postings)


def touches_debts(commission: asyncpg.Record, delta: int) -> bool:
    """Whether earning so much more or less may pay off what the member owes, or add to it."""
    bucket = BUCKET[commission["state"]]
    return bucket == "available" if delta > 0 else -delta > max(0, commission[f"in_{bucket}"])


def difference(commission: asyncpg.Record, delta: int, debts: Debts) -> list[Leg]:
    """The legs of earning more or less: what more a member gets pays their debt first, and what they must give
    back beyond what lies there becomes one."""
    if delta == 0:
        return []
    bucket = BUCKET[commission["state"]]
    if delta > 0:
        netted = debts.pay(commission, delta) if bucket == "available" else 0
        return [Leg(expense(commission), delta), *credit(commission, bucket, delta - netted, netted)]
    there = min(-delta, max(0, commission[f"in_{bucket}"]))
    debts.add(commission, -delta - there)
    return [*debit(commission, bucket, there, -delta - there), Leg(expense(commission), delta)]


def credit(commission: asyncpg.Record, bucket: str, amount: int, netted: int) -> list[Leg]:
    """Into a bucket, and off the member's debt."""
    return legs_of((owed(commission, "receivable"), -netted), (owed(commission, bucket), -amount))


def debit(commission: asyncpg.Record, bucket: str, amount: int, debt: int) -> list[Leg]:
    """Out of a bucket, and onto the member's debt."""
    return legs_of((owed(commission, bucket), amount), (owed(commission, "receivable"), debt))


def legs_of(*sides: tuple[AccountName, int]) -> list[Leg]:
    return [Leg(account, amount) for account, amount in sides if amount]


def expense(commission: asyncpg.Record) -> AccountName:
    return AccountName("store", commission["store_id"], "commission_expense", commission["currency"])


def owed(commission: asyncpg.Record, bucket: str) -> AccountName:
    return AccountName("member", commission["member_id"], bucket, commission["currency"])


def posting(kind: str, commission: asyncpg.Record, legs: Iterable[Leg], reason: str, *, later: int = 0) -> Posting:
    """The next posting of a commission, or one `later` when several are written at once."""
    number = commission["postings"] + 1 + later
    return Posting(kind, "commission", commission["id"], number, tuple(legs), reason)


async def step(commission: asyncpg.Record, to_state: str, reason: str) -> bool:
    """One guarded step of the state; False when somebody else took it."""
    return bool(await take([Step(commission["id"], commission["state"], to_state, reason)], must=False))


async def take(
    steps: Sequence[Step],
    *,
    actor_id: int | None = None,
    evidence: Mapping[str, Any] | None = None,
    must: bool = True,
) -> set[int]:
    """Take guarded steps and note each with who and why; the commissions that took theirs.

    With `must`, one that is in another state by now undoes everything: its lock was not held.
    """
    if not steps:
        return set()
    moved = await db.fetch(
        """UPDATE commission c SET state = s.to_state
             FROM unnest($1::bigint[], $2::text[], $3::text[]) AS s (id, from_state, to_state)
            WHERE c.id = s.id AND c.state = s.from_state RETURNING c.id""",
        [one.commission_id for one in steps],
        [one.from_state for one in steps],
        [one.to_state for one in steps],
    )
    ids = {row["id"] for row in moved}
    if must and len(ids) != len(steps):
        raise RuntimeError("a commission changed its state under a lock")
    await note_steps([one for one in steps if one.commission_id in ids], actor_id=actor_id, evidence=evidence)
    return ids


async def note_steps(
    steps: Sequence[Step], *, actor_id: int | None = None, evidence: Mapping[str, Any] | None = None
) -> None:
    """Write the trail; one step to a commission in a call."""
    if not steps:
        return
    await db.execute(
        """INSERT INTO commission_event (commission_id, seq, from_state, to_state, reason, actor_id, evidence, at)
           SELECT s.id, coalesce(known.seq, 0) + 1, s.from_state, s.to_state, s.reason, $5::bigint, $6::jsonb,
                  $7::timestamptz
             FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS s (id, from_state, to_state, reason)
             LEFT JOIN (SELECT commission_id, max(seq) AS seq FROM commission_event
                         WHERE commission_id = ANY($1::bigint[]) GROUP BY 1) known ON known.commission_id = s.id""",
        [one.commission_id for one in steps],
        [one.from_state for one in steps],
        [one.to_state for one in steps],
        [one.reason for one in steps],
        actor_id,
        msgspec.json.encode(evidence or {}).decode(),
        clock.now(),
    )


async def tell_changed(commissions: Iterable[asyncpg.Record], *, actor_id: int | None = None) -> None:
    changed = [
        CommissionChanged(commission_id=one["id"], member_id=one["member_id"], order_id=one["order_id"])
        for one in commissions
    ]
    await publish_all(changed, actor_id=actor_id)


def _state_after(commission: asyncpg.Record, target: int, legs: Sequence[Leg]) -> str:
    state: str = commission["state"]
    # Money may be available of one that is worth nothing: others had paid its debt before a bank sent it back.
    left = commission["in_available"] - sum(leg.amount for leg in legs if leg.account.kind == "available")
    if target == 0 and state in ("tentative", "pending", "approved") and left <= 0:
        # `held` stays: a case is open, and a fact that brings the money back must not slip past it.
        return "reversed"
    if target > 0 and state == "reversed":
        return "pending"
    more = any(leg.account.kind == "available" and leg.amount < 0 for leg in legs)
    return "approved" if state == "paid" and more else state
