from typing import Any

import asyncpg

from app import clock, db
from app.events import Event, publish
from storefront.orders.events import (
    CustomerSeen,
    OrderCancelled,
    OrderDelivered,
    OrderFactsChanged,
    OrderPaid,
    OrderRefunded,
)
from storefront.orders.fingerprints import email_fingerprint, mailbox_fingerprint
from storefront.orders.schemas import CustomerTold, OrderTold, RefundTold

HAPPENINGS: dict[str, tuple[str, type[Event]]] = {
    "paid": ("paid_at", OrderPaid),
    "delivered": ("delivered_at", OrderDelivered),
    "cancelled": ("cancelled_at", OrderCancelled),
}


class Flagged(Exception):
    """The message contradicts itself or what is known; a person must look before it counts."""


async def apply_order(store: asyncpg.Record, told: OrderTold) -> None:
    """Take over what the store told of an order. The newest telling wins, and a replay changes nothing.

    Announces OrderFactsChanged when something is different now, and OrderPaid and the like the first time.
    """
    async with db.transaction():
        order = await _locked_order(store, told.external_id)
        if told.currency and order["source_updated_at"] and order["currency"] != told.currency:
            raise Flagged(f"the currency changed from {order['currency']} to {told.currency}")
        changed = await _describe(store, order, told) if told.lines is not None else False
        moved, happened = await _note_happenings(order, told)
        for event in happened:
            await publish(event)
        if changed and order["source_updated_at"] is None:
            await _join_waiting_refunds(store["id"], order["id"], told.external_id)
        if changed or moved:
            await publish(OrderFactsChanged(order_id=order["id"]))


async def apply_refund(store: asyncpg.Record, told: RefundTold) -> None:
    """Keep a refund, once per refund id. When its order has not come yet, it waits beside an empty one."""
    async with db.transaction():
        order = await _locked_order(store, told.order_external_id)
        if order["source_updated_at"] and order["currency"] != told.currency:
            raise Flagged(f"a refund in {told.currency} for an order in {order['currency']}")
        refund_id = await db.fetch_val(
            """INSERT INTO refund (store_id, external_id, order_external_id, currency, refunded_at, created_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (store_id, external_id) DO NOTHING RETURNING id""",
            store["id"],
            told.external_id,
            told.order_external_id,
            told.currency,
            told.refunded_at,
            clock.now(),
        )
        if refund_id is None:
            await _compare_refund(store["id"], told)
        else:
            await db.execute_many(
                "INSERT INTO refund_line (refund_id, external_line_id, quantity, amount) VALUES ($1, $2, $3, $4)",
                [(refund_id, line.external_line_id, line.quantity, line.amount) for line in told.lines],
            )
            if order["source_updated_at"]:
                await publish(OrderRefunded(order_id=order["id"], refund_id=refund_id))
            await publish(OrderFactsChanged(order_id=order["id"]))


async def apply_customer(store: asyncpg.Record, told: CustomerTold) -> int:
    """Know a store's customer, and the member who has proven the same e-mail. The e-mail itself is not kept.

    An unproven one says nothing: anybody could have typed the buyer's address, and would be taken for the buyer.
    """
    email = told.email.strip().lower()
    async with db.transaction():
        known = await db.fetch_one(
            "SELECT member_id FROM customer WHERE store_id = $1 AND external_id = $2", store["id"], told.external_id
        )
        row = await db.fetch_one(
            """INSERT INTO customer (store_id, external_id, email_hmac, mailbox_hmac, member_id, created_at)
               VALUES ($1, $2, $3, $6, (SELECT id FROM member WHERE lower(email) = $4 AND $4 <> ''
                                                                AND email_proven_at IS NOT NULL), $5)
               ON CONFLICT (store_id, external_id) DO UPDATE
                  SET email_hmac = coalesce(nullif(excluded.email_hmac, ''), customer.email_hmac),
                      mailbox_hmac = coalesce(nullif(excluded.mailbox_hmac, ''), customer.mailbox_hmac),
                      member_id = coalesce(excluded.member_id, customer.member_id)
            RETURNING id, member_id""",
            store["id"],
            told.external_id,
            email_fingerprint(email),
            email,
            clock.now(),
            mailbox_fingerprint(email),
        )
        assert row is not None
        customer_id: int = row["id"]
        if row["member_id"] and (known is None or known["member_id"] != row["member_id"]):
            await publish(CustomerSeen(customer_id=customer_id, member_id=row["member_id"]))
    return customer_id


async def recognise_customer(member_id: int) -> None:
    """A member who has proven their e-mail may have bought before: join them with its customers."""
    async with db.transaction():
        email = await db.fetch_val(
            "SELECT lower(email) FROM member WHERE id = $1 AND email_proven_at IS NOT NULL", member_id
        )
        customers = await db.fetch(
            "UPDATE customer SET member_id = $1 WHERE email_hmac = $2 AND member_id IS NULL RETURNING id",
            member_id,
            email_fingerprint(email or "") or None,
        )
        for customer in customers:
            await publish(CustomerSeen(customer_id=customer["id"], member_id=member_id))
            orders = await db.fetch("SELECT id FROM orders WHERE customer_id = $1 ORDER BY id", customer["id"])
            for order in orders:
                await publish(OrderFactsChanged(order_id=order["id"]))


async def link_lines(product_id: int) -> None:
    """Order lines that came before their product was described know it from now on."""
    async with db.transaction():
        lines = await db.fetch(
            """UPDATE order_line l SET product_id = p.id
                 FROM product p, orders o
                WHERE p.id = $1 AND l.product_id IS NULL AND l.external_product_id = p.external_id
                  AND o.id = l.order_id AND o.store_id = p.store_id
            RETURNING l.order_id""",
            product_id,
        )
        for order_id in sorted({line["order_id"] for line in lines}):
            await publish(OrderFactsChanged(order_id=order_id))


