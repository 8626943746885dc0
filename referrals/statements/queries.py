"""A member's accounts over a month of UTC, straight from the entries; nothing here is stored."""

from datetime import UTC, datetime

import asyncpg

from app import db

# Each transaction that touches the member's accounts in a currency, with what it did to every bucket of theirs.
_MINE = """
SELECT t.id, t.kind, t.reason, t.ref_type, t.ref_id, t.ref_seq, t.occurred_at, t.prev_hash, t.hash,
       -sum(e.amount)::bigint AS amount,
       array_agg((a.kind, -e.amount) ORDER BY e.line) AS moves
  FROM ledger_account a
  JOIN ledger_entry e ON e.account_id = a.id
  JOIN ledger_transaction t ON t.id = e.transaction_id
 WHERE a.owner_kind = 'member' AND a.owner_id = $1 AND a.currency = $2
   AND t.occurred_at >= $3 AND t.occurred_at < $4
"""


def bounds(month: str) -> tuple[datetime, datetime] | None:
    """The first moment of a month ("2026-11") and of the one after it, UTC."""
    year, _, number = month.partition("-")
    if len(month) != 7 or not (year + number).isascii() or not (year + number).isdigit():
        return None
    if not (2000 <= int(year) <= 2999 and 1 <= int(number) <= 12):
        return None
    start = datetime(int(year), int(number), 1, tzinfo=UTC)
    return start, datetime(start.year + start.month // 12, start.month % 12 + 1, 1, tzinfo=UTC)


async def buckets_at(member_id: int, currency: str, moment: datetime) -> dict[str, int]:
    """What lay in each bucket before a moment."""
    rows = await db.fetch(
        """SELECT a.kind, -sum(e.amount)::bigint AS amount
             FROM ledger_account a
             JOIN ledger_entry e ON e.account_id = a.id
             JOIN ledger_transaction t ON t.id = e.transaction_id AND t.occurred_at < $3
            WHERE a.owner_kind = 'member' AND a.owner_id = $1 AND a.currency = $2
            GROUP BY a.kind HAVING sum(e.amount) <> 0 ORDER BY a.kind""",
        member_id,
        currency,
        moment,
    )
    return {row["kind"]: row["amount"] for row in rows}


async def balance_up_to(member_id: int, currency: str, start: datetime, transaction_id: int) -> int:
    """All that was the member's when a transaction of the month was written."""
    return await db.fetch_val(
        """SELECT coalesce(-sum(e.amount), 0)::bigint
             FROM ledger_account a
             JOIN ledger_entry e ON e.account_id = a.id
             JOIN ledger_transaction t ON t.id = e.transaction_id
            WHERE a.owner_kind = 'member' AND a.owner_id = $1 AND a.currency = $2
              AND (t.occurred_at < $3 OR t.id <= $4)""",
        member_id,
        currency,
        start,
        transaction_id,
    )


async def transactions_of(
    member_id: int, currency: str, start: datetime, end: datetime, after: int, limit: int
) -> list[asyncpg.Record]:
    """The member's transactions, oldest first, each with the order, the store and the thing it was about."""
    return await db.fetch(
        f"""SELECT mine.*, coalesce(o.external_id, '') AS order_ref, coalesce(s.name, '') AS store_name,
                   coalesce(s.slug, '') AS store_slug, coalesce(l.title, '') AS title, c.id AS commission_id,
                   po.sends, po.pays, po.pays_currency, fx.rate AS fx_rate
              FROM ({_MINE} AND t.id > $5 GROUP BY t.id ORDER BY t.id LIMIT $6) mine
              LEFT JOIN payout po ON mine.ref_type = 'payout' AND mine.kind = 'settle' AND po.id = mine.ref_id
                                 AND po.rate_id IS NOT NULL
              LEFT JOIN fx_rate fx ON fx.id = po.rate_id
              LEFT JOIN commission c ON mine.ref_type = 'commission' AND c.id = mine.ref_id
              LEFT JOIN orders o ON o.id = c.order_id
              LEFT JOIN order_line l ON l.id = c.order_line_id
              LEFT JOIN program_version v ON v.id = c.program_version_id
              LEFT JOIN program p ON p.id = v.program_id
              LEFT JOIN store s ON s.id = p.store_id
             ORDER BY mine.id""",
        member_id,
        currency,
        start,
        end,
        after,
        limit,
    )


async def totals_of(member_id: int, currency: str, start: datetime, end: datetime) -> asyncpg.Record:
    """What the month earned, took back and paid out, and the last transaction up to its end."""
    row = await db.fetch_one(
        f"""WITH mine AS ({_MINE} GROUP BY t.id)
            SELECT coalesce(sum(amount) FILTER (WHERE amount > 0 AND ref_type <> 'payout'), 0)::bigint AS earned,
                   coalesce(sum(amount) FILTER (WHERE amount < 0 AND ref_type <> 'payout'), 0)::bigint AS taken_back,
                   coalesce(sum(amount) FILTER (WHERE ref_type = 'payout'), 0)::bigint AS paid_out,
                   (SELECT t.hash FROM ledger_account a JOIN ledger_entry e ON e.account_id = a.id
                      JOIN ledger_transaction t ON t.id = e.transaction_id
                     WHERE a.owner_kind = 'member' AND a.owner_id = $1 AND a.currency = $2 AND t.occurred_at < $4
                     ORDER BY t.id DESC LIMIT 1) AS stamp
              FROM mine""",
        member_id,
        currency,
        start,
        end,
    )
    assert row is not None
    return row


async def months_of(member_id: int) -> list[asyncpg.Record]:
    """The months and currencies in which something moved, with what was the member's at the end of each."""
    return await db.fetch(
        """SELECT month, currency, entries,
                  sum(moved) OVER (PARTITION BY currency ORDER BY month)::bigint AS closing
             FROM (SELECT to_char(t.occurred_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, a.currency,
                          count(DISTINCT t.id) AS entries, -sum(e.amount) AS moved
                     FROM ledger_account a
                     JOIN ledger_entry e ON e.account_id = a.id
                     JOIN ledger_transaction t ON t.id = e.transaction_id
                    WHERE a.owner_kind = 'member' AND a.owner_id = $1
                    GROUP BY 1, 2) months
            ORDER BY month DESC, currency LIMIT 240""",
        member_id,
    )


async def usual_currency(member_id: int, end: datetime) -> str | None:
    """The currency in which something last moved for the member before a moment; else the first store's."""
    return await db.fetch_val(
        """SELECT coalesce(
                  (SELECT a.currency FROM ledger_account a
                     JOIN ledger_entry e ON e.account_id = a.id
                     JOIN ledger_transaction t ON t.id = e.transaction_id AND t.occurred_at < $2
                    WHERE a.owner_kind = 'member' AND a.owner_id = $1 ORDER BY t.id DESC, e.line LIMIT 1),
                  (SELECT currency FROM store ORDER BY id LIMIT 1))""",
        member_id,
        end,
    )


async def accounts_in(transaction_ids: list[int]) -> dict[int, list[tuple[str, int, str, str, int]]]:
    """Every leg of transactions, by account name, as they were hashed."""
    rows = await db.fetch(
        """SELECT e.transaction_id, a.owner_kind, a.owner_id, a.kind, a.currency, e.amount
             FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE e.transaction_id = ANY($1::bigint[]) ORDER BY e.transaction_id, e.line""",
        transaction_ids,
    )
    legs: dict[int, list[tuple[str, int, str, str, int]]] = {}
    for row in rows:
        legs.setdefault(row["transaction_id"], []).append(tuple(row)[1:])
    return legs
