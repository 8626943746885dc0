from collections.abc import Sequence

import asyncpg

from app import db
from app.paging import Page, cut, decode
from referrals.commissions.standing import commissions_on as commissions_on
from referrals.commissions.standing import lines_of as lines_of


async def order_with_buyer(order_id: int) -> asyncpg.Record | None:
    """The order with its buyer, only to be looked at."""
    return await db.fetch_one(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id WHERE o.id = $1""",
        order_id,
    )


async def lock_order(order_id: int) -> asyncpg.Record | None:
    """The order with its buyer, locked until the transaction ends: everything that moves its money waits here."""
    return await db.fetch_one(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
             FROM orders o LEFT JOIN customer c ON c.id = o.customer_id
            WHERE o.id = $1 FOR UPDATE OF o""",
        order_id,
    )


async def rules_in_force(order_ids: Sequence[int]) -> dict[int, asyncpg.Record]:
    """The rules that were in force when each order was first heard of."""
    rows = await db.fetch(
        """SELECT o.id AS order_id, v.*
             FROM orders o JOIN program p ON p.store_id = o.store_id
             JOIN LATERAL (SELECT * FROM program_version
                            WHERE program_id = p.id AND published_at <= o.created_at
                            ORDER BY version DESC LIMIT 1) v ON true
            WHERE o.id = ANY($1::bigint[])""",
        order_ids,
    )
    return {row["order_id"]: row for row in rows}


async def commissions_of(
    member_id: int,
    *,
    cursor: str | None = None,
    limit: int = 20,
    order_id: int | None = None,
    commission_id: int | None = None,
) -> Page[asyncpg.Record]:
    """A member's commissions, newest first, with what stands after refunds, the product and the store."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT c.id, c.role, c.state, c.hold_until, c.currency, c.base, c.rate_bps, c.granted, c.created_at,
                  c.risk_hold_until, v.version AS rules_version, v.hold_days, v.id AS version_id, c.source, c.how,
                  CASE WHEN c.order_id IS NOT NULL THEN v.terms -> 'release' END AS release,
                  coalesce(o.external_id, '') AS order_ref, coalesce(o.number, '') AS number, o.cancelled_at,
                  s.name AS store_name, s.slug AS store_slug, c.rule AS rule_name,
                  coalesce(nullif(ol.title, ''), p.title, '') AS title, p.slug AS product_slug,
                  coalesce(standing.amount, 0)::bigint AS amount, coalesce(at.rule, '') AS rule, l.code, l.target_kind
             FROM (SELECT * FROM commission
                    WHERE member_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($4::bigint IS NULL OR order_id = $4)
                      AND ($5::bigint IS NULL OR id = $5)
                    ORDER BY id DESC LIMIT $3) c
             JOIN program_version v ON v.id = c.program_version_id
             JOIN program pr ON pr.id = v.program_id
             JOIN store s ON s.id = pr.store_id
             LEFT JOIN orders o ON o.id = c.order_id
             LEFT JOIN order_line ol ON ol.id = c.order_line_id
             LEFT JOIN attribution at ON at.id = c.attribution_id
             LEFT JOIN link l ON l.id = at.link_id
             LEFT JOIN product p ON p.id = ol.product_id
             LEFT JOIN LATERAL (
                  SELECT sum(e.amount) AS amount
                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id) standing ON true
            ORDER BY c.id DESC""",
        member_id,
        *after,
        limit + 1,
        order_id,
        commission_id,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def orders_touched_by(member_id: int, click_id: str | None = None) -> list[int]:
    """Orders in which this member is the buyer, or that carry this click."""
    rows = await db.fetch(
        """SELECT o.id FROM orders o JOIN customer c ON c.id = o.customer_id WHERE c.member_id = $1
           UNION SELECT id FROM orders WHERE gv = $2::uuid ORDER BY 1""",
        member_id,
        click_id,
    )
    return [row["id"] for row in rows]


async def author_of(kind: str, thing_id: int) -> int | None:
    sql = {"post": "SELECT author_id FROM post WHERE id = $1", "answer": "SELECT author_id FROM answer WHERE id = $1"}
    found: int | None = await db.fetch_val(sql[kind], thing_id)
    return found
