"""How a payout ends: the money arrived, did not, or came back. Each once, with its postings in the same transaction."""

import asyncpg

from app import clock, db, ids
from app.events import publish
from referrals.commissions.payable import mark_paid, return_to_available
from referrals.ledger.schemas import AccountName, Leg
from referrals.payouts.events import PayoutFailed, PayoutSettled

CODE_LENGTH = 16


async def settle(payout_id: int, *, provider_ref: str = "", actor_id: int | None = None, note_: str = "") -> bool:
    """It arrived. False when it was settled, or ended otherwise, before."""
    async with db.transaction():
        payout = await _lock(payout_id)
        may = payout["state"] in ("approved", "submitted") or (
            payout["rail"] == "store_credit" and payout["state"] == "claimed"
        )
        if not may:
            return False
        await _end(payout, "settled", provider_ref=provider_ref)
        await note("settled", payout_id=payout_id, actor_id=actor_id, note_=note_ or provider_ref)
        if payout["method_id"]:
            await db.execute("UPDATE payout_method SET failures = 0 WHERE id = $1", payout["method_id"])
        items = await _release_items(payout_id)
        if payout["rail"] == "store_credit":
            await _issue_credit(payout)
        await count_in_batch(payout, failed=False)
        await publish(
            PayoutSettled(payout_id=payout_id, member_id=payout["member_id"], store_id=payout["store_id"]),
            actor_id=actor_id,
        )
        if not await mark_paid(payout_id, items, _becomes(payout)):
            raise RuntimeError(f"payout {payout_id} holds commissions that are not in it")
    return True


async def fail(payout_id: int, reason: str, *, actor_id: int | None = None, blame_method: bool = True) -> bool:
    """It did not arrive: the member's money is available again. `blame_method`: the account refused it."""
    return await _undo(payout_id, ("approved", "submitted"), "failed", reason, actor_id, blame_method=blame_method)


async def refuse(payout_id: int, reason: str) -> bool:
    """We did not send it, for something about its member alone: that says nothing of those that come after."""
    return await _undo(payout_id, ("approved",), "failed", reason, None, blame_method=False, of_a_row=False)


async def bounce(payout_id: int, reason: str, *, actor_id: int | None = None) -> bool:
    """It had arrived, and the bank sent it back."""
    return await _undo(payout_id, ("settled",), "returned", reason, actor_id, blame_method=True)


async def note(
    step: str,
    *,
    payout_id: int | None = None,
    batch_id: int | None = None,
    actor_id: int | None = None,
    note_: str = "",
) -> None:
    await db.execute(
        "INSERT INTO payout_step (batch_id, payout_id, step, note, actor_id, at) VALUES ($1, $2, $3, $4, $5, $6)",
        batch_id,
        payout_id,
        step,
        note_[:500],
        actor_id,
        clock.now(),
    )


async def _undo(
    payout_id: int,
    states: tuple[str, ...],
    becomes: str,
    reason: str,
    actor_id: int | None,
    *,
    blame_method: bool,
    of_a_row: bool = True,
) -> bool:
    async with db.transaction():
        payout = await _lock(payout_id)
        # Credit may be spent by now; it is corrected by the store, not sent back by a bank.
        if payout["state"] not in states or (becomes == "returned" and payout["rail"] == "store_credit"):
            return False
        await _end(payout, becomes, reason=reason)
        await note(becomes, payout_id=payout_id, actor_id=actor_id, note_=reason)
        if payout["method_id"] and blame_method:
            await db.execute("UPDATE payout_method SET failures = failures + 1 WHERE id = $1", payout["method_id"])
        items = await _release_items(payout_id)
        if becomes == "failed":
            await count_in_batch(payout, failed=True if of_a_row else None)
        await publish(
            PayoutFailed(
                payout_id=payout_id, member_id=payout["member_id"], store_id=payout["store_id"], reason=reason
            ),
            actor_id=actor_id,
        )
        if not await return_to_available(payout_id, items, f"payout_{becomes}"):
            raise RuntimeError(f"payout {payout_id} holds commissions that are not in it")
    return True


