"""Taking back what a confirmed case concerns, wherever its money is by now, and giving it back where it was.

The order of locks: the case, payouts, orders, codes, buyers, limits, members' debts, the books.
"""

from collections.abc import Sequence
from typing import Any

from referrals.codes.queries import codes_on, lock_codes
from referrals.commissions import friend, holds, limits
from referrals.commissions.debts import lock_members
from referrals.commissions.queries import lock_order, rules_in_force
from referrals.commissions.service import settle
from referrals.commissions.standing import commissions_of_orders, lock_commissions
from referrals.commissions.volume import restore
from referrals.payouts import recall


async def take_back(commission_ids: Sequence[int], *, actor_id: int, case_id: int) -> None:
    """What waits is rejected; what is in a payout that nobody sent is taken out of it first; what is on its way or
    was paid becomes a debt. Whoever earned by these earns less."""
    about: dict[str, Any] = {"actor_id": actor_id, "evidence": {"case": case_id}}
    payouts = await recall.lock_recallable(commission_ids)
    concerned = {*commission_ids, *await recall.items_of(one["id"] for one in payouts)}
    orders = await _lock(concerned)
    await recall.recall(payouts, actor_id=actor_id)
    touched = await holds.reject(commission_ids, "confirmed", **about)
    touched += await holds.claw_back(commission_ids, "clawed_back", **about)
    for order_id in sorted({orders[one] for one in touched if one in orders}):
        await settle(order_id)


async def give_back(commission_ids: Sequence[int], *, actor_id: int, case_id: int) -> None:
    """Open again what the decision had rejected, and bring its money by the facts as they are now."""
    orders = await _lock(commission_ids)
    opened = await holds.reinstate(
        commission_ids,
        await recall.on_their_way(commission_ids),
        "appeal_upheld",
        actor_id=actor_id,
        evidence={"case": case_id},
    )
    await restore([one for one in opened if one not in orders])
    for order_id in sorted({orders[one] for one in opened if one in orders}):
        await settle(order_id, because="appeal_upheld")


async def _lock(commission_ids: Sequence[int] | set[int]) -> dict[int, int]:
    """Everything that is locked before the books are, in one go; the order of each commission that has one.

    Also what settling these orders will ask for: that comes when the first of them is posted already.
    """
    found = await lock_commissions(commission_ids)
    orders = {one["id"]: one["order_id"] for one in found if one["order_id"] is not None}
    rules = await rules_in_force(list(orders.values()))
    locked = [order for one in sorted(rules) if (order := await lock_order(one))]
    await lock_codes(await codes_on([*rules]))
    await friend.lock_buyers([(order, rules[order["id"]]) for order in locked])
    beside = await commissions_of_orders([*rules])
    await limits.lock_for({*commission_ids, *(one["id"] for one in beside)})
    await lock_members(one["member_id"] for one in [*found, *beside])
    return orders
