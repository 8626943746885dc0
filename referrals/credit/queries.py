import asyncpg

from app import db
from app.errors import NotFound

MOST_MOVES = 100
# A credit is owed, so the sign turns. Below nothing when a refund took back what was spent: later credit fills it.
_STANDING = """(SELECT -sum(e.amount) FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
                 WHERE a.owner_kind = 'customer' AND a.owner_id = {customer} AND a.kind = 'store_credit'
                   AND a.currency = {currency})"""


async def customer_of(store_id: int, external_id: str, *, lock: bool = False) -> asyncpg.Record:
    row = await db.fetch_one(
        "SELECT * FROM customer WHERE store_id = $1 AND external_id = $2" + (" FOR UPDATE" if lock else ""),
        store_id,
        external_id.replace("\0", ""),
    )
    if row is None:
        raise NotFound()
    return row


async def standing(customer_id: int, currency: str) -> int:
    """What a customer's credit stands at; below nothing when more was spent than a refund has left."""
    return await db.fetch_val(
        f"SELECT coalesce({_STANDING.format(customer='$1', currency='$2')}, 0)::bigint", customer_id, currency
    )


async def under_review(customer_id: int, currency: str) -> int:
    """Of that, what came by orders whose commission is held, or was rejected: perhaps nobody else told the buyer."""
    return await db.fetch_val(
        """SELECT coalesce(-sum(e.amount), 0)::bigint
             FROM friend_reward f
             JOIN ledger_transaction t ON t.ref_type = 'friend_reward' AND t.ref_id = f.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'customer' AND a.kind = 'store_credit'
            WHERE f.customer_id = $1 AND f.currency = $2
              AND EXISTS (SELECT 1 FROM commission c WHERE c.order_id = f.order_id AND c.granted > 0
                             AND c.state IN ('held', 'rejected'))""",
        customer_id,
        currency,
    )


async def standing_by_currency(customer_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT a.currency, -sum(e.amount)::bigint AS amount FROM ledger_account a
             JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.owner_kind = 'customer' AND a.owner_id = $1 AND a.kind = 'store_credit'
            GROUP BY 1 HAVING sum(e.amount) < 0 ORDER BY 1""",
        customer_id,
    )


async def use_of(store_id: int, external_id: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT u.*, c.external_id AS customer FROM credit_use u JOIN customer c ON c.id = u.customer_id
            WHERE u.store_id = $1 AND u.external_id = $2""",
        store_id,
        external_id.replace("\0", ""),
    )


async def credit_of_member(member_id: int) -> list[asyncpg.Record]:
    """What a member has as credit, by store and currency."""
    return await db.fetch(
        """SELECT s.slug, s.name, a.currency, greatest(0, -sum(e.amount))::bigint AS amount
             FROM customer c JOIN store s ON s.id = c.store_id
             JOIN ledger_account a ON a.owner_kind = 'customer' AND a.owner_id = c.id AND a.kind = 'store_credit'
             JOIN ledger_entry e ON e.account_id = a.id
            WHERE c.member_id = $1 GROUP BY 1, 2, 3 ORDER BY 2, 1, 3""",
        member_id,
    )


async def moves_of_member(member_id: int) -> list[asyncpg.Record]:
    """How a member's credit came and went, the newest first: `granted`, `reduced`, `spent` or `given_back`."""
    return await db.fetch(
        """SELECT s.name AS store_name, s.slug, a.currency, -e.amount AS amount, t.occurred_at AS at,
                  coalesce(nullif(o.number, ''), o.external_id, u.order_external_id, '') AS order_ref,
                  CASE t.kind WHEN 'accrue' THEN 'granted' WHEN 'reduce' THEN 'reduced'
                              WHEN 'redeem' THEN 'spent' ELSE 'given_back' END AS kind
             FROM customer c JOIN store s ON s.id = c.store_id
             JOIN ledger_account a ON a.owner_kind = 'customer' AND a.owner_id = c.id AND a.kind = 'store_credit'
             JOIN ledger_entry e ON e.account_id = a.id JOIN ledger_transaction t ON t.id = e.transaction_id
             LEFT JOIN friend_reward f ON t.ref_type = 'friend_reward' AND f.id = t.ref_id
             LEFT JOIN orders o ON o.id = f.order_id
             LEFT JOIN credit_use u ON t.ref_type = 'credit_use' AND u.id = t.ref_id
            WHERE c.member_id = $1 ORDER BY t.id DESC LIMIT $2""",
        member_id,
        MOST_MOVES,
    )
