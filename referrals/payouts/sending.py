"""Sending an approved batch: each attempt is written down before the provider is asked, and asked once.

No answer is not a "no": an attempt without one is looked up, and only when the provider never heard of it is there
another, under another key.
"""

import hashlib
from datetime import timedelta

import asyncpg

from app import clock, db
from app.events import publish
from referrals.payouts.amounts import leaves
from referrals.payouts.batches import BatchSubmitted
from referrals.payouts.events import BatchPaused
from referrals.payouts.methods import details_of, trouble_with
from referrals.payouts.quotes import is_known, payees, refusal
from referrals.payouts.rails import RAILS
from referrals.payouts.rails.shape import Outcome, PayOrder
from referrals.payouts.settlement import fail, note, refuse, settle

AT_ONCE = 50
MOST_FAILURES = 3
"""In a row; then a person has to look before more is sent."""
LOOK_AFTER = timedelta(minutes=10)
# A request that was lost on the way cannot arrive any more after this.
NEVER_CAME_AFTER = timedelta(hours=1)
MOST_ATTEMPTS = 3


async def send_batch(batch_id: int) -> None:
    """Send the next payouts of a batch; comes again by itself until none is left."""
    waiting = await db.fetch(
        """SELECT p.id FROM payout p JOIN payout_batch b ON b.id = p.batch_id
            WHERE b.id = $1 AND b.state = 'submitted' AND p.state = 'approved' ORDER BY p.id LIMIT $2""",
        batch_id,
        AT_ONCE,
    )
    for row in waiting:
        if await _pause_if_failing(batch_id):
            return
        await send(row["id"])
    if await _pause_if_failing(batch_id):
        return
    if len(waiting) == AT_ONCE:
        async with db.transaction():
            await publish(BatchSubmitted(batch_id=batch_id))


async def send(payout_id: int) -> None:
    """One payout by its rail, if its account is still the one that was approved."""
    payout = await _payout(payout_id)
    rail = RAILS[payout["rail"]]
    payee = (await payees([payout["member_id"]], payout["currency"]))[payout["member_id"]]
    if refused := refusal(payee, payout["store_id"]):
        # Something came up after the approval: fail closed, the money stays theirs.
        await refuse(payout_id, refused)
        return
    if rail.name == "store_credit":
        await settle(payout_id)
        return
    if payout["asks_identity"] and not is_known(payee, payout["store_id"], rail.name):
        await refuse(payout_id, "identity_needed")
        return
    method = await db.fetch_one("SELECT * FROM payout_method WHERE id = $1", payout["method_id"])
    trouble = trouble_with(method)
    if trouble or method is None:
        await refuse(payout_id, "method_changed" if trouble == "no_method" else trouble)
        return
    details = details_of(method)
    if not details:
        await fail(payout_id, "details_unreadable", blame_method=False)
        return
    if rail.send is None:
        await _wait_for_a_person(payout_id)
        return
    if order := await _begin_attempt(payout, details):
        await _record(order, await rail.send(order))


async def look_up_unanswered() -> None:
    """Ask what became of attempts that had no answer."""
    rows = await db.fetch(
        """SELECT a.id FROM payout_attempt a JOIN payout p ON p.id = a.payout_id AND p.state = 'submitted'
            WHERE a.outcome IN ('asking', 'unknown') AND a.asked_at <= $1 ORDER BY a.id LIMIT $2""",
        clock.now() - LOOK_AFTER,
        AT_ONCE,
    )
    for row in rows:
        await _look_up(row["id"])


async def _look_up(attempt_id: int) -> None:
    attempt = await db.fetch_one("SELECT * FROM payout_attempt WHERE id = $1", attempt_id)
    assert attempt is not None
    payout = await _payout(attempt["payout_id"])
    method = await db.fetch_one("SELECT * FROM payout_method WHERE id = $1", payout["method_id"])
    ask = RAILS[payout["rail"]].look_up
    if ask is None or method is None:
        return
    order = PayOrder(payout["id"], attempt["key"], payout["member_id"], *leaves(payout), details_of(method))
    found = await ask(order)
    if found.outcome == "never_came":
        if attempt["asked_at"] <= clock.now() - NEVER_CAME_AFTER:
            await _give_up_attempt(attempt)
        return
    await _record(order, found)


