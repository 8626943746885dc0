"""What came of each link, step by step: people who clicked, who joined, leads, orders, refunds, and what is left."""

from collections import Counter
from collections.abc import Sequence

import asyncpg
import msgspec

from app import db
from app.money import Money

# What was posted on commissions c, as their store's expense: joined, not asked of each, so that ten thousand orders are
# one walk through the books.
_POSTED = """JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
             JOIN ledger_entry e ON e.transaction_id = t.id
             JOIN ledger_account x ON x.id = e.account_id AND x.kind = 'commission_expense'"""


class Funnel(msgspec.Struct):
    """Of one link. `leads` is what a store told of besides orders: a trial, a newsletter. `net` is what its owner's
    commissions stand at after refunds, for orders, leads and members who became active; by currency, never added up."""

    joined: int = 0
    leads: int = 0
    orders: int = 0
    refunds: int = 0
    net: list[Money] = []


async def funnels_of(owner_id: int, link_ids: Sequence[int]) -> dict[int, Funnel]:
    """By link; three queries, however many links and orders."""
    funnels = {link_id: Funnel(net=[]) for link_id in link_ids}
    if not funnels:
        return {}
    net: dict[int, Counter[str]] = {link_id: Counter() for link_id in funnels}
    for row in await _came(owner_id, link_ids):
        funnels[row["link_id"]].joined = row["joined"]
        funnels[row["link_id"]].leads = row["leads"]
    for row in await _sold(owner_id, link_ids):
        funnels[row["link_id"]].orders += row["orders"]
        funnels[row["link_id"]].refunds += row["refunds"]
        net[row["link_id"]][row["currency"]] += row["net"]
    for row in await _paid_without_order(owner_id, link_ids):
        net[row["link_id"]][row["currency"]] += row["net"]
    for link_id, sums in net.items():
        funnels[link_id].net = [Money(amount, currency) for currency, amount in sorted(sums.items())]
    return funnels


async def _came(owner_id: int, link_ids: Sequence[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT link_id, sum(joined)::bigint AS joined, sum(leads)::bigint AS leads
              FROM (SELECT r.link_id, 1 AS joined, 0 AS leads FROM signup_referral r
                     WHERE r.referrer_id = $1 AND r.link_id = ANY($2::bigint[])
                     UNION ALL
                    SELECT v.link_id, 0, 1 FROM conversion v
                     WHERE v.link_id = ANY($2::bigint[]) AND v.order_external_id = '') came
             GROUP BY 1""",
        owner_id,
        list(link_ids),
    )


async def _sold(owner_id: int, link_ids: Sequence[int]) -> list[asyncpg.Record]:
    # The newest decision says which link an order came by. An order that was given back in part is one refund, too.
    return await db.fetch(
        f"""WITH won AS (
                SELECT a.order_id, a.link_id FROM attribution a
                 WHERE a.link_id = ANY($2::bigint[]) AND a.winner_id = $1
                   AND NOT EXISTS (SELECT 1 FROM attribution n
                                    WHERE n.order_id = a.order_id AND n.version > a.version)),
            paid AS (
                SELECT c.order_id, sum(e.amount) AS amount
                  FROM won JOIN commission c ON c.order_id = won.order_id AND c.member_id = $1 {_POSTED} GROUP BY 1)
            SELECT won.link_id, o.currency, count(*) AS orders,
                   count(*) FILTER (WHERE o.cancelled_at IS NOT NULL OR EXISTS (
                       SELECT 1 FROM refund r WHERE r.store_id = o.store_id AND r.order_external_id = o.external_id
                          AND r.kind <> 'dispute_won' AND NOT r.is_void)) AS refunds,
                   coalesce(sum(paid.amount), 0)::bigint AS net
              FROM won JOIN orders o ON o.id = won.order_id LEFT JOIN paid ON paid.order_id = o.id GROUP BY 1, 2""",
        owner_id,
        list(link_ids),
    )


async def _paid_without_order(owner_id: int, link_ids: Sequence[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        f"""WITH came AS (
                SELECT v.link_id, 'conversion:' || v.id AS source FROM conversion v WHERE v.link_id = ANY($2::bigint[])
                 UNION ALL
                SELECT r.link_id, 'activation:' || r.member_id FROM signup_referral r
                 WHERE r.referrer_id = $1 AND r.link_id = ANY($2::bigint[]))
            SELECT came.link_id, c.currency, sum(e.amount)::bigint AS net
              FROM came JOIN commission c ON c.source = came.source AND c.member_id = $1 {_POSTED} GROUP BY 1, 2""",
        owner_id,
        list(link_ids),
    )
