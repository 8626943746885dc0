import asyncio

from app import clock, db, mail
from app.events import on
from app.jobs import every
from community.notifications.service import notify
from referrals.payouts import batches, queries, recall, schedule, sending, verified
from referrals.payouts.amounts import leaves
from referrals.payouts.batches import BatchRequested, BatchSubmitted
from referrals.payouts.events import (
    BatchFrozen,
    BatchPaused,
    PayoutFailed,
    PayoutMethodChanged,
    PayoutRecalled,
    PayoutSettled,
)
from referrals.payouts.letters import letter_about_method


@on(BatchRequested)
async def gather_batch(event: BatchRequested) -> None:
    await batches.gather(event.batch_id)


@on(BatchSubmitted)
async def send_batch(event: BatchSubmitted) -> None:
    await sending.send_batch(event.batch_id)


@on(PayoutRecalled)
async def ask_for_the_rest(event: PayoutRecalled) -> None:
    await recall.ask_again(event.payout_id)


@every("*/5 * * * *")
async def look_up_unanswered() -> None:
    await sending.look_up_unanswered()


@every("20 5 * * *")
async def open_batches_of_pay_day() -> None:
    await schedule.open_due(clock.now())


@on(PayoutSettled)
async def tell_of_arrival(event: PayoutSettled) -> None:
    await _tell_payee(event.payout_id, "payout_settled")


@on(PayoutFailed)
async def tell_of_failure(event: PayoutFailed) -> None:
    await _tell_payee(event.payout_id, "payout_failed", reason=event.reason)


@on(BatchFrozen)
async def ask_for_approval(event: BatchFrozen) -> None:
    await _tell_approvers(event.batch_id, event.store_id, "payout_batch_ready")


@on(BatchPaused)
async def tell_of_pause(event: BatchPaused) -> None:
    await _tell_approvers(event.batch_id, event.store_id, "payout_batch_paused")


@on(PayoutMethodChanged)
async def warn_the_owner(event: PayoutMethodChanged) -> None:
    """By bell, and by mail to the address that was there before: whoever sits at the browser may be somebody else."""
    await notify(
        event.member_id,
        "payout_method_changed",
        source=f"payout_method:{event.method_id}:{'gone' if event.is_removed else 'new'}",
        url="/earn/payouts/methods",
        data={"rail": event.rail, "removed": event.is_removed, "before": event.replaced_hint},
    )
    if mail.is_set_up():
        await asyncio.wait_for(letter_about_method(event), timeout=60)


@on(PayoutMethodChanged)
async def ask_whose_account_it_is(event: PayoutMethodChanged) -> None:
    if not event.is_removed:
        await verified.look(event.method_id)


@every("37 * * * *")
async def ask_again_whose_accounts_they_are() -> None:
    await verified.look_at_all()


async def _tell_payee(payout_id: int, kind: str, reason: str = "") -> None:
    row = await db.fetch_one(
        "SELECT member_id, sends, currency, rail, rate_id, pays, pays_currency FROM payout WHERE id = $1", payout_id
    )
    if row is not None:
        amount, currency = leaves(row)
        await notify(
            row["member_id"],
            kind,
            source=f"payout:{payout_id}:{kind}:{reason}"[:200],
            url=f"/earn/payouts/{payout_id}",
            data={"amount": amount, "currency": currency, "rail": row["rail"], "reason": reason},
        )


async def _tell_approvers(batch_id: int, store_id: int, kind: str) -> None:
    row = await db.fetch_one(
        """SELECT s.slug, s.name, b.paused_for, b.requested_by, (SELECT count(*) FROM payout_step t
                    WHERE t.batch_id = b.id AND t.step IN ('paused', 'frozen')) AS times
             FROM payout_batch b JOIN store s ON s.id = b.store_id WHERE b.id = $1""",
        batch_id,
    )
    assert row is not None
    for member_id in await queries.approvers_of(store_id):
        if kind == "payout_batch_ready" and member_id == row["requested_by"]:
            continue
        await notify(
            member_id,
            kind,
            source=f"payout_batch:{batch_id}:{kind}:{row['times']}",
            url=f"/admin/programs/{row['slug']}/payouts/{batch_id}",
            data={"store": row["name"], "reason": row["paused_for"]},
        )
