from datetime import datetime

import asyncpg

from app import db
from app.errors import NotFound

MOST_MOVES = 100
# Of each currency: what counts now, never more than stands in the books: what a refund took back of spent credit is
# owed, and filled by what begins to count next. $2 is now.
_AVAILABLE = """
SELECT l.currency, min(l.expires_at) FILTER (WHERE l.remaining > 0 AND l.expires_at > $2) AS next_expiry,
       coalesce(sum(l.remaining) FILTER (WHERE l.active_at > $2), 0)::bigint AS coming,
       least(review.amount, sum(l.remaining))::bigint AS looked_at,
       greatest(0, least(coalesce(sum(l.remaining) FILTER (
                             WHERE l.active_at <= $2 AND (l.expires_at IS NULL OR l.expires_at > $2)), 0),
                         stands.amount) - review.amount)::bigint AS amount
  FROM credit_lot l
  LEFT JOIN LATERAL (
       SELECT coalesce(-sum(e.amount), 0) AS amount FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
        WHERE a.owner_kind = 'customer' AND a.owner_id = l.customer_id AND a.kind = 'store_credit'
          AND a.currency = l.currency) stands ON true
  LEFT JOIN LATERAL (
       SELECT coalesce(sum(r.granted - r.expired), 0) AS amount FROM credit_lot r JOIN friend_reward f
              ON r.source = 'friend_reward:' || f.id
        WHERE r.customer_id = l.customer_id AND r.currency = l.currency
          AND EXISTS (SELECT 1 FROM commission c WHERE c.order_id = f.order_id AND c.granted > 0
                         AND c.state IN ('held', 'rejected'))) review ON true
 WHERE l.customer_id = $1
 GROUP BY l.currency, stands.amount, review.amount
"""


async def customer_of(store_id: int, external_id: str, *, lock: bool = False) -> asyncpg.Record:
    row = await db.fetch_one(
        "SELECT * FROM customer WHERE store_id = $1 AND external_id = $2" + (" FOR UPDATE" if lock else ""),
        store_id,
        external_id.replace("\0", ""),
    )
    if row is None:
        raise NotFound()
    return row


async def available(customer_id: int, now: datetime) -> list[asyncpg.Record]:
    """What a customer may spend now, by currency."""
    return await db.fetch(f"SELECT * FROM ({_AVAILABLE}) now WHERE amount > 0 ORDER BY currency", customer_id, now)


async def available_in(customer_id: int, currency: str, now: datetime) -> int:
    row = await db.fetch_one(f"SELECT amount FROM ({_AVAILABLE}) now WHERE currency = $3", customer_id, now, currency)
    return row["amount"] if row else 0


async def lots_of(customer_id: int, now: datetime) -> list[asyncpg.Record]:
    """What is left of each grant that is not over."""
    return await db.fetch(
        """SELECT * FROM credit_lot WHERE customer_id = $1 AND remaining > 0 AND (expires_at IS NULL OR expires_at > $2)
            ORDER BY active_at, id""",
        customer_id,
        now,
    )


async def under_review(customer_id: int, currency: str) -> int:
    """Of that, what came by orders whose commission is held, or was rejected: perhaps nobody else told the buyer."""
    return await db.fetch_val(
        """SELECT coalesce(sum(l.granted - l.expired), 0)::bigint
             FROM credit_lot l JOIN friend_reward f ON l.source = 'friend_reward:' || f.id
            WHERE l.customer_id = $1 AND l.currency = $2
              AND EXISTS (SELECT 1 FROM commission c WHERE c.order_id = f.order_id AND c.granted > 0
                             AND c.state IN ('held', 'rejected'))""",
        customer_id,
        currency,
    )


async def use_of(store_id: int, external_id: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT u.*, c.external_id AS customer FROM credit_use u JOIN customer c ON c.id = u.customer_id
            WHERE u.store_id = $1 AND u.external_id = $2""",
        store_id,
        external_id.replace("\0", ""),
    )


async def credit_of_member(member_id: int, now: datetime) -> list[asyncpg.Record]:
    """What a member may spend, by store and currency, and when the first of it ends."""
    return await db.fetch(
        f"""SELECT s.slug, s.name, now.currency, now.amount, now.next_expiry, now.coming, now.looked_at
              FROM customer c JOIN store s ON s.id = c.store_id
             CROSS JOIN LATERAL ({_AVAILABLE.replace("$1", "c.id")}) now
             WHERE c.member_id = $1 ORDER BY 2, 1, 3""",
        member_id,
        now,
    )


async def moves_of_member(member_id: int) -> list[asyncpg.Record]:
    """How a member's credit came and went, the newest first: `granted`, `reduced`, `spent` or `given_back`."""
    return await db.fetch(
        """SELECT s.name AS store_name, s.slug, a.currency, -e.amount AS amount, t.occurred_at AS at,
                  coalesce(nullif(o.number, ''), o.external_id, u.order_external_id, '') AS order_ref,
                  CASE t.kind WHEN 'accrue' THEN 'granted' WHEN 'reduce' THEN 'reduced'
                              WHEN 'redeem' THEN 'spent' WHEN 'expire' THEN 'expired'
                              WHEN 'revive' THEN 'corrected' ELSE 'given_back' END AS kind
             FROM customer c JOIN store s ON s.id = c.store_id
             JOIN ledger_account a ON a.owner_kind = 'customer' AND a.owner_id = c.id AND a.kind = 'store_credit'
             JOIN ledger_entry e ON e.account_id = a.id JOIN ledger_transaction t ON t.id = e.transaction_id
             LEFT JOIN credit_lot l ON t.ref_type = 'credit_lot' AND l.id = t.ref_id
             LEFT JOIN friend_reward f ON (t.ref_type = 'friend_reward' AND f.id = t.ref_id)
                                       OR l.source = 'friend_reward:' || f.id
             LEFT JOIN orders o ON o.id = f.order_id
             LEFT JOIN credit_use u ON t.ref_type = 'credit_use' AND u.id = t.ref_id
            WHERE c.member_id = $1 ORDER BY t.id DESC LIMIT $2""",
        member_id,
        MOST_MOVES,
    )
