import asyncpg

from app import db


async def purchases_of(member_id: int, product_id: int) -> list[asyncpg.Record]:
    """What a member paid for of a product: `bought_at`, `delivered_at` (or null) and whether it all went back."""
    return await db.fetch(
        """SELECT coalesce(o.paid_at, o.placed_at, o.created_at) AS bought_at, o.delivered_at,
                  coalesce(back.quantity >= l.quantity OR back.amount >= l.gross - l.discount, false) AS returned
             FROM customer c
             JOIN orders o ON o.customer_id = c.id
             JOIN order_line l ON l.order_id = o.id
             LEFT JOIN LATERAL (
                 SELECT sum(rl.quantity) AS quantity, sum(rl.amount) AS amount
                   FROM refund f JOIN refund_line rl ON rl.refund_id = f.id
                  WHERE f.store_id = o.store_id AND f.order_external_id = o.external_id
                    AND rl.external_line_id = l.external_id) back ON true
            WHERE c.member_id = $1 AND l.product_id = $2 AND o.paid_at IS NOT NULL AND o.cancelled_at IS NULL
            ORDER BY o.id""",
        member_id,
        product_id,
    )
