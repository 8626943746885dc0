from datetime import datetime
from typing import Any

import asyncpg

from app import clock, db
from app.errors import NotFound
from app.paging import Page, cut, decode
from referrals.fraud.rules import REASONS

MOST_ANSWERS = 10
_CASE = """c.*, m.handle, m.name, m.created_at AS member_since, s.slug AS store_slug, s.name AS store_name,
           s.owner_id, d.handle AS decided_by"""
_FROM = """fraud_case c JOIN member m ON m.id = c.member_id JOIN store s ON s.id = c.store_id
           LEFT JOIN member d ON d.id = c.decided_by_id"""
VIEWS = ("open", "late", "appealed", "decided")
_VIEWS = {
    "open": "c.state IN ('open', 'appealed')",
    "late": "c.state IN ('open', 'appealed') AND c.due_at < $4",
    "appealed": "c.state = 'appealed'",
    "decided": "c.state NOT IN ('open', 'appealed')",
}


async def cases_of_store(
    store_id: int, view: str, *, rule: str = "", cursor: str | None = None, limit: int = 30
) -> Page[asyncpg.Record]:
    """A store's cases: those that wait, the most urgent first; those that were decided, the latest first."""
    after = decode(cursor, (datetime, int)) or (None, None)
    is_past = view == "decided"
    at, way, sign = ("decided_at", "DESC", "<") if is_past else ("due_at", "ASC", ">")
    rows = await db.fetch(
        f"""SELECT {_CASE}, held.n AS commissions, held.amounts
              FROM (SELECT * FROM fraud_case c
                     WHERE c.store_id = $1 AND {_VIEWS[view]} AND ($5 = '' OR c.rule = $5)
                       AND ($2::timestamptz IS NULL OR (c.{at}, c.id) {sign} ($2, $3::bigint))
                       AND $4::timestamptz IS NOT NULL
                     ORDER BY c.{at} {way}, c.id {way} LIMIT $6) c
              JOIN member m ON m.id = c.member_id JOIN store s ON s.id = c.store_id
              LEFT JOIN member d ON d.id = c.decided_by_id
              LEFT JOIN LATERAL ({_AMOUNTS}) held ON true
             ORDER BY c.{at} {way}, c.id {way}""",
        store_id,
        *after,
        clock.now(),
        rule,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row[at], row["id"]))


# What a case concerns: how many commissions, and what stands of them (or was taken back) by currency.
_AMOUNTS = """
SELECT sum(n)::int AS n, jsonb_object_agg(currency, amount) AS amounts FROM (
    SELECT k.currency, count(*) AS n,
           sum(CASE WHEN k.state = 'rejected' THEN k.granted ELSE coalesce(money.amount, 0) END)::bigint AS amount
      FROM fraud_hold h JOIN commission k ON k.id = h.commission_id
      LEFT JOIN LATERAL (
           SELECT sum(e.amount) AS amount FROM ledger_transaction t
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
            WHERE t.ref_type = 'commission' AND t.ref_id = k.id) money ON true
     WHERE h.case_id = c.id GROUP BY k.currency) by_currency"""


async def counts_of(store_id: int) -> dict[str, int]:
    row = await db.fetch_one(
        """SELECT count(*) FILTER (WHERE state IN ('open', 'appealed')) AS open,
                  count(*) FILTER (WHERE state IN ('open', 'appealed') AND due_at < $2) AS late,
                  count(*) FILTER (WHERE state = 'appealed') AS appealed,
                  count(*) FILTER (WHERE state NOT IN ('open', 'appealed')) AS decided
             FROM fraud_case WHERE store_id = $1""",
        store_id,
        clock.now(),
    )
    assert row is not None
    return dict(row)


async def case_of_store(store_id: int, case_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"SELECT {_CASE} FROM {_FROM} WHERE c.id = $1 AND c.store_id = $2", case_id, store_id)
    if row is None:
        raise NotFound()
    return row


async def case_of_member(member_id: int, case_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"SELECT {_CASE} FROM {_FROM} WHERE c.id = $1 AND c.member_id = $2", case_id, member_id)
    if row is None:
        raise NotFound()
    return row


async def case_by_id(case_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"SELECT {_CASE} FROM {_FROM} WHERE c.id = $1", case_id)
    assert row is not None
    return row


