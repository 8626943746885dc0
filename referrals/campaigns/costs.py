"""What a programme costs its store, each cost once: every sum is read from the ledger's entries, nothing is stored.

An order's commissions, fees of campaigns, a month's volume and other rewards (bounties, new members, leads) are what
was posted as expense on them, with what the store let go of. Credit is what buyers were given less what ended unspent.
A bonus for taking one's money as credit belongs to the commissions it was paid on. A payout's fee is kept back from the
member: it is part of the commission, so it is not counted again.
"""

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

import asyncpg

from app import db
from referrals.commissions.reckoning import half_even
from referrals.commissions.standing import given_back

# What was posted on something, as the store's expense.
_SPENT = """(SELECT coalesce(sum(entry.amount), 0) FROM ledger_transaction tx
               JOIN ledger_entry entry ON entry.transaction_id = tx.id
               JOIN ledger_account account ON account.id = entry.account_id AND account.kind IN ({accounts})
              WHERE tx.ref_type = '{kind}' AND tx.ref_id = {id})"""
# The lines that count ($1 store, $2 from, $3 until, $4 members or null, $5 products or null), and whose they are.
LINES = f"""
    SELECT o.id AS order_id, a.winner_id, o.currency, l.id AS line_id, l.product_id,
           coalesce(o.paid_at, o.created_at) AS sold_at,
           CASE WHEN o.cancelled_at IS NULL AND o.doubt = '' THEN greatest(0, l.gross - l.discount
              - ({given_back("l.external_id", "o.store_id", "o.external_id", "o.currency")})) ELSE 0 END AS sales
      FROM orders o
      JOIN LATERAL (SELECT winner_id FROM attribution WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
      JOIN order_line l ON l.order_id = o.id
     WHERE o.store_id = $1 AND coalesce(o.paid_at, o.created_at) BETWEEN $2 AND $3 AND a.winner_id IS NOT NULL
       AND ($4::bigint[] IS NULL OR a.winner_id = ANY($4)) AND ($5::bigint[] IS NULL OR l.product_id = ANY($5))
"""


def spent_on(id_: str) -> str:
    """SQL: what a commission costs its store: what stands of it, and what was let go of when it was taken back."""
    return _SPENT.format(accounts="'commission_expense', 'written_off'", kind="commission", id=id_)


def credited_on(id_: str) -> str:
    """SQL: what a buyer's reward costs: what stands of it, less what ended unspent."""
    granted = _SPENT.format(accounts="'reward_expense'", kind="friend_reward", id=id_)
    lot = f"(SELECT lot.id FROM credit_lot lot WHERE lot.source = 'friend_reward:' || {id_})"
    ended = _SPENT.format(accounts="'credit_expired'", kind="credit_lot", id=lot)
    return f"({granted} + {ended})"


# What was put on top of each commission that was paid as credit, to the cent: a payout's bonus, cut in proportion.
BONUS = """
    SELECT commission_id, sum(part)::bigint AS amount
      FROM (SELECT i.commission_id,
                   round(w.bonus::numeric * sum(i.amount) OVER upto / sum(i.amount) OVER whole)
                   - round(w.bonus::numeric * (sum(i.amount) OVER upto - i.amount) / sum(i.amount) OVER whole) AS part
              FROM payout w JOIN payout_item i ON i.payout_id = w.id
             WHERE w.store_id = $1 AND w.rail = 'store_credit' AND w.state = 'settled' AND w.bonus > 0
            WINDOW upto AS (PARTITION BY i.payout_id ORDER BY i.id), whole AS (PARTITION BY i.payout_id)) cut
     GROUP BY commission_id
"""

_BY_KIND = f"""
WITH bonus AS MATERIALIZED ({BONUS}),
earned AS (
    SELECT CASE WHEN c.order_id IS NOT NULL THEN 'commissions'
                ELSE CASE split_part(c.source, ':', 1) WHEN 'milestone' THEN 'fees' WHEN 'volume' THEN 'volume'
                          ELSE 'rewards' END END AS kind,
           c.currency, {spent_on("c.id")} AS amount, coalesce(b.amount, 0) AS bonus
      FROM commission c
      JOIN program_version v ON v.id = c.program_version_id
      JOIN program p ON p.id = v.program_id AND p.store_id = $1
      LEFT JOIN orders o ON o.id = c.order_id
      LEFT JOIN bonus b ON b.commission_id = c.id
     WHERE coalesce(o.paid_at, o.created_at, c.created_at) BETWEEN $2 AND $3)
SELECT kind, currency, sum(amount)::bigint AS amount FROM earned GROUP BY 1, 2
UNION ALL SELECT 'bonus', currency, sum(bonus)::bigint FROM earned GROUP BY 2
UNION ALL
SELECT 'credit', f.currency, sum({credited_on("f.id")})::bigint
  FROM friend_reward f JOIN orders o ON o.id = f.order_id AND o.store_id = $1
 WHERE coalesce(o.paid_at, o.created_at) BETWEEN $2 AND $3 GROUP BY 2
"""


