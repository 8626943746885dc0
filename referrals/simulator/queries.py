from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from app import clock, db


async def orders_since(store_id: int, since: datetime, until: datetime, most: int) -> list[int]:
    """The paid orders of a store in a span of time, the newest first."""
    rows = await db.fetch(
        """SELECT id FROM orders WHERE store_id = $1 AND paid_at IS NOT NULL AND cancelled_at IS NULL
              AND coalesce(placed_at, paid_at, created_at) BETWEEN $2 AND $3
            ORDER BY coalesce(placed_at, paid_at, created_at) DESC, id DESC LIMIT $4""",
        store_id,
        since,
        until,
        most,
    )
    return [row["id"] for row in rows]


async def orders_with_stakes(order_ids: list[int], version_id: int) -> list[asyncpg.Record]:
    """Orders with their buyer, what stands of their commissions, what was kept of the lines, and the plain rate."""
    return await db.fetch(
        """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox, v.rate_bps, v.program_id,
                  coalesce(standing.amount, 0)::bigint AS standing,
                  EXISTS (SELECT 1 FROM commission m WHERE m.order_id = o.id) AS has_commissions,
                  (SELECT coalesce(sum(greatest(l.gross - l.discount, 0)), 0) FROM order_line l
                    WHERE l.order_id = o.id)::bigint AS net
             FROM orders o
             JOIN program_version v ON v.id = $2
             LEFT JOIN customer c ON c.id = o.customer_id
             LEFT JOIN LATERAL (
                  SELECT -sum(e.amount) AS amount FROM commission m
                    JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = m.id
                    JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
                   WHERE m.order_id = o.id) standing ON true
            WHERE o.id = ANY($1::bigint[]) ORDER BY o.id""",
        order_ids,
        version_id,
    )


async def handles_of(member_ids: list[int]) -> dict[int, str]:
    rows = await db.fetch("SELECT id, handle FROM member WHERE id = ANY($1::bigint[])", member_ids)
    return {row["id"]: row["handle"] for row in rows}


async def simulations_of(store_id: int, limit: int = 10) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT s.id, s.days, s.state, s.orders, s.created_at, s.result -> 'changed' AS changed, m.handle
             FROM simulation s JOIN member m ON m.id = s.made_by
            WHERE s.store_id = $1 ORDER BY s.id DESC LIMIT $2""",
        store_id,
        limit,
    )


async def note_progress(simulation_id: int, orders: int, done: int) -> None:
    await db.execute(
        "UPDATE simulation SET state = 'running', orders = $2, done = $3 WHERE id = $1", simulation_id, orders, done
    )


async def note_done(simulation_id: int, orders: int, result: dict[str, Any]) -> None:
    await db.execute(
        """UPDATE simulation SET state = 'done', orders = $2, done = $2, result = $3::jsonb, finished_at = $4
            WHERE id = $1""",
        simulation_id,
        orders,
        msgspec.json.encode(result).decode(),
        clock.now(),
    )


async def note_failed(simulation_id: int) -> None:
    await db.execute(
        "UPDATE simulation SET state = 'failed', finished_at = $2 WHERE id = $1", simulation_id, clock.now()
    )


async def version_number(version_id: int) -> int:
    number: int = await db.fetch_val("SELECT version FROM program_version WHERE id = $1", version_id)
    return number
