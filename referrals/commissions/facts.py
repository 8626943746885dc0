"""What reckoning asks the database: the rules with what was agreed with a member, the lines, and who buys."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from app import db
from referrals.commissions.reckoning import Agreed, Buyer, Item, Seller

# The orders of one person, however they were told apart: as a member, by e-mail, by mailbox, or as a store's customer.
# Each way by its own index: joined by OR, every customer of every store was looked at for each order.
_PERSON = """SELECT o2.id, o2.store_id, o2.paid_at
               FROM customer c
               CROSS JOIN LATERAL (
                    SELECT c.id
                    UNION SELECT id FROM customer WHERE member_id = c.member_id
                    UNION SELECT id FROM customer WHERE c.email_hmac <> '' AND email_hmac = c.email_hmac
                    UNION SELECT id FROM customer WHERE mailbox_hmac <> '' AND mailbox_hmac = c.mailbox_hmac) c2
               JOIN orders o2 ON o2.customer_id = c2.id AND o2.paid_at IS NOT NULL"""


async def rules_for(version_id: int, member_id: int | None, at: datetime) -> asyncpg.Record:
    """A version of the rules with the tier and the rate agreed with a member as of a moment."""
    return (await rules_for_all([(version_id, member_id, at)]))[0]


async def rules_for_all(asked: Sequence[tuple[int, int | None, datetime]]) -> list[asyncpg.Record]:
    """The same for any number of versions with a member and a moment each, in their order."""
    return await db.fetch(
        """SELECT v.*, pr.store_id, coalesce(p.tier, '') AS tier, a.id AS agreed_id, a.rate_bps AS agreed_bps
             FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])
                  WITH ORDINALITY AS asked (version_id, member_id, at, place)
             JOIN program_version v ON v.id = asked.version_id
             JOIN program pr ON pr.id = v.program_id
             LEFT JOIN partner p
               ON p.program_id = v.program_id AND p.member_id = asked.member_id AND p.state = 'approved'
             LEFT JOIN LATERAL (
                  SELECT id, rate_bps FROM rate_override
                   WHERE program_id = v.program_id AND member_id = asked.member_id
                     AND starts_at <= asked.at AND asked.at < expires_at AND (ended_at IS NULL OR asked.at < ended_at)
                   ORDER BY starts_at DESC, id DESC LIMIT 1) a ON true
            ORDER BY asked.place""",
        [version_id for version_id, _member, _at in asked],
        [member_id for _version, member_id, _at in asked],
        [at for _version, _member, at in asked],
    )


def seller_in(rules: asyncpg.Record) -> Seller:
    agreed = None if rules["agreed_bps"] is None else Agreed(rules["agreed_bps"], rules["agreed_id"])
    return Seller(rules["tier"], agreed)


def _given_back(what: str) -> str:
    """SQL of what was given back of a line; a dispute that was won gives back what the bank had taken."""
    return f"""(SELECT (coalesce(sum({what}) FILTER (WHERE r.kind NOT IN ('chargeback', 'dispute_won')), 0)
                    + greatest(coalesce(sum({what}) FILTER (WHERE r.kind = 'chargeback'), 0)
                             - coalesce(sum({what}) FILTER (WHERE r.kind = 'dispute_won'), 0), 0))::bigint
               FROM refund r JOIN refund_line rl ON rl.refund_id = r.id
              WHERE r.store_id = o.store_id AND r.order_external_id = o.external_id AND r.currency = o.currency
                AND rl.external_line_id = l.external_id)"""


UNITS_BACK = _given_back("rl.quantity")
LOOSE = _given_back("CASE WHEN rl.quantity = 0 THEN rl.amount ELSE 0 END")


async def lines_in_full(order_id: int) -> dict[int, asyncpg.Record]:
    """The lines of an order as rules look at them, with the units given back and the money given back without units."""
    return (await lines_in_full_of([order_id])).get(order_id, {})


async def lines_in_full_of(order_ids: Sequence[int]) -> dict[int, dict[int, asyncpg.Record]]:
    """The same for any number of orders, by order and line."""
    rows = await db.fetch(
        f"""SELECT l.id, l.order_id, l.external_product_id AS product, l.quantity, l.gross, l.discount,
                   coalesce(p.slug, '') AS slug, coalesce(p.category, '') AS category, coalesce(p.brand, '') AS brand,
                   {UNITS_BACK} AS units_back, {LOOSE} AS loose
              FROM order_line l JOIN orders o ON o.id = l.order_id LEFT JOIN product p ON p.id = l.product_id
             WHERE l.order_id = ANY($1::bigint[]) ORDER BY l.id""",
        order_ids,
    )
    found: dict[int, dict[int, asyncpg.Record]] = {}
    for row in rows:
        found.setdefault(row["order_id"], {})[row["id"]] = row
    return found


def item_of(line: asyncpg.Record) -> Item:
    return Item(
        line_id=line["id"],
        product=line["product"],
        slug=line["slug"],
        category=line["category"],
        brand=line["brand"],
        quantity=line["quantity"],
        gross=line["gross"],
        discount=line["discount"],
    )


async def buyer_of(order: asyncpg.Record) -> Buyer:
    """Who bought, by every paid order of theirs before this one. A cancelled one counts: they were here already."""
    return (await buyers_of([order]))[order["id"]]


async def buyers_of(orders: Sequence[asyncpg.Record]) -> dict[int, Buyer]:
    """The same for any number of orders."""
    found = {order["id"]: Buyer(is_known=False) for order in orders}
    known = [order for order in orders if order["customer_id"] is not None]
    if not known:
        return found
    rows = await db.fetch(
        f"""SELECT t.order_id, count(o.id) FILTER (WHERE o.store_id = t.store_id) AS here, count(o.id) AS anywhere,
                   min(o.paid_at) FILTER (WHERE o.store_id = t.store_id) AS first_at
              FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[])
                   AS t (order_id, customer_id, paid_at, store_id)
              LEFT JOIN LATERAL ({_PERSON} WHERE c.id = t.customer_id) o
                ON (o.paid_at, o.id) < (t.paid_at, t.order_id)
             GROUP BY t.order_id""",
        [order["id"] for order in known],
        [order["customer_id"] for order in known],
        [order["paid_at"] for order in known],
        [order["store_id"] for order in known],
    )
    return found | {
        row["order_id"]: Buyer(nth=row["here"] + 1, is_new=row["anywhere"] == 0, first_at=row["first_at"])
        for row in rows
    }


async def later_orders_that_ask(order_id: int) -> list[int]:
    """The person's later orders under rules that ask which order it is: this one may change the answer."""
    rows = await db.fetch(
        f"""SELECT DISTINCT later.id
              FROM orders o
              JOIN LATERAL ({_PERSON} WHERE c.id = o.customer_id) later
                ON (later.paid_at, later.id) > (o.paid_at, o.id)
             WHERE o.id = $1 AND o.paid_at IS NOT NULL
               AND EXISTS (SELECT 1 FROM attribution a JOIN program_version v ON v.id = a.program_version_id
                            WHERE a.order_id = later.id AND v.terms ? 'pays_for')
             ORDER BY later.id""",
        order_id,
    )
    return [row["id"] for row in rows]
