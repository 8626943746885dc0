from datetime import datetime
from typing import Any

from app import clock, db
from app.events import on
from app.jobs import every, job
from community.webhooks.sending import send_waiting
from community.webhooks.service import announce, wake_forgotten
from community.webhooks.source import Source
from referrals.commissions.events import CommissionChanged, CommissionEarned
from referrals.fraud.events import CheckDecided, CheckOpened
from referrals.partners.events import PartnerApplied, PartnerDecided
from referrals.payouts.events import PayoutFailed, PayoutSettled
from referrals.webhooks import telling


@job
async def send_programme_events(payload: bytes) -> None:
    await send_waiting(int(payload), SOURCE)


SOURCE = Source(
    owner_kind=telling.OWNER,
    types=telling.TYPES,
    access=telling.access,
    read=telling.read,
    gather=telling.gather,
    start_at=telling.start_at,
    owner=telling.owner,
    send=send_programme_events,
)


@on(CommissionEarned)
async def tell_of_earning(event: CommissionEarned) -> None:
    if await telling.is_anybody_told():
        await _tell_steps(event.commission_id)


@on(CommissionChanged)
async def tell_of_change(event: CommissionChanged) -> None:
    if not await telling.is_anybody_told():
        return
    steps = await _tell_steps(event.commission_id)
    posting = await telling.last_posting(event.commission_id)
    if steps and posting and posting["stands"] != steps[0]["granted"]:
        then = {"amount": posting["stands"]}
        key = f"commission_{event.commission_id}_entry_{posting['id']}"
        await _tell(steps[0]["store_id"], "commission.changed", key, event.commission_id, posting["at"], **then)


@on(PayoutSettled)
async def tell_of_payout(event: PayoutSettled) -> None:
    key = f"payout_{event.payout_id}_settled"
    await _tell(event.store_id, "payout.settled", key, event.payout_id, clock.now())


@on(PayoutFailed)
async def tell_of_failed_payout(event: PayoutFailed) -> None:
    key = f"payout_{event.payout_id}_failed"
    await _tell(event.store_id, "payout.failed", key, event.payout_id, clock.now(), reason=event.reason)


@on(PartnerApplied)
async def tell_of_application(event: PartnerApplied) -> None:
    await _tell_partner("partner.applied", event.program_id, event.member_id, "PartnerApplied")


@on(PartnerDecided)
async def tell_of_partner(event: PartnerDecided) -> None:
    names = {"approved": "partner.joined", "declined": "partner.declined", "left": "partner.left"}
    if event.state in names:
        await _tell_partner(names[event.state], event.program_id, event.member_id, "PartnerDecided", event.state)


@on(CheckOpened)
async def tell_of_check(event: CheckOpened) -> None:
    await _tell(event.store_id, "check.opened", f"check_{event.case_id}_opened", event.case_id, clock.now())


@on(CheckDecided)
async def tell_of_verdict(event: CheckDecided) -> None:
    key = f"check_{event.case_id}_{event.outcome}"
    await _tell(event.store_id, "check.decided", key, event.case_id, clock.now(), outcome=event.outcome)


@every("* * * * *")
async def send_what_was_forgotten() -> None:
    await wake_forgotten(telling.OWNER, send_programme_events)


async def _tell_steps(commission_id: int) -> list[Any]:
    """Each step once, however often this is asked: a job may come twice, and late."""
    steps = await telling.steps_of(commission_id)
    for step in steps:
        name = "commission.opened" if step["seq"] == 1 else telling.STEPS.get(step["to_state"])
        if name:
            key = f"commission_{commission_id}_{step['seq']}"
            then = {"state": step["to_state"], "reason": step["reason"]}
            await _tell(step["store_id"], name, key, commission_id, step["at"], **then)
    return steps


async def _tell_partner(type: str, program_id: int, member_id: int, event: str, state: str = "") -> None:
    """One may leave and come back: what was announced last of this kind says which time it is."""
    row = await db.fetch_one(
        """SELECT p.store_id, e.id, e.happened_at FROM program p, event e
            WHERE p.id = $1 AND e.type = $3 AND (e.data ->> 'program_id')::bigint = $1
              AND (e.data ->> 'member_id')::bigint = $2 AND ($4 = '' OR e.data ->> 'state' = $4)
            ORDER BY e.id DESC LIMIT 1""",
        program_id,
        member_id,
        event,
        state,
    )
    if row:
        await _tell(row["store_id"], type, f"event_{row['id']}", member_id, row["happened_at"])


async def _tell(store_id: int, type: str, key: str, id: int, at: datetime, **then: Any) -> None:
    data = {"id": id, **then}
    await announce(telling.OWNER, store_id, type, key, data, at, send=send_programme_events)
