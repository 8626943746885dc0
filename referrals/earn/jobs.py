from app import live
from app.events import on
from community.notifications.service import notify
from referrals.commissions.events import CommissionChanged, CommissionEarned
from referrals.earn.queries import earned_at, why_url


@on(CommissionEarned)
async def ring_the_bell(event: CommissionEarned) -> None:
    url = await why_url(event.order_id)
    earned = await earned_at(event.order_id, event.member_id)
    await notify(event.member_id, "commission_earned", source=f"order:{event.order_id}:earned", url=url, data=earned)
    await live.notify_member(event.member_id, about="earn")


@on(CommissionChanged)
async def move_the_figures(event: CommissionChanged) -> None:
    await live.notify_member(event.member_id, about="earn")
