"""How long a commission waits: as the store's returns ask, and the hold that was frozen on it, if its part of the shop
or its seller's tier had one. What a risk asks for stands beside it (risk_hold_until)."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from app import db
from referrals.programs.terms import Release, Wait, terms_of


def hold_end(order: Mapping[str, Any], rules: Any, wait: Wait | None = None) -> datetime:
    """When the time for returns is over, as far as is known now: so many days after the delivery, or, while nobody
    told of one, the longer fallback after the payment. `wait` takes the place of the programme's own days."""
    return _end(order, rules["hold_days"], terms_of(rules).release, wait)


def wait_in(how: Mapping[str, Any] | None) -> Wait | None:
    """The hold of its own that is frozen on a commission."""
    found = (how or {}).get("wait")
    return msgspec.convert(found, Wait) if found else None


def _end(order: Mapping[str, Any], hold_days: int, release: Release | None, wait: Wait | None) -> datetime:
    # A store that dates an order or a delivery back must not shorten the hold.
    heard: datetime = max(order["paid_at"], order["created_at"])
    days = wait.days if wait else release.days if release else hold_days
    if release is None or release.after == "paid":
        return heard + timedelta(days=days)
    if order["delivered_at"] is None:
        # Who waits longer than the fallback once it is delivered does not wait less while nobody tells of that.
        return heard + timedelta(days=max(release.fallback_days, wait.days if wait else 0))
    return max(order["delivered_at"], heard) + timedelta(days=days)


async def reschedule(order: asyncpg.Record, commissions: Sequence[asyncpg.Record], rules: Any) -> None:
    """Move the end of the holds that still run to where the order's facts put it now."""
    await reschedule_all([(order, commissions, rules)])


async def reschedule_all(orders: Sequence[tuple[Mapping[str, Any], Sequence[asyncpg.Record], Any]]) -> None:
    """The same for any number of orders with their commissions and rules."""
    moved = {
        one["id"]: end
        for order, commissions, rules in orders
        if commissions
        for release in [terms_of(rules).release]
        for one in commissions
        for end in [_end(order, rules["hold_days"], release, wait_in(one["how"]))]
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
