"""What payouts may do to commissions: take what is available, see it paid, or give it back.

Called inside the caller's transaction, before it posts anything else: it locks orders, and the books come last.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec

from app import db
from referrals.commissions.debts import Debts
from referrals.commissions.postings import Step, credit, legs_of, owed, posting, take, tell_changed
from referrals.commissions.standing import lock_commissions
from referrals.commissions.states import BUCKET
from referrals.ledger.schemas import AccountName, Leg, Posting
from referrals.ledger.service import post_all


class Allocated(msgspec.Struct, frozen=True):
    """A commission in a payout: `amount` went into it, `netted` paid what the member owed the store first."""

    commission_id: int
    amount: int
    netted: int


async def allocate(commission_ids: Iterable[int], payout_id: int) -> list[Allocated]:
    """Take what is approved and available into a payout, exactly once, after what the member owes the store.

    Only what is returned is in it: others were held, taken back or taken by another payout first. A commission that
    went wholly to a debt stays approved, with nothing available, and is returned with amount 0.
    """
    found = [
        one for one in await lock_commissions(commission_ids) if one["state"] == "approved" and one["in_available"] > 0
    ]
    debts = await Debts.of(found)
    taken, steps, postings = [], [], []
    for one in found:
        netted = debts.pay(one, one["in_available"])
        amount = one["in_available"] - netted
        taken.append(Allocated(one["id"], amount, netted))
        if netted:
            legs = legs_of((owed(one, "available"), netted), (owed(one, "receivable"), -netted))
            postings.append(posting("net", one, legs, "debt_netted"))
        if amount:
            legs = legs_of((owed(one, "available"), amount), (owed(one, "in_payout"), -amount))
            postings.append(posting("allocate", one, legs, "payout", later=1 if netted else 0))
            steps.append(Step(one["id"], "approved", "allocated", "payout"))
    await take(steps, evidence={"payout_id": payout_id})
    await tell_changed(found)
    await post_all(postings)
    return taken


async def mark_paid(payout_id: int, items: Mapping[int, int], becomes: Sequence[Leg]) -> bool:
    """The money of a payout has left. `items` are its commissions with their amounts, `becomes` the credits it turns
    into (cash, tax withheld, fees, store credit …), which sum to minus the items. False when it was paid already."""
    found = await lock_commissions(items)
    if await _last_of(payout_id) is not None or not await _are_in(payout_id, found):
        return False
    # What was taken back while it was on its way stays rejected: it arrives, and is owed.
    arrived = [one for one in found if one["state"] == "allocated"]
    await take([Step(one["id"], "allocated", "paid", "payout_settled") for one in arrived])
    # What earned more while the payout was on its way waits for the next one.
    more = [one for one in arrived if one["in_available"] > 0]
    await take([Step(one["id"], "paid", "approved", "more_earned") for one in more])
    await tell_changed(found)
    legs = [*_out_of_payout(found, items), *becomes]
    number = await _next_number(payout_id)
    await post_all([Posting("settle", "payout", payout_id, number, tuple(legs), "payout_settled")])
    return True


async def return_to_available(payout_id: int, items: Mapping[int, int], reason: str = "payout_failed") -> bool:
    """The payout did not happen, or the bank sent it back: its money is available again. False when it was already."""
    found = await lock_commissions(items)
    last = await _last_of(payout_id)
    was_settled = last is not None and last["kind"] == "settle"
    if not found or (last is not None and last["kind"] == "bounce"):
        return False
    # Once it was settled, each commission went its own way: it may have earned more and be in another payout by now,
    # be held, or have been taken back.
    if not was_settled and not await _are_in(payout_id, found):
        return False
    steps, postings, ended = [], [], []
    if was_settled:
        assert last is not None
        back = tuple(Leg(leg.account, -leg.amount) for leg in await _legs(last["id"]))
        postings.append(Posting("bounce", "payout", payout_id, last["ref_seq"] + 1, back, reason))
    debts = await Debts.of(found)
    # What was taken back while it was on its way is a debt by now, and is netted at once: each its own before others'.
    own = {one["id"]: debts.pay(one, min(items[one["id"]], _owes(one))) for one in found}
    for one in found:
        amount = items[one["id"]]
        netted = own[one["id"]] + debts.pay(one, amount - own[one["id"]])
        legs = [*legs_of((owed(one, "in_payout"), amount)), *credit(one, _home(one), amount - netted, netted)]
        postings.append(posting("return", one, legs, reason))
        if one["state"] in ("allocated", "paid") and (one["state"] == "paid" or not was_settled):
            steps.append(Step(one["id"], one["state"], "approved", reason))
            if one["standing"] == 0 and netted == amount:
                ended.append(Step(one["id"], "approved", "reversed", reason))
        elif one["state"] == "reversed" and netted < amount:
            steps.append(Step(one["id"], "reversed", "approved", reason))
    await take(steps)
    await take(ended)
    await tell_changed(found)
    await post_all(postings)
    return True


async def _are_in(payout_id: int, found: Sequence[asyncpg.Record]) -> bool:
    """Whether all of them are in this payout now, and in no other one that came after it. One that broke the rules
    may have been rejected on its way; its money is in there still."""
    rows = await db.fetch(
        """SELECT DISTINCT ON (commission_id) evidence ->> 'payout_id' AS payout_id FROM commission_event
            WHERE commission_id = ANY($1::bigint[]) AND to_state = 'allocated' ORDER BY commission_id, seq DESC""",
        [one["id"] for one in found],
    )
    on_their_way = all(one["state"] in ("allocated", "rejected") and one["in_payout"] > 0 for one in found)
    return on_their_way and {row["payout_id"] for row in rows} == {str(payout_id)}


def _owes(commission: asyncpg.Record) -> int:
    """What is owed because of this commission: what lies anywhere of it, beyond what it is worth."""
    lies: int = sum(commission[bucket] for bucket in ("in_pending", "in_held", "in_available", "in_payout"))
    return max(0, lies - commission["standing"])


def _home(commission: asyncpg.Record) -> str:
    """Where money lies that a bank sent back: with the rest of its commission. One that was rejected since owns none;
    what its member had paid back by other commissions stands to their credit."""
    state = commission["state"]
    if state == "rejected":
        return "receivable"
    return "available" if state == "reversed" else BUCKET[state]


def _out_of_payout(found: Sequence[asyncpg.Record], items: Mapping[int, int]) -> list[Leg]:
    sums: dict[AccountName, int] = {}
    for one in found:
        account = owed(one, "in_payout")
        sums[account] = sums.get(account, 0) + items[one["id"]]
    return legs_of(*sums.items())


async def _last_of(payout_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT id, kind, ref_seq FROM ledger_transaction WHERE ref_type = 'payout' AND ref_id = $1
            ORDER BY ref_seq DESC LIMIT 1""",
        payout_id,
    )


async def _next_number(payout_id: int) -> int:
    last = await _last_of(payout_id)
    return last["ref_seq"] + 1 if last else 1


async def _legs(transaction_id: int) -> list[Leg]:
    rows = await db.fetch(
        """SELECT a.owner_kind, a.owner_id, a.kind, a.currency, e.amount
             FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE e.transaction_id = $1 ORDER BY e.line""",
        transaction_id,
    )
    return [Leg(AccountName(*row[:4]), row["amount"]) for row in rows]
