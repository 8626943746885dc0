"""Orders that depend on an earlier one of the same buyer: whether they are new, and to whom they are bound."""

from app import db
from referrals.programs.policy import Policy, policy_of

MOST_ORDERS = 200


async def orders_after(order_id: int) -> list[int]:
    """Later orders of the same buyer at this store, where their policy looks at what was bought before.

    A shop may tell of the second order first; the end must be the same.
    """
    rows = await db.fetch(
        """SELECT later.id, v.policy FROM orders o
             JOIN customer c ON c.id = o.customer_id
             JOIN customer same ON same.store_id = o.store_id
                  AND (same.id = c.id OR (same.email_hmac = c.email_hmac AND c.email_hmac <> ''))
             JOIN orders later ON later.customer_id = same.id AND later.id <> o.id AND later.paid_at IS NOT NULL
             JOIN program p ON p.store_id = o.store_id
             JOIN LATERAL (SELECT policy FROM program_version WHERE program_id = p.id
                              AND published_at <= later.created_at ORDER BY version DESC LIMIT 1) v
                  ON v.policy <> '{}'
            WHERE o.id = $1 AND o.paid_at IS NOT NULL
              AND (coalesce(later.placed_at, later.paid_at, later.created_at), later.id)
                  > (coalesce(o.placed_at, o.paid_at, o.created_at), o.id)
            ORDER BY later.id LIMIT $2""",
        order_id,
        MOST_ORDERS,
    )
    return [row["id"] for row in rows if _looks_back(policy_of(row))]


def _looks_back(policy: Policy) -> bool:
    return bool(policy.new_customer_order or policy.bind_idle_days or policy.bind in ("first", "override"))
