"""What time may do to a commission: approve it once its hold has ended. `held` never leaves this way."""

from app import clock, db
from referrals.commissions import queries
from referrals.commissions.postings import member_account, post_for, step

ORDERS_AT_ONCE = 1000


async def release_due() -> int:
    """Approve what was on hold long enough; how many commissions."""
    released = 0
    while due := await queries.orders_with_due_commissions(clock.now(), ORDERS_AT_ONCE):
        for order_id in due:
            released += await _release(order_id)
    return released


async def _release(order_id: int) -> int:
    async with db.transaction():
        order = await queries.lock_order(order_id)
        assert order is not None
        due = [c for c in await queries.commissions_on(order_id) if c["state"] == "pending"]
        released = 0
        for commission in due:
            if commission["hold_until"] > clock.now() or not await step(commission, "approved", "hold_ended"):
                continue
            if commission["standing"]:
                await post_for(
                    "mature",
                    commission,
                    commission["postings"] + 1,
                    member_account(commission, "pending"),
                    member_account(commission, "available"),
                    commission["standing"],
                    "hold_ended",
                )
            released += 1
    return released
