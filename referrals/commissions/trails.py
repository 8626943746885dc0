"""Is each commission where its trail of steps says, and its money where its state says? Read apart from what posts."""

from collections.abc import Mapping, Sequence

import asyncpg

from app import db
from referrals.commissions.states import MAY_LIE_IN, STEPS

AT_ONCE = 20_000

_BUCKETS = """
WITH lies AS (
    SELECT t.ref_id, a.kind AS bucket, -sum(e.amount) AS amount
      FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'member'
     WHERE t.ref_type = 'commission' AND t.ref_id > $2 AND t.ref_id <= $3 GROUP BY t.ref_id, a.kind)
SELECT c.id, c.state, l.bucket, l.amount, c.currency
  FROM lies l JOIN commission c ON c.id = l.ref_id
 WHERE l.amount <> 0
   AND (NOT (($1::jsonb -> c.state) ? l.bucket) OR (l.amount < 0 AND l.bucket <> 'receivable')
        OR (l.bucket = 'in_payout' AND NOT EXISTS (
                SELECT 1 FROM commission_event e WHERE e.commission_id = c.id AND e.to_state = 'allocated')))
 ORDER BY c.id, l.bucket
"""

_TRAILS = """
WITH trail AS (
    SELECT e.*, lag(e.to_state, 1, '') OVER steps AS came_from, lead(e.id) OVER steps AS next_id,
           row_number() OVER steps AS place
      FROM commission_event e WHERE e.commission_id > $2 AND e.commission_id <= $3
    WINDOW steps AS (PARTITION BY e.commission_id ORDER BY e.seq))
SELECT c.id, c.state, t.seq, t.from_state, t.to_state, t.came_from, t.place, t.next_id, t.reason
  FROM commission c LEFT JOIN trail t ON t.commission_id = c.id
 WHERE c.id > $2 AND c.id <= $3
   AND (t.id IS NULL OR t.seq <> t.place OR t.from_state <> t.came_from
    OR NOT (coalesce($1::jsonb -> t.from_state, '[]') ? t.to_state)
    OR (t.from_state = 'rejected' AND t.reason <> 'appeal_upheld')
    OR (t.next_id IS NULL AND t.to_state <> c.state)
    OR (t.next_id IS NULL AND t.to_state = 'approved' AND c.screened_at IS NULL))
 ORDER BY c.id, t.seq
"""


async def _of_commissions(sql: str, allowed: Mapping[str, Sequence[str]]) -> list[asyncpg.Record]:
    """What a check finds, stretch by stretch: no statement grows with how many commissions there are."""
    found: list[asyncpg.Record] = []
    for stretch in await db.id_ranges("commission", AT_ONCE):
        found += await db.fetch(sql, allowed, *stretch)
    return found


async def check_buckets() -> list[str]:
    """Each bucket that holds money of a commission its state keeps out of there, or less than nothing."""
    rows = await _of_commissions(_BUCKETS, MAY_LIE_IN)
    return [
        f"commission {row['id']} is {row['state']}, but its money lies in {row['bucket']}: "
        f"{row['amount']} {row['currency']}"
        for row in rows
    ]


async def check_trails() -> list[str]:
    """Each commission whose steps do not lead to its state, one by one and by allowed ways only."""
    rows = await _of_commissions(_TRAILS, STEPS)
    return [f"commission {row['id']} {_what_is_wrong(row)}" for row in rows]


def _what_is_wrong(row) -> str:  # type: ignore[no-untyped-def]
    if row["seq"] is None:
        return f"is {row['state']}, and no step says how it came to be"
    if row["seq"] != row["place"] or row["from_state"] != row["came_from"]:
        return f"misses a step before number {row['seq']}, or one was changed"
    if row["to_state"] not in STEPS.get(row["from_state"], ()):
        return f"went from {row['from_state'] or 'nothing'} to {row['to_state']}, which nothing may"
    if row["from_state"] == "rejected" and row["reason"] != "appeal_upheld":
        return "was rejected and came back, though nobody had objected"
    if row["to_state"] != row["state"]:
        return f"is {row['state']}, but its last step led to {row['to_state']}"
    return "was approved without having been looked at for fraud"