async def _begin_attempt(payout: asyncpg.Record, details: dict[str, str]) -> PayOrder | None:
    """Write that the provider is about to be asked, and commit it; None when somebody else is asking."""
    async with db.transaction():
        locked = await db.fetch_one("SELECT * FROM payout WHERE id = $1 FOR UPDATE", payout["id"])
        assert locked is not None
        if locked["state"] != "approved":
            return None
        number = 1 + await db.fetch_val("SELECT count(*) FROM payout_attempt WHERE payout_id = $1", payout["id"])
        key = attempt_key(locked["batch_id"], locked["member_id"], locked["id"], number)
        await db.execute(
            """INSERT INTO payout_attempt (payout_id, number, key, outcome, asked_at)
               VALUES ($1, $2, $3, 'asking', $4)""",
            payout["id"],
            number,
            key,
            clock.now(),
        )
        await db.execute(
            "UPDATE payout SET state = 'submitted', state_at = $2 WHERE id = $1", payout["id"], clock.now()
        )
        await note("submitted", payout_id=payout["id"])
    # The figures of a payout never change, so those that were read before the lock are still true.
    return PayOrder(payout["id"], key, payout["member_id"], *leaves(payout), details)


def attempt_key(batch_id: int | None, member_id: int, payout_id: int, number: int) -> str:
    """The same attempt has the same key for ever; another attempt another one."""
    return hashlib.sha256(f"payout:{batch_id}:{member_id}:{payout_id}:{number}".encode()).hexdigest()


async def _record(order: PayOrder, found: Outcome) -> None:
    """Write what the provider said, then what follows from it. A crash in between is mended by the next look-up."""
    final = found.outcome in ("settled", "failed")
    async with db.transaction():
        await db.execute("SELECT 1 FROM payout WHERE id = $1 FOR UPDATE", order.payout_id)
        await db.execute(
            """UPDATE payout_attempt SET outcome = $2, provider_ref = $3, said = $4, answered_at = $5
                WHERE key = $1 AND outcome IN ('asking', 'unknown', 'sent')""",
            order.key,
            found.outcome,
            found.provider_ref,
            found.said[:200],
            clock.now() if final else None,
        )
        if found.outcome == "settled":
            await settle(order.payout_id, provider_ref=found.provider_ref)
        elif found.outcome == "failed":
            await fail(order.payout_id, found.said or "refused", blame_method=found.said != "balance_insufficient")
        elif found.outcome == "unknown":
            await note("unknown", payout_id=order.payout_id, note_=found.said)


async def _give_up_attempt(attempt: asyncpg.Record) -> None:
    """The provider never heard of it, so asking again cannot pay twice."""
    async with db.transaction():
        payout = await db.fetch_one("SELECT * FROM payout WHERE id = $1 FOR UPDATE", attempt["payout_id"])
        assert payout is not None
        mine = await db.execute(
            """UPDATE payout_attempt SET outcome = 'failed', said = 'never_came', answered_at = $2
                WHERE id = $1 AND outcome IN ('asking', 'unknown')""",
            attempt["id"],
            clock.now(),
        )
        if not mine or payout["state"] != "submitted":
            return
        if attempt["number"] >= MOST_ATTEMPTS:
            await fail(payout["id"], "no_answer", blame_method=False)
            return
        await db.execute("UPDATE payout SET state = 'approved', state_at = $2 WHERE id = $1", payout["id"], clock.now())
        await publish(BatchSubmitted(batch_id=payout["batch_id"]))


async def _wait_for_a_person(payout_id: int) -> None:
    async with db.transaction():
        if await db.execute(
            "UPDATE payout SET state = 'submitted', state_at = $2 WHERE id = $1 AND state = 'approved'",
            payout_id,
            clock.now(),
        ):
            await note("submitted", payout_id=payout_id)


async def _pause_if_failing(batch_id: int) -> bool:
    """Stop after failures in a row: the next ones would most likely fail as well, and each costs somebody time."""
    async with db.transaction():
        batch = await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1 FOR UPDATE", batch_id)
        assert batch is not None
        if batch["paused_for"]:
            return True
        if batch["failures"] < MOST_FAILURES or batch["state"] != "submitted":
            return False
        reason = await db.fetch_val(
            """SELECT reason FROM payout WHERE batch_id = $1 AND state = 'failed'
                ORDER BY state_at DESC, id DESC LIMIT 1""",
            batch_id,
        )
        await db.execute("UPDATE payout_batch SET paused_for = $2 WHERE id = $1", batch_id, reason or "refused")
        await note("paused", batch_id=batch_id, note_=reason or "refused")
        await publish(BatchPaused(batch_id=batch_id, store_id=batch["store_id"]))
    return True


async def _payout(payout_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM payout WHERE id = $1", payout_id)
    assert row is not None
    return row
