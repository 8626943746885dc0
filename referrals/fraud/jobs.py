from app.events import on
from app.jobs import every
from community.phones.events import PhoneProven
from referrals.commissions.events import CommissionChanged, CommissionEarned
from referrals.fraud import cases, screening
from referrals.payouts.events import PayoutMethodShared
from storefront.orders.events import OrderFactsChanged


@on(CommissionEarned)
async def screen_commission(event: CommissionEarned) -> None:
    await screening.screen(event.commission_id)


@on(CommissionChanged)
async def hold_what_came_back(event: CommissionChanged) -> None:
    await cases.hold_again(event.commission_id)


@on(OrderFactsChanged)
async def screen_again(event: OrderFactsChanged) -> None:
    await screening.screen_order_again(event.order_id)


@on(PhoneProven)
async def screen_by_number(event: PhoneProven) -> None:
    await screening.screen_number_again(event.member_id)


@on(PayoutMethodShared)
async def suspect_shared_account(event: PayoutMethodShared) -> None:
    await screening.suspect_shared_account(event.member_ids, event.fingerprint)


@every("*/5 * * * *")
async def screen_forgotten() -> None:
    await screening.screen_forgotten()


@every("23 * * * *")
async def look_at_times() -> None:
    await screening.look_at_times()


@every("27 * * * *")
async def look_at_paths() -> None:
    await screening.look_at_paths()


@every("41 * * * *")
async def escalate_overdue_cases() -> None:
    await cases.escalate_overdue()