async def _lock(payout_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM payout WHERE id = $1 FOR UPDATE", payout_id)
    assert row is not None
    return row


async def _end(payout: asyncpg.Record, state: str, *, provider_ref: str = "", reason: str = "") -> None:
    await db.execute(
        """UPDATE payout SET state = $2, state_at = $3, reason = $4,
                             provider_ref = coalesce(nullif($5, ''), provider_ref) WHERE id = $1""",
        payout["id"],
        state,
        clock.now(),
        reason[:200],
        provider_ref[:200],
    )


async def _release_items(payout_id: int) -> dict[int, int]:
    """Its commissions with their amounts. None of them is on its way any more."""
    await db.execute("UPDATE payout_item SET active = false WHERE payout_id = $1", payout_id)
    rows = await db.fetch("SELECT commission_id, amount FROM payout_item WHERE payout_id = $1", payout_id)
    return {row["commission_id"]: row["amount"] for row in rows}


def _becomes(payout: asyncpg.Record) -> list[Leg]:
    """What the claimed money turns into; the credits are below zero, and all legs together are minus the amount,
    in its currency; in any other they sum to zero."""
    currency, store_id = payout["currency"], payout["store_id"]
    legs = [
        Leg(AccountName("store", store_id, "payout_fees", currency), -payout["fee"]),
        Leg(AccountName("store", store_id, "tax_withheld", currency), -payout["withheld"]),
    ]
    if payout["rail"] == "store_credit":
        legs.append(Leg(AccountName("store", store_id, "credit_bonus", currency), payout["bonus"]))
        legs.append(Leg(AccountName("member", payout["member_id"], "store_credit", currency), -payout["sends"]))
    else:
        legs += _left(payout)
    return [leg for leg in legs if leg.amount]


def _left(payout: asyncpg.Record) -> list[Leg]:
    """What leaves the store. In another currency it goes through a clearing account in each, so that both balance."""
    currency, store_id = payout["currency"], payout["store_id"]
    if payout["rate_id"] is None:
        return [Leg(AccountName("store", store_id, "cash", currency), -payout["sends"])]
    return [
        Leg(AccountName("store", store_id, "fx_clearing", currency), -payout["sends"]),
        Leg(AccountName("store", store_id, "fx_clearing", payout["pays_currency"]), payout["pays"]),
        Leg(AccountName("store", store_id, "cash", payout["pays_currency"]), -payout["pays"]),
    ]


async def _issue_credit(payout: asyncpg.Record) -> None:
    await db.execute(
        """INSERT INTO store_credit (payout_id, store_id, member_id, code, currency, amount, issued_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7)""",
        payout["id"],
        payout["store_id"],
        payout["member_id"],
        ids.new_code(CODE_LENGTH),
        payout["currency"],
        payout["sends"],
        clock.now(),
    )


async def count_in_batch(payout: asyncpg.Record, *, failed: bool | None) -> None:
    """Failures in a row are what pauses a batch, and None neither lengthens nor ends a row; the last payout to end
    closes it."""
    if payout["batch_id"] is None:
        return
    # A statement of its own: of two that end last at the same moment, the second then sees that the first has.
    await db.execute("SELECT 1 FROM payout_batch WHERE id = $1 FOR UPDATE", payout["batch_id"])
    await db.execute(
        """UPDATE payout_batch b
              SET failures = CASE WHEN $2 THEN failures + 1 WHEN $2 IS NULL THEN failures ELSE 0 END,
                  state = CASE WHEN ended.all_of_them THEN 'done' ELSE state END,
                  closed_at = CASE WHEN ended.all_of_them THEN $3 ELSE closed_at END
             FROM (SELECT NOT EXISTS (SELECT 1 FROM payout WHERE batch_id = $1
                                         AND state IN ('claimed', 'approved', 'submitted')) AS all_of_them) ended
            WHERE b.id = $1 AND b.state = 'submitted'""",
        payout["batch_id"],
        failed,
        clock.now(),
    )
