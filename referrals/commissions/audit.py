"""Work out every commission from the facts once more, in SQL and apart from the code that posts, and compare."""

from datetime import timedelta

import asyncpg

from app import clock, db
from referrals.commissions.audit_terms import check_terms
from referrals.commissions.standing import given_back
from referrals.commissions.trails import check_buckets, check_trails

# Orders looked at in one statement.
AT_ONCE = 5_000
# An order that waits longer than this for its decision was forgotten.
SETTLED_WITHIN = timedelta(hours=12)

# Half to even, like `share_of`.
_SHARE = """(net * rate_bps / 10000 + CASE
    WHEN net * rate_bps % 10000 * 2 > 10000 THEN 1
    WHEN net * rate_bps % 10000 * 2 = 10000 AND net * rate_bps / 10000 % 2 = 1 THEN 1 ELSE 0 END)"""

_STANDING = f"""
WITH decided AS (
    SELECT DISTINCT ON (order_id) order_id, winner_id, program_version_id, shares
      FROM attribution WHERE order_id > $1 AND order_id <= $2 ORDER BY order_id, version DESC),
line AS (
    SELECT l.id, l.order_id, o.paid_at, o.cancelled_at, o.doubt, d.winner_id, d.program_version_id, d.shares,
           greatest(l.gross - l.discount, 0) AS base,
           greatest(greatest(l.gross - l.discount, 0)
                  - ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")}), 0)::bigint AS net
      FROM order_line l JOIN orders o ON o.id = l.order_id LEFT JOIN decided d ON d.order_id = o.id
     WHERE o.id > $1 AND o.id <= $2),
wanted AS (
    SELECT c.id, c.state, c.currency, CASE WHEN line.winner_id = c.member_id AND line.cancelled_at IS NULL
                                            AND line.doubt = '' AND c.state <> 'rejected'
                                           THEN {_SHARE} ELSE 0 END AS target
      FROM commission c JOIN line ON line.id = c.order_line_id
     -- What more than the plain rate pays is audit_terms' work.
     WHERE c.how = '{{}}' AND coalesce(line.shares, '[]') IN ('[]', '{{}}')),
posted AS (
    SELECT t.ref_id, sum(e.amount) AS amount
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
     WHERE t.ref_type = 'commission' AND t.ref_id IN (SELECT id FROM wanted) GROUP BY t.ref_id)
"""


async def _of_orders(sql: str) -> list[asyncpg.Record]:
    """What a check finds, stretch by stretch of the orders: no statement grows with how many there are."""
    found: list[asyncpg.Record] = []
    for stretch in await db.id_ranges("orders", AT_ONCE):
        found += await db.fetch(sql, *stretch)
    return found


async def check_commissions() -> list[str]:
    """Each commission whose entries are not what the order's facts ask for, or lie in the wrong bucket."""
    rows = await _of_orders(
        f"""{_STANDING}
        SELECT w.id, w.currency, w.target, coalesce(p.amount, 0)::bigint AS standing
          FROM wanted w LEFT JOIN posted p ON p.ref_id = w.id
         WHERE coalesce(p.amount, 0) <> w.target ORDER BY w.id"""
    )
    errors = [
        f"commission {row['id']} stands at {row['standing']} {row['currency']}; the facts ask for {row['target']}"
        for row in rows
    ]
    errors += await check_buckets() + await check_trails()
    return errors + await _check_missing() + await _check_undecided() + await _check_terms() + await check_terms()


async def _check_missing() -> list[str]:
    rows = await _of_orders(
        f"""{_STANDING}
        SELECT line.id, line.order_id FROM line JOIN program_version v ON v.id = line.program_version_id
         WHERE line.paid_at IS NOT NULL AND line.cancelled_at IS NULL AND line.doubt = '' AND line.winner_id IS NOT NULL
           AND {_SHARE} > 0 AND v.terms = '{{}}'
           AND NOT EXISTS (SELECT 1 FROM rate_override r WHERE r.program_id = v.program_id)
           AND NOT EXISTS (SELECT 1 FROM commission c WHERE c.order_line_id = line.id AND c.member_id = line.winner_id)
         ORDER BY line.id"""
    )
    return [f"order {row['order_id']}, line {row['id']}: nobody was credited for it" for row in rows]


async def _check_undecided() -> list[str]:
    """Orders that carry a click and were never decided on: the end of the books may have been cut off with them."""
    before = clock.now() - SETTLED_WITHIN
    rows = await _of_orders(
        """SELECT o.id, o.created_at FROM orders o JOIN click k ON k.id = o.gv
            WHERE o.paid_at IS NOT NULL AND o.id > $1 AND o.id <= $2
              AND EXISTS (SELECT 1 FROM program p JOIN program_version v ON v.program_id = p.id
                           WHERE p.store_id = o.store_id AND v.published_at <= o.created_at)
              AND NOT EXISTS (SELECT 1 FROM attribution a WHERE a.order_id = o.id)
            ORDER BY o.id"""
    )
    undecided = [row["id"] for row in rows if row["created_at"] < before]
    return [f"order {order_id} carries a click, and nobody decided on it" for order_id in undecided]


async def _check_terms() -> list[str]:
    """Commissions whose rate, first amount or hold are not what the rules in force gave them."""
    rows = await _of_orders(
        f"""SELECT c.id FROM (SELECT *, base AS net FROM commission) c
              JOIN program_version v ON v.id = c.program_version_id JOIN orders o ON o.id = c.order_id
              JOIN attribution at ON at.id = c.attribution_id
             WHERE o.id > $1 AND o.id <= $2
               AND ((c.how = '{{}}' AND (c.rate_bps <> v.rate_bps
                        OR (coalesce(at.shares, '[]') IN ('[]', '{{}}')
                            AND c.granted <> {_SHARE.replace("rate_bps", "c.rate_bps")})))
                OR (NOT v.terms ? 'release' AND c.hold_until < o.created_at
                        + make_interval(days => coalesce((c.how #>> '{{wait,days}}')::int, v.hold_days)))
                OR (c.how ? 'wait' AND NOT EXISTS (
                        SELECT 1 FROM jsonb_array_elements(v.terms -> 'waits') w WHERE w = c.how -> 'wait')))
             ORDER BY c.id"""
    )
    return [f"commission {row['id']} has another rate, amount or hold than its rules gave it" for row in rows]
