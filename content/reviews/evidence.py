"""What the store's orders show of a reviewer's purchase. Nobody types it, and no star changes it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app import clock, db
from storefront.orders.queries import purchases_of

VERIFIED = ("bought", "delivered", "kept", "returned")
# Past this many days most shops take nothing back: who still has it then has kept it.
KEPT_AFTER = timedelta(days=30)


class Evidence(msgspec.Struct, frozen=True):
    level: str = "none"
    since: datetime | None = None

    @property
    def verified(self) -> bool:
        return self.level in VERIFIED

    @property
    def days(self) -> int | None:
        """How long it was kept."""
        return (clock.now() - self.since).days if self.level == "kept" and self.since else None


NONE = Evidence()


async def evidence_of(member_id: int, product_id: int) -> Evidence:
    """The best a member's orders show now: a thing still there before one that went back, delivered before bought."""
    purchases = await purchases_of(member_id, product_id)
    if not purchases:
        return NONE
    best = min(purchases, key=lambda p: (p["returned"], p["delivered_at"] is None, p["delivered_at"] or p["bought_at"]))
    if best["returned"]:
        return Evidence("returned", best["bought_at"])
    if best["delivered_at"]:
        return Evidence("delivered", best["delivered_at"])
    return Evidence("bought", best["bought_at"])


def shown(review: Mapping[str, Any]) -> Evidence:
    """The stored evidence as of now: what was delivered long ago, and not returned since, was kept."""
    level, since = review["evidence"], review["evidence_since"]
    if level == "delivered" and since and clock.now() - since >= KEPT_AFTER:
        level = "kept"
    return Evidence(level, since)


async def reviews_touched_by_order(order_id: int) -> list[int]:
    """Reviews whose evidence may have changed with an order: the customer's own, of the products in it."""
    rows = await db.fetch(
        """SELECT DISTINCT r.id
             FROM orders o
             JOIN customer c ON c.id = o.customer_id
             JOIN order_line l ON l.order_id = o.id
             JOIN review r ON r.product_id = l.product_id AND r.author_id = c.member_id
            WHERE o.id = $1""",
        order_id,
    )
    return [row["id"] for row in rows]
