"""What came of it, and what it cost: sales after refunds against everything that was granted for them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from app import clock, db
from app.money import Money
from app.paging import Page, cut, decode
from referrals.campaigns.costs import BONUS, LINES, costs_of, credited_on, share_of_volume, spent_on
from referrals.campaigns.schemas import Figures, Overview, Result

KINDS = ("commissions", "fees", "volume", "rewards", "credit", "bonus")
_SOLD = f"""
WITH line AS MATERIALIZED ({LINES}),
bonus AS MATERIALIZED ({BONUS}),
paid AS (SELECT l.winner_id, l.currency, sum({spent_on("c.id")}) AS amount, sum(b.amount) AS bonus
           FROM line l JOIN commission c ON c.order_line_id = l.line_id
           LEFT JOIN bonus b ON b.commission_id = c.id GROUP BY 1, 2),
credit AS (SELECT o.winner_id, o.currency, sum({credited_on("f.id")}) AS amount
             FROM (SELECT DISTINCT order_id, winner_id, currency FROM line) o
             JOIN friend_reward f ON f.order_id = o.order_id GROUP BY 1, 2),
sold AS (SELECT winner_id, currency, count(DISTINCT order_id) AS orders, sum(sales) AS sales FROM line GROUP BY 1, 2)
SELECT s.winner_id, s.currency, s.orders, s.sales::bigint AS sales, coalesce(p.amount, 0)::bigint AS commissions,
       coalesce(r.amount, 0)::bigint AS credit, coalesce(p.bonus, 0)::bigint AS bonus
  FROM sold s LEFT JOIN paid p USING (winner_id, currency) LEFT JOIN credit r USING (winner_id, currency)
 ORDER BY s.currency, s.winner_id
"""


async def sold(
    store_id: int,
    since: datetime,
    until: datetime,
    *,
    members: Sequence[int] | None = None,
    products: Sequence[int] | None = None,
) -> list[asyncpg.Record]:
    """By who is credited and currency: orders, sales, commissions, buyers' credit, bonus on what was paid as credit."""
    return await db.fetch(_SOLD, store_id, since, until, members, products)


async def clicks_by_member(store_id: int, members: Sequence[int], since: datetime, until: datetime) -> dict[int, int]:
    """People by the links of these members to this store; days are whole (UTC)."""
    rows = await db.fetch(
        """SELECT l.owner_id, sum(c.clicks)::bigint AS clicks FROM link l JOIN click_count c ON c.link_id = l.id
            WHERE l.owner_id = ANY($1::bigint[]) AND l.store_id = $2 AND c.kind = 'human' AND c.day BETWEEN $3 AND $4
            GROUP BY 1""",
        list(members),
        store_id,
        since.date(),
        until.date(),
    )
    return {row["owner_id"]: row["clicks"] for row in rows}


def results_of(rows: Iterable[Any], fees: Money, fee_bonus: int = 0, volume: Iterable[Any] = ()) -> list[Result]:
    """Summed by currency. Fees, and the bonus on them, are in the campaign's own."""
    by: dict[str, Counter[str]] = {}
    for row in rows:
        sums = by.setdefault(row["currency"], Counter())
        for name in ("orders", "sales", "commissions", "credit", "bonus"):
            sums[name] += row[name]
    for row in volume:
        part, sums = share_of_volume(row), by.setdefault(row["currency"], Counter())
        sums["volume"] += part["amount"]
        sums["bonus"] += part["bonus"]
    if fees.amount or fee_bonus:
        by.setdefault(fees.currency, Counter()).update(fees=fees.amount, bonus=fee_bonus)
    return [_result(currency, sums) for currency, sums in sorted(by.items())]


def _result(currency: str, sums: Counter[str]) -> Result:
    cost = sum(sums[name] for name in ("commissions", "fees", "volume", "credit", "bonus"))
    return Result(
        orders=sums["orders"],
        sales=Money(sums["sales"], currency),
        commissions=Money(sums["commissions"], currency),
        fees=Money(sums["fees"], currency),
        credit=Money(sums["credit"], currency),
        cost=Money(cost, currency),
        return_bps=sums["sales"] * 10_000 // cost if cost > 0 else None,
        volume=Money(sums["volume"], currency),
        bonus=Money(sums["bonus"], currency),
    )


def _figures(currency: str, sold: list[Any], costs: dict[str, int]) -> Figures:
    sales, cost = sum(row["sales"] for row in sold), sum(costs.values())
    sums = {name: Money(costs.get(name, 0), currency) for name in KINDS}
    return Figures(
        orders=sum(row["orders"] for row in sold),
        sales=Money(sales, currency),
        share_bps=cost * 10_000 // sales if sales else None,
        cost=Money(cost, currency),
        **sums,
    )


