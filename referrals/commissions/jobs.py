from app.events import on
from app.jobs import every
from referrals.attribution.conversions import orders_told_of
from referrals.attribution.events import ConversionTold, CreditOverruled
from referrals.attribution.later import orders_after
from referrals.clicks.events import ClickClaimed, MemberReferred
from referrals.commissions import queries, release
from referrals.commissions.facts import later_orders_that_ask
from referrals.commissions.soon import settle_all_soon, settle_soon
from storefront.orders.events import CustomerSeen, OrderFactsChanged


@on(OrderFactsChanged)
async def settle_order(event: OrderFactsChanged) -> None:
    await settle_soon(event.order_id)
    await settle_all_soon(await orders_after(event.order_id))


@on(CreditOverruled)
async def settle_overruled_order(event: CreditOverruled) -> None:
    await settle_soon(event.order_id)


@on(ConversionTold)
async def settle_orders_told_of(event: ConversionTold) -> None:
    await settle_all_soon(await orders_told_of(event.conversion_id))


@on(ClickClaimed)
async def settle_orders_of_claimer(event: ClickClaimed) -> None:
    await settle_all_soon(await queries.orders_touched_by(event.member_id, event.click_id))


@on(MemberReferred)
async def settle_orders_of_newcomer(event: MemberReferred) -> None:
    await settle_all_soon(await queries.orders_touched_by(event.member_id))


@on(CustomerSeen)
async def settle_orders_of_customer(event: CustomerSeen) -> None:
    await settle_all_soon(await queries.orders_touched_by(event.member_id))


@every("7 * * * *")
async def release_what_is_due() -> None:
    await release.release_due()


@on(OrderFactsChanged)
async def settle_later_orders_of_buyer(event: OrderFactsChanged) -> None:
    """Which order of a buyer one is may be another answer now."""
    await settle_all_soon(await later_orders_that_ask(event.order_id))
