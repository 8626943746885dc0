import asyncpg

from app import db

# What went back of each line of an order, less what a won dispute gave back again.
# A refund in another currency than its order counts for nothing.
REFUNDED = """LEFT JOIN LATERAL (
    SELECT sum(CASE f.kind WHEN 'dispute_won' THEN -rl.quantity ELSE rl.quantity END) AS quantity,
           greatest(0, sum(CASE f.kind WHEN 'dispute_won' THEN -rl.amount ELSE rl.amount END))::bigint AS amount
      FROM refund f JOIN refund_line rl ON rl.refund_id = f.id
     WHERE f.store_id = o.store_id AND f.order_external_id = o.external_id AND f.currency = o.currency
       AND rl.external_line_id = l.external_id) back ON true"""


async def purchases_of(member_id: int, product_id: int) -> list[asyncpg.Record]:
    """What a member paid for of a product: `bought_at`, `delivered_at` (or null) and whether it all went back."""
    return await db.fetch(
        f"""SELECT coalesce(o.paid_at, o.placed_at, o.created_at) AS bought_at, o.delivered_at,
                  coalesce(back.quantity >= l.quantity
                           OR (l.gross > l.discount AND back.amount >= l.gross - l.discount), false) AS returned
             FROM customer c
             JOIN orders o ON o.customer_id = c.id
             JOIN order_line l ON l.order_id = o.id
             {REFUNDED}
            WHERE c.member_id = $1 AND l.product_id = $2 AND l.quantity > 0
              AND o.paid_at IS NOT NULL AND o.cancelled_at IS NULL
            ORDER BY o.id""",
        member_id,
        product_id,
    )


async def lines_of(order_id: int) -> list[asyncpg.Record]:
    """An order's lines: `base` (gross - discount, what earns), and what of it went back."""
    return await db.fetch(
        f"""SELECT l.*, l.gross - l.discount AS base,
                  coalesce(back.amount, 0)::bigint AS refunded, coalesce(back.quantity, 0)::int AS refunded_quantity
             FROM orders o JOIN order_line l ON l.order_id = o.id
             {REFUNDED}
            WHERE o.id = $1 ORDER BY l.id""",
        order_id,
    )


async def order_of_store(store_id: int, external_id: str) -> asyncpg.Record | None:
    """The order as told; None while only a refund or nothing of it has come."""
    return await db.fetch_one(
        "SELECT * FROM orders WHERE store_id = $1 AND external_id = $2 AND source_updated_at IS NOT NULL",
        store_id,
        external_id,
    )
