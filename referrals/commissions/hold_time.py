"""How long a commission waits: as the store's returns ask. What a risk asks for stands beside it (risk_hold_until)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from app import db
from referrals.programs.terms import terms_of


def hold_end(order: Mapping[str, Any], rules: Any) -> datetime:
    """When the time for returns is over, as far as is known now: so many days after the delivery, or, while nobody
    told of one, the longer fallback after the payment."""
    # A store that dates an order or a delivery back must not shorten the hold.
    heard: datetime = max(order["paid_at"], order["created_at"])
    release = terms_of(rules).release
    if release is None:
        return heard + timedelta(days=rules["hold_days"])
    if release.after == "paid":
        return heard + timedelta(days=release.days)
    if order["delivered_at"] is None:
        return heard + timedelta(days=release.fallback_days)
    return max(order["delivered_at"], heard) + timedelta(days=release.days)


async def reschedule(order: asyncpg.Record, commissions: Sequence[asyncpg.Record], rules: Any) -> None:
    """Move the end of the holds that still run to where the order's facts put it now."""
    await reschedule_all([(order, commissions, rules)])


async def reschedule_all(orders: Sequence[tuple[Mapping[str, Any], Sequence[asyncpg.Record], Any]]) -> None:
    """The same for any number of orders with their commissions and rules."""
    moved = {
        one["id"]: end
        for order, commissions, rules in orders
        if commissions
        for end in [hold_end(order, rules)]
        for one in commissions
        if one["hold_until"] != end
    }
    if moved:
        await db.execute(
            """UPDATE commission c SET hold_until = m.until
                 FROM unnest($1::bigint[], $2::timestamptz[]) AS m (id, until)
                WHERE c.id = m.id AND c.state IN ('tentative', 'pending', 'held')""",
            list(moved),
            list(moved.values()),
        )
