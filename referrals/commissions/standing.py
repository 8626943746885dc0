"""What stands of a commission, and in which buckets its money lies: sums of its entries, never stored."""

from collections.abc import Iterable, Sequence

import asyncpg

from app import db

# `standing` is what the store has spent on it. The buckets add up to the same; `receivable` is below zero when the
# member owes something back, and above it when the money of this commission paid what they owed for another one.
_COMMISSIONS = """
SELECT c.*, p.store_id, money.*
  FROM commission c
  JOIN program_version v ON v.id = c.program_version_id
  JOIN program p ON p.id = v.program_id
  JOIN LATERAL (
       SELECT coalesce(sum(e.amount) FILTER (WHERE a.kind = 'commission_expense'), 0)::bigint AS standing,
              coalesce(max(t.ref_seq), 0) AS postings,
              coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'pending'), 0)::bigint AS in_pending,
              coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'held'), 0)::bigint AS in_held,
              coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'available'), 0)::bigint AS in_available,
              coalesce(-sum(e.amount) FILTER (WHERE a.kind = 'in_payout'), 0)::bigint AS in_payout
         FROM ledger_transaction t
         JOIN ledger_entry e ON e.transaction_id = t.id
         JOIN ledger_account a ON a.id = e.account_id
        WHERE t.ref_type = 'commission' AND t.ref_id = c.id) money ON true
"""


NOTHING_POSTED = dict.fromkeys(("standing", "postings", "in_pending", "in_held", "in_available", "in_payout"), 0)


async def commissions_on(order_id: int) -> list[asyncpg.Record]:
    """The commissions of an order with what stands of each. The caller holds the order's lock, or only looks."""
    return await commissions_of_orders([order_id])


async def commissions_of_orders(order_ids: Sequence[int]) -> list[asyncpg.Record]:
    return await db.fetch(f"{_COMMISSIONS} WHERE c.order_id = ANY($1::bigint[]) ORDER BY c.id", order_ids)


async def lock_commissions(commission_ids: Iterable[int]) -> list[asyncpg.Record]:
    """Commissions with what stands of each, locked by their orders (by themselves when they have none): nothing else
    moves their money meanwhile."""
    ids = sorted(set(commission_ids))
    await db.fetch(
        """SELECT id FROM orders WHERE id IN (SELECT order_id FROM commission WHERE id = ANY($1::bigint[]))
            ORDER BY id FOR UPDATE""",
        ids,
    )
    await db.fetch(
        "SELECT id FROM commission WHERE id = ANY($1::bigint[]) AND order_id IS NULL ORDER BY id FOR UPDATE", ids
    )
    return await db.fetch(f"{_COMMISSIONS} WHERE c.id = ANY($1::bigint[]) ORDER BY c.id", ids)


async def lines_of(order: asyncpg.Record) -> list[asyncpg.Record]:
    """The lines of an order: what can earn on each (`base`), and how much of it was given back.

    A dispute that was won gives back what the bank had taken, and never more: neither which of the two comes first
    nor how often either is told makes a difference. `disputed` and `won_back` say why, not how much counts.
    """
    return await lines_of_orders([order["id"]])


async def lines_of_orders(order_ids: Sequence[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""SELECT l.id, l.order_id, l.quantity, greatest(l.gross - l.discount, 0) AS base,
                  ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")}) AS refunded,
                  coalesce(bank.taken, 0)::bigint AS disputed, coalesce(bank.won, 0)::bigint AS won_back
             FROM orders o JOIN order_line l ON l.order_id = o.id
             LEFT JOIN LATERAL (
                  SELECT sum(rl.amount) FILTER (WHERE r.kind = 'chargeback') AS taken,
                         sum(rl.amount) FILTER (WHERE r.kind = 'dispute_won') AS won
                    FROM refund r JOIN refund_line rl ON rl.refund_id = r.id
                   WHERE r.store_id = o.store_id AND r.order_external_id = o.external_id AND r.currency = o.currency
                     AND r.kind IN ('chargeback', 'dispute_won') AND rl.external_line_id = l.external_id) bank ON true
            WHERE o.id = ANY($1::bigint[]) ORDER BY l.id""",
        order_ids,
    )


def given_back(line: str, store_id: str, order_ref: str, currency: str) -> str:
    """SQL: how much of a line was given back, in the order's own currency."""
    return f"""SELECT (coalesce(sum(rl.amount) FILTER (WHERE r.kind NOT IN ('chargeback', 'dispute_won')), 0)
                     + greatest(coalesce(sum(rl.amount) FILTER (WHERE r.kind = 'chargeback'), 0)
                              - coalesce(sum(rl.amount) FILTER (WHERE r.kind = 'dispute_won'), 0), 0))::bigint
                 FROM refund r JOIN refund_line rl ON rl.refund_id = r.id
                WHERE r.store_id = {store_id} AND r.order_external_id = {order_ref} AND r.currency = {currency}
                  AND rl.external_line_id = {line}"""
