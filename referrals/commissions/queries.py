import asyncpg

from app import db
from app.paging import Page, cut, decode


async def lock_order(order_id: int) -> asyncpg.Record | None:
    """The order with its buyer, locked until the transaction ends: everything that moves its money waits here."""
    return await db.fetch_one(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id
            WHERE o.id = $1 FOR UPDATE OF o""",
        order_id,
    )


async def lines_of(order: asyncpg.Record) -> list[asyncpg.Record]:
    """The lines of an order: what can earn on each (`base`), and how much of it was given back."""
    return await db.fetch(
        """SELECT l.id, greatest(l.gross - l.discount, 0) AS base,
                  coalesce((SELECT sum(rl.amount) FROM refund r JOIN refund_line rl ON rl.refund_id = r.id
                             WHERE r.store_id = $2 AND r.order_external_id = $3 AND r.currency = $4
                               AND rl.external_line_id = l.external_id), 0)::bigint AS refunded
             FROM order_line l WHERE l.order_id = $1 ORDER BY l.id""",
        order["id"],
        order["store_id"],
        order["external_id"],
        order["currency"],
    )


async def commissions_on(order_id: int) -> list[asyncpg.Record]:
    """The commissions of an order with what stands of each: the sum of its entries."""
    return await db.fetch(
        """SELECT c.*, posted.standing, posted.postings
             FROM commission c
             LEFT JOIN LATERAL (
                  SELECT coalesce(-sum(e.amount), 0)::bigint AS standing, coalesce(max(t.ref_seq), 0) AS postings
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id) posted ON true
            WHERE c.order_id = $1 ORDER BY c.id""",
        order_id,
    )


async def commissions_of(
    member_id: int, *, cursor: str | None = None, limit: int = 20, order_id: int | None = None
) -> Page[asyncpg.Record]:
    """A member's commissions, newest first, with what stands after refunds, the product and the store."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT c.id, c.role, c.state, c.hold_until, c.currency, c.base, c.rate_bps, c.granted, c.created_at,
                  o.external_id AS order_ref, o.number, o.cancelled_at, s.name AS store_name,
                  coalesce(nullif(ol.title, ''), p.title, '') AS title, p.slug AS product_slug,
                  coalesce(standing.amount, 0)::bigint AS amount, at.rule, l.code, l.target_kind
             FROM (SELECT * FROM commission
                    WHERE member_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($4::bigint IS NULL OR order_id = $4)
                    ORDER BY id DESC LIMIT $3) c
             JOIN orders o ON o.id = c.order_id
             JOIN store s ON s.id = o.store_id
             JOIN order_line ol ON ol.id = c.order_line_id
             JOIN attribution at ON at.id = c.attribution_id
             LEFT JOIN link l ON l.id = at.link_id
             LEFT JOIN product p ON p.id = ol.product_id
             LEFT JOIN LATERAL (
                  SELECT -sum(e.amount) AS amount
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id) standing ON true
            ORDER BY c.id DESC""",
        member_id,
        *after,
        limit + 1,
        order_id,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def orders_with_due_commissions(now: object, limit: int) -> list[int]:
    """Orders with a hold that has ended."""
    rows = await db.fetch(
        """SELECT DISTINCT order_id FROM commission
            WHERE state = 'pending' AND hold_until <= $1 AND order_id IS NOT NULL LIMIT $2""",
        now,
        limit,
    )
    return [row["order_id"] for row in rows]


async def orders_touched_by(member_id: int, click_id: str | None = None) -> list[int]:
    """Orders in which this member is the buyer, or that carry this click."""
    rows = await db.fetch(
        """SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id WHERE c.member_id = $1
           UNION SELECT id FROM orders WHERE gv = $2::uuid ORDER BY 1""",
        member_id,
        click_id,
    )
    return [row["id"] for row in rows]