async def overview_of(store_id: int, days: int) -> Overview:
    now = clock.now()
    since = (now - timedelta(days=days - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    came = await db.fetch_one(
        """SELECT coalesce(sum(c.clicks) FILTER (WHERE c.kind = 'human'), 0)::bigint AS clicks,
                  coalesce(sum(c.clicks) FILTER (WHERE c.kind <> 'human'), 0)::bigint AS bots
             FROM link l JOIN click_count c ON c.link_id = l.id WHERE l.store_id = $1 AND c.day >= $2""",
        store_id,
        since.date(),
    )
    assert came is not None
    came_by, costs = await sold(store_id, since, now), await costs_of(store_id, since, now)
    figures = [
        _figures(currency, [row for row in came_by if row["currency"] == currency], costs.get(currency, {}))
        for currency in sorted({*costs, *(row["currency"] for row in came_by)})
    ]
    owed = await db.fetch(
        """SELECT c.currency, -sum(e.amount) FILTER (WHERE x.kind IN ('pending', 'held')) AS pending,
                  -sum(e.amount) FILTER (WHERE x.kind = 'available') AS payable
             FROM program p JOIN program_version v ON v.program_id = p.id
             JOIN commission c ON c.program_version_id = v.id
              AND c.state IN ('tentative', 'pending', 'held', 'approved')
             JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account x ON x.id = e.account_id AND x.owner_kind = 'member'
            WHERE p.store_id = $1 GROUP BY 1 ORDER BY 1""",
        store_id,
    )
    pending = [Money(int(row["pending"] or 0), row["currency"]) for row in owed]
    payable = [Money(int(row["payable"] or 0), row["currency"]) for row in owed]
    return Overview(days, came["clicks"], came["bots"], figures, pending, payable)


async def sales_by_day(store_id: int, days: int, currency: str) -> list[tuple[datetime, int, int]]:
    """Orders and sales after refunds of each day in one currency, the oldest first."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    since = today - timedelta(days=days - 1)
    rows = await db.fetch(
        f"""SELECT (sold_at AT TIME ZONE 'UTC')::date AS day, count(DISTINCT order_id) AS orders,
                   sum(sales)::bigint AS sales
              FROM ({LINES}) line WHERE currency = $6 GROUP BY 1""",
        store_id,
        since,
        clock.now(),
        None,
        None,
        currency,
    )
    by = {row["day"]: row for row in rows}
    shown = [since + timedelta(days=n) for n in range(days)]
    return [
        (day, by[day.date()]["orders"], by[day.date()]["sales"]) if day.date() in by else (day, 0, 0) for day in shown
    ]


async def partners_of(
    program_id: int, *, cursor: str | None = None, limit: int = 30, search: str = "", state: str = ""
) -> Page[asyncpg.Record]:
    """A programme's partners with their tags, newest first; `search` finds a piece of handle, name, tier or tag."""
    (before,) = decode(cursor, (int,)) or (None,)
    piece = search.strip().replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
    rows = await db.fetch(
        """SELECT p.*, m.handle, m.name, tags.tags FROM partner p JOIN member m ON m.id = p.member_id
             LEFT JOIN LATERAL (SELECT coalesce(array_agg(tag ORDER BY tag), '{}') AS tags FROM partner_tag
                                 WHERE program_id = p.program_id AND member_id = p.member_id) tags ON true
            WHERE p.program_id = $1 AND ($2::bigint IS NULL OR p.id < $2) AND ($4 = '' OR p.state = $4)
              AND ($5 = '%%' OR m.handle ILIKE $5 OR m.name ILIKE $5 OR p.tier ILIKE $5
                   OR array_to_string(tags.tags, ' ') ILIKE $5)
            ORDER BY p.id DESC LIMIT $3""",
        program_id,
        before,
        limit + 1,
        state,
        f"%{piece}%",
    )
    return cut(rows, limit, lambda row: (row["id"],))


A_LONG_TIME = timedelta(days=3650)


async def partner_figures(store_id: int, members: Sequence[int]) -> tuple[dict[int, int], dict[int, list[Any]]]:
    """By member: clicks; and orders, sales, commissions by currency. Two queries for a page of partners."""
    now = clock.now()
    clicks = await clicks_by_member(store_id, members, now - A_LONG_TIME, now)
    by: dict[int, list[Any]] = {}
    for row in await sold(store_id, now - A_LONG_TIME, now, members=list(members)):
        by.setdefault(row["winner_id"], []).append(row)
    return clicks, by
