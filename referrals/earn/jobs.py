from app import live
from app.events import on
from community.notifications.service import notify
from referrals.commissions.events import CommissionChanged, CommissionEarned
from referrals.earn.queries import earned_at, earned_without_order, why_url


@on(CommissionEarned)
async def ring_the_bell(event: CommissionEarned) -> None:
    if event.order_id is None:
        url, source = f"/earn/commissions/{event.commission_id}", f"commission:{event.commission_id}:earned"
        earned = await earned_without_order(event.commission_id)
    else:
        url, source = await why_url(event.order_id), f"order:{event.order_id}:earned"
        earned = await earned_at(event.order_id, event.member_id)
    await notify(event.member_id, "commission_earned", source=source, url=url, data=earned)
    await live.notify_member(event.member_id, about="earn")


@on(CommissionChanged)
async def move_the_figures(event: CommissionChanged) -> None:
    await live.notify_member(event.member_id, about="earn")