async def costs_of(store_id: int, since: datetime, until: datetime) -> dict[str, dict[str, int]]:
    """By currency and kind: commissions, fees, volume, rewards, credit and bonus. What an order costs counts on its
    day, what came without one on the day it was granted."""
    costs: dict[str, dict[str, int]] = {}
    for row in await db.fetch(_BY_KIND, store_id, since, until):
        costs.setdefault(row["currency"], {})[row["kind"]] = row["amount"]
    return costs


async def fees_paid(store_id: int, campaign_id: int) -> dict[int, tuple[int, int]]:
    """By member, what stands of the fees that were approved, and the bonus on them."""
    rows = await db.fetch(
        f"""WITH bonus AS MATERIALIZED ({BONUS})
            SELECT c.member_id, sum({spent_on("x.commission_id")})::bigint AS amount,
                   coalesce(sum(b.amount), 0)::bigint AS bonus
              FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
              LEFT JOIN bonus b ON b.commission_id = x.commission_id
             WHERE c.campaign_id = $2 AND x.commission_id IS NOT NULL GROUP BY 1""",
        store_id,
        campaign_id,
    )
    return {row["member_id"]: (row["amount"], row["bonus"]) for row in rows}


def share_of_volume(row: asyncpg.Record) -> dict[str, int]:
    """The campaign's part of a month's addition and of the bonus on it: as its sales are of the month's."""
    part = Fraction(row["mine"], row["sold"]) if row["sold"] else Fraction(0)
    return {
        name: half_even(row[name] * part.numerator, part.denominator) if part else 0 for name in ("amount", "bonus")
    }


async def volume_of(
    store_id: int,
    since: datetime,
    until: datetime,
    members: Sequence[int],
    products: Sequence[int] | None,
) -> list[asyncpg.Record]:
    """The additions of these members' months: what each cost, what of the month was sold, and what of that by the
    campaign."""
    return await db.fetch(
        f"""WITH bonus AS MATERIALIZED ({BONUS}),
            added AS (
                SELECT c.id, c.member_id, c.currency, split_part(c.source, ':', 4) AS month,
                       {spent_on("c.id")}::bigint AS amount, coalesce(b.amount, 0)::bigint AS bonus
                  FROM commission c JOIN program_version v ON v.id = c.program_version_id
                  JOIN program p ON p.id = v.program_id AND p.store_id = $1
                  LEFT JOIN bonus b ON b.commission_id = c.id
                 WHERE c.member_id = ANY($4::bigint[]) AND c.source LIKE 'volume:%'
                   AND split_part(c.source, ':', 4) BETWEEN to_char($6::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM')
                                                        AND to_char($7::timestamptz AT TIME ZONE 'UTC', 'YYYY-MM')),
            line AS MATERIALIZED (
                SELECT l.*, to_char(l.sold_at AT TIME ZONE 'UTC', 'YYYY-MM') AS month,
                       l.sold_at BETWEEN $6 AND $7 AND ($8::bigint[] IS NULL OR l.product_id = ANY($8)) AS is_mine
                  FROM ({LINES}) l
                 WHERE EXISTS (SELECT 1 FROM commission c WHERE c.order_line_id = l.line_id
                                  AND c.member_id = l.winner_id AND c.how ? 'counts_for_volume'))
            SELECT a.member_id, a.currency, a.amount, a.bonus, coalesce(sum(l.sales), 0)::bigint AS sold,
                   coalesce(sum(l.sales) FILTER (WHERE l.is_mine), 0)::bigint AS mine
              FROM added a LEFT JOIN line l ON l.winner_id = a.member_id AND l.currency = a.currency
               AND l.month = a.month
             GROUP BY a.id, a.member_id, a.currency, a.amount, a.bonus""",
        store_id,
        since.replace(day=1, hour=0, minute=0, second=0, microsecond=0),
        _end_of_month(until),
        list(members),
        None,
        since,
        until,
        products,
    )


def _end_of_month(moment: datetime) -> datetime:
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