async def lock_case(store_id: int, case_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM fraud_case WHERE id = $1 AND store_id = $2 FOR UPDATE", case_id, store_id)
    if row is None:
        raise NotFound()
    return row


async def lock_own_case(member_id: int, case_id: int) -> asyncpg.Record:
    row = await db.fetch_one("SELECT * FROM fraud_case WHERE id = $1 AND member_id = $2 FOR UPDATE", case_id, member_id)
    if row is None:
        raise NotFound()
    return row


async def answers_in(case_id: int) -> int:
    return await db.fetch_val("SELECT count(*) FROM fraud_entry WHERE case_id = $1 AND kind = 'answered'", case_id)


async def cases_of_member(member_id: int, *, cursor: str | None = None, limit: int = 20) -> Page[asyncpg.Record]:
    """What is or was checked of a member's, newest first."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""SELECT {_CASE}, held.n AS commissions, held.amounts FROM {_FROM}
              LEFT JOIN LATERAL ({_AMOUNTS}) held ON true
             WHERE c.member_id = $1 AND ($2::bigint IS NULL OR c.id < $2) ORDER BY c.id DESC LIMIT $3""",
        member_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def signals_of(case_id: int) -> list[asyncpg.Record]:
    return await db.fetch("SELECT * FROM fraud_signal WHERE case_id = $1 ORDER BY id DESC LIMIT 100", case_id)


async def entries_of(case_id: int, *, for_member: bool = False) -> list[asyncpg.Record]:
    """What happened. The member does not read notes, nor who at the store said what."""
    return await db.fetch(
        """SELECT e.kind, e.said, e.at, m.handle AS actor, e.actor_id FROM fraud_entry e
             LEFT JOIN member m ON m.id = e.actor_id
            WHERE e.case_id = $1 AND (NOT $2 OR e.kind NOT IN ('noted', 'escalated', 'extended'))
            ORDER BY e.id LIMIT 200""",
        case_id,
        for_member,
    )


async def commissions_in(case_id: int) -> list[asyncpg.Record]:
    """The commissions a case concerns with what stands of each; never who bought."""
    return await db.fetch(
        """SELECT k.id, k.state, k.currency, k.granted, k.created_at, o.external_id AS order_ref, o.number,
                  coalesce(nullif(ol.title, ''), k.source, '') AS title, coalesce(money.amount, 0)::bigint AS amount
             FROM fraud_hold h JOIN commission k ON k.id = h.commission_id
             LEFT JOIN orders o ON o.id = k.order_id LEFT JOIN order_line ol ON ol.id = k.order_line_id
             LEFT JOIN LATERAL (
                  SELECT sum(e.amount) AS amount FROM ledger_transaction t
                    JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
                   WHERE t.ref_type = 'commission' AND t.ref_id = k.id) money ON true
            WHERE h.case_id = $1 ORDER BY k.id DESC LIMIT 200""",
        case_id,
    )


async def about(member_id: int, store_id: int) -> dict[str, Any]:
    """What else is known of a member at a store: how long here, how much sold, how often checked."""
    row = await db.fetch_one(
        """SELECT (SELECT count(DISTINCT c.order_id) FROM commission c JOIN program_version v
                     ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
                    WHERE c.member_id = $1 AND p.store_id = $2) AS orders,
                  (SELECT count(*) FROM fraud_case WHERE member_id = $1 AND store_id = $2 AND state = 'confirmed')
                    AS confirmed,
                  (SELECT count(*) FROM fraud_case WHERE member_id = $1 AND store_id = $2
                      AND state IN ('cleared', 'upheld')) AS cleared,
                  (SELECT coalesce(sum(clicks), 0)::bigint FROM link l JOIN click_count k ON k.link_id = l.id
                    WHERE l.owner_id = $1 AND k.kind = 'human') AS visits""",
        member_id,
        store_id,
    )
    assert row is not None
    return dict(row)


def reason_of(rule: str) -> str:
    return REASONS.get(rule, "under_review")


async def concerned_by(case_ids: list[int]) -> dict[int, list[str]]:
    """The commissions of each case."""
    rows = await db.fetch(
        """SELECT case_id, array_agg(commission_id ORDER BY commission_id) AS ids FROM fraud_hold
            WHERE case_id = ANY($1::bigint[]) GROUP BY case_id""",
        case_ids,
    )
    return {row["case_id"]: [str(one) for one in row["ids"]] for row in rows}


async def seen_in(case_ids: list[int]) -> dict[int, list[asyncpg.Record]]:
    """What rules saw, by case, the latest first."""
    seen: dict[int, list[asyncpg.Record]] = {}
    for row in await db.fetch(
        """SELECT s.* FROM unnest($1::bigint[]) asked (id), LATERAL (
               SELECT * FROM fraud_signal WHERE case_id = asked.id ORDER BY id DESC LIMIT 20) s""",
        case_ids,
    ):
        seen.setdefault(row["case_id"], []).append(row)
    return seen
