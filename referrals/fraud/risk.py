"""Time for what one order does not show: while a case says that a member's whole business looks risky, everything of
theirs at the store waits longer, so that returns and complaints come before the money goes."""

from collections.abc import Iterable
from datetime import timedelta

from app import clock, db
from referrals.commissions import holds

# What says something of all that a member does, not of one order.
RISKY = ("refunds", "ring", "click_flood", "stuffing", "shared_account", "odd_times", "odd_paths")
LONGER_BY = timedelta(days=30)

_WAITING = """
SELECT c.id FROM commission c
  JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
 WHERE c.member_id = $1 AND p.store_id = $2 AND c.state IN ('tentative', 'pending', 'held')"""


async def waiting_at_risk(member_id: int, store_id: int, rule: str) -> list[int]:
    """What waits of the member's at the store, if the rule that struck asks for more time."""
    if rule not in RISKY:
        return []
    return [row["id"] for row in await db.fetch(_WAITING, member_id, store_id)]


async def hold_longer(commission_ids: Iterable[int], rule: str) -> int:
    """A case was opened: these wait longer, if the rule asks for it. The caller holds the locks of their orders."""
    return await holds.hold_longer(commission_ids, clock.now() + LONGER_BY) if rule in RISKY else 0


async def hold_new_longer(commission_id: int, member_id: int, store_id: int) -> None:
    """What is earned while such a case is open waits longer, too."""
    if await _is_risky(member_id, store_id):
        await holds.hold_longer([commission_id], clock.now() + LONGER_BY)


async def hold_no_longer(member_id: int, store_id: int) -> None:
    """A person found that all is well: nothing waits for longer than the store's returns ask, unless another such
    case is open."""
    if not await _is_risky(member_id, store_id):
        waiting = [row["id"] for row in await db.fetch(_WAITING, member_id, store_id)]
        await holds.hold_no_longer(waiting)


async def _is_risky(member_id: int, store_id: int) -> bool:
    return bool(
        await db.fetch_val(
            """SELECT 1 FROM fraud_case
                WHERE member_id = $1 AND store_id = $2 AND state = 'open' AND rule = ANY($3::text[]) LIMIT 1""",
            member_id,
            store_id,
            RISKY,
        )
    )