async def _locked_order(store: asyncpg.Record, external_id: str) -> asyncpg.Record:
    """The order's row, made if need be, and ours until the transaction ends: tellings of one order stand in line."""
    await db.execute(
        """INSERT INTO orders (store_id, external_id, currency, codes, shipping, created_at)
           VALUES ($1, $2, $3, '[]', 0, $4) ON CONFLICT (store_id, external_id) DO NOTHING""",
        store["id"],
        external_id,
        store["currency"],
        clock.now(),
    )
    order = await db.fetch_one(
        "SELECT * FROM orders WHERE store_id = $1 AND external_id = $2 FOR UPDATE", store["id"], external_id
    )
    assert order is not None
    return order


async def _describe(store: asyncpg.Record, order: asyncpg.Record, told: OrderTold) -> bool:
    """Write the order and its lines as told; whether anything is different now. Old news only fills what is empty."""
    customer_id = await apply_customer(store, told.customer) if told.customer else None
    is_newer = order["source_updated_at"] is None or told.updated_at >= order["source_updated_at"]
    now: dict[str, Any] = {
        "number": told.number,
        "customer_id": customer_id,
        "placed_at": told.placed_at,
        "gv": told.gv,
        "codes": told.codes,
    }
    values = {name: value if value and (is_newer or not order[name]) else order[name] for name, value in now.items()}
    if is_newer:
        values |= {"currency": told.currency, "shipping": told.shipping, "source_updated_at": told.updated_at}
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2))
    await db.execute(f"UPDATE orders SET {changes} WHERE id = $1", order["id"], *values.values())
    lines_differ = await _write_lines(store["id"], order["id"], told) if is_newer else False
    is_first = order["source_updated_at"] is None
    differs = any(order[name] != value for name, value in values.items() if name != "source_updated_at")
    return is_first or differs or lines_differ


async def _write_lines(store_id: int, order_id: int, told: OrderTold) -> bool:
    """The lines as told now. One that is no longer told is worth nothing: others may point at it, so it stays."""
    lines = told.lines or []
    changed = await db.fetch(
        """INSERT INTO order_line AS l
                  (order_id, external_id, external_product_id, title, quantity, gross, discount, tax, product_id)
           SELECT $1, t.external_id, t.product, t.title, t.quantity, t.gross, t.discount, t.tax, p.id
             FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[])
                  WITH ORDINALITY AS t (external_id, product, title, quantity, gross, discount, tax, place)
             LEFT JOIN product p ON p.store_id = $2 AND p.external_id = t.product
            ORDER BY t.place
           ON CONFLICT (order_id, external_id) DO UPDATE
              SET external_product_id = excluded.external_product_id, title = excluded.title,
                  quantity = excluded.quantity, gross = excluded.gross, discount = excluded.discount,
                  tax = excluded.tax, product_id = excluded.product_id
            WHERE (l.external_product_id, l.title, l.quantity, l.gross, l.discount, l.tax, l.product_id)
                  IS DISTINCT FROM (excluded.external_product_id, excluded.title, excluded.quantity, excluded.gross,
                                    excluded.discount, excluded.tax, excluded.product_id)
        RETURNING l.id""",
        order_id,
        store_id,
        [line.external_id for line in lines],
        [line.external_product_id for line in lines],
        [line.title for line in lines],
        [line.quantity for line in lines],
        [line.gross for line in lines],
        [line.discount for line in lines],
        [line.tax for line in lines],
    )
    dropped = await db.execute(
        """UPDATE order_line SET quantity = 0, gross = 0, discount = 0, tax = 0
            WHERE order_id = $1 AND external_id <> ALL($2::text[]) AND quantity + gross + discount + tax <> 0""",
        order_id,
        [line.external_id for line in lines],
    )
    return bool(changed) or dropped > 0


async def _note_happenings(order: asyncpg.Record, told: OrderTold) -> tuple[bool, list[Event]]:
    """Note when it was paid, delivered, cancelled, by the earliest time told: whether a time is different now,
    and the events of what happened for the first time."""
    moments = {told.happening: told.happened_at}
    if told.paid_at:
        moments["paid"] = told.paid_at
    moved, events = False, []
    for happening, moment in moments.items():
        column, event = HAPPENINGS[happening]
        if order[column] is None or order[column] > moment:
            moved = True
            await db.execute(f"UPDATE orders SET {column} = $2 WHERE id = $1", order["id"], moment)
        if order[column] is None:
            events.append(event(order_id=order["id"]))
    return moved, events


async def _join_waiting_refunds(store_id: int, order_id: int, external_id: str) -> None:
    waiting = await db.fetch(
        "SELECT id FROM refund WHERE store_id = $1 AND order_external_id = $2 ORDER BY id", store_id, external_id
    )
    for refund in waiting:
        await publish(OrderRefunded(order_id=order_id, refund_id=refund["id"]))


async def _compare_refund(store_id: int, told: RefundTold) -> None:
    """The same refund again is fine; another one under the same id is not."""
    rows = await db.fetch(
        """SELECT f.order_external_id, f.currency, l.external_line_id, l.quantity, l.amount
             FROM refund f LEFT JOIN refund_line l ON l.refund_id = f.id
            WHERE f.store_id = $1 AND f.external_id = $2""",
        store_id,
        told.external_id,
    )
    known = {(row["external_line_id"], row["quantity"], row["amount"]) for row in rows if row["external_line_id"]}
    now = {(line.external_line_id, line.quantity, line.amount) for line in told.lines}
    if known != now or (rows[0]["order_external_id"], rows[0]["currency"]) != (told.order_external_id, told.currency):
        raise Flagged(f"the refund {told.external_id} was told differently before")
