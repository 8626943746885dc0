"""What came of each link, step by step: people who clicked, who joined, orders, refunds, and what is left of it all."""

from collections.abc import Sequence

import msgspec

from app import db
from app.money import Money
from referrals.clicks.queries import is_click


class Funnel(msgspec.Struct):
    """Of one link. `net` is what its owner's commissions stand at after refunds, by currency; never added up."""

    joined: int = 0
    orders: int = 0
    refunds: int = 0
    net: list[Money] = []


async def funnels_of(owner_id: int, link_ids: Sequence[int]) -> dict[int, Funnel]:
    """By link; two queries, however many links and orders."""
    funnels = {link_id: Funnel(net=[]) for link_id in link_ids}
    if not funnels:
        return {}
    joined = await db.fetch(
        f"""SELECT k.link_id, count(*) AS n FROM signup_referral r JOIN click k ON {is_click("k", "r.click_id")}
             WHERE r.referrer_id = $1 AND k.link_id = ANY($2::bigint[]) GROUP BY 1""",
        owner_id,
        list(funnels),
    )
    for row in joined:
        funnels[row["link_id"]].joined = row["n"]
    # The newest decision says which link an order came by. An order that was given back in part is one refund, too.
    sold = await db.fetch(
        """SELECT a.link_id, o.currency, count(*) AS orders,
                  count(*) FILTER (WHERE o.cancelled_at IS NOT NULL OR EXISTS (
                      SELECT 1 FROM refund r WHERE r.store_id = o.store_id AND r.order_external_id = o.external_id
                         AND r.kind <> 'dispute_won' AND NOT r.is_void)) AS refunds,
                  coalesce(sum(mine.amount), 0)::bigint AS net
             FROM attribution a JOIN orders o ON o.id = a.order_id
             LEFT JOIN LATERAL (
                  SELECT sum(e.amount) AS amount
                    FROM commission c
                    JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
                    JOIN ledger_entry e ON e.transaction_id = t.id
                    JOIN ledger_account x ON x.id = e.account_id AND x.kind = 'commission_expense'
                   WHERE c.order_id = o.id AND c.member_id = $1) mine ON true
            WHERE a.link_id = ANY($2::bigint[]) AND a.winner_id = $1
              AND NOT EXISTS (SELECT 1 FROM attribution n WHERE n.order_id = a.order_id AND n.version > a.version)
            GROUP BY 1, 2 ORDER BY 1, 2""",
        owner_id,
        list(funnels),
    )
    for row in sold:
        funnel = funnels[row["link_id"]]
        funnel.orders += row["orders"]
        funnel.refunds += row["refunds"]
        funnel.net.append(Money(row["net"], row["currency"]))
    return funnels
