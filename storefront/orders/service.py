from typing import Any

import asyncpg

from app import clock, db
from app.events import Event, publish
from storefront.orders import stamps
from storefront.orders.doubts import look_again
from storefront.orders.events import (
    CustomerSeen,
    OrderCancelled,
    OrderDelivered,
    OrderFactsChanged,
    OrderPaid,
    OrderRefunded,
)
from storefront.orders.fingerprints import email_fingerprint, mailbox_fingerprint
from storefront.orders.lines import remember_dropped_lines, write_lines
from storefront.orders.schemas import CustomerTold, OrderTold, RefundTold

HAPPENINGS: dict[str, tuple[str, type[Event]]] = {
    "paid": ("paid_at", OrderPaid),
    "delivered": ("delivered_at", OrderDelivered),
    "cancelled": ("cancelled_at", OrderCancelled),
}


class Flagged(Exception):
    """The message contradicts itself or what is known; a person must look before it counts."""


async def apply_order(store: asyncpg.Record, told: OrderTold) -> bool:
    """Take over what the store told of an order; whether it was news. The newest telling of each thing wins.

    Announces OrderFactsChanged when something is different now, and OrderPaid and the like the first time.
    """
    async with db.transaction():
        order = await _locked_order(store, told.external_id)
        if told.currency and order["source_updated_at"] and order["currency"] != told.currency:
            raise Flagged(f"the currency changed from {order['currency']} to {told.currency}")
        is_first = order["source_updated_at"] is None and told.lines is not None
        changed = await _describe(store, order, told)
        moved, happened = await _note_happenings(order, told)
        for event in happened:
            await publish(event)
        if is_first:
            await _join_waiting_refunds(store["id"], order["id"], told.external_id)
        if changed or moved:
            await look_again(order["id"])
            await publish(OrderFactsChanged(order_id=order["id"]))
    return changed or moved


async def apply_refund(store: asyncpg.Record, told: RefundTold) -> bool:
    """Keep a refund, once per refund id; whether it was news. When its order has not come yet, it waits for it."""
    async with db.transaction():
        order = await _locked_order(store, told.order_external_id)
        if order["source_updated_at"] and order["currency"] != told.currency:
            raise Flagged(f"a refund in {told.currency} for an order in {order['currency']}")
        refund_id = await db.fetch_val(
            """INSERT INTO refund (store_id, external_id, order_external_id, kind, currency, unplaced, is_sum,
                                   is_void, refunded_at, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
               ON CONFLICT (store_id, external_id) DO NOTHING RETURNING id""",
            store["id"],
            told.external_id,
            told.order_external_id,
            told.kind,
            told.currency,
            told.unplaced,
            told.is_sum,
            told.is_void,
            told.refunded_at,
            clock.now(),
        )
        is_new = refund_id is not None
        if is_new:
            await _write_refund_lines(refund_id, told)
            if order["source_updated_at"]:
                await publish(OrderRefunded(order_id=order["id"], refund_id=refund_id))
        is_news = is_new or await _is_better_told(store["id"], told)
        if is_news:
            await look_again(order["id"])
            await publish(OrderFactsChanged(order_id=order["id"]))
    return is_news


async def apply_customer(store: asyncpg.Record, told: CustomerTold, stamp: str = "") -> int:
    """Know a store's customer, and the member who has proven the same e-mail. The e-mail itself is not kept.

    An unproven one says nothing: anybody could have typed the buyer's address, and would be taken for the buyer.
    """
    email = told.email.strip().lower()
    async with db.transaction():
        await db.execute(
            """INSERT INTO customer (store_id, external_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT (store_id, external_id) DO NOTHING""",
            store["id"],
            told.external_id,
            clock.now(),
        )
        known = await db.fetch_one(
            "SELECT id, member_id, stamps FROM customer WHERE store_id = $1 AND external_id = $2 FOR UPDATE",
            store["id"],
            told.external_id,
        )
        assert known is not None
        customer_id: int = known["id"]
        member_id = email and await db.fetch_val(
            "SELECT id FROM member WHERE lower(email) = $1 AND email_proven_at IS NOT NULL", email
        )
        # Each by itself: an address that no member has proven does not make the buyer a stranger again.
        stamp = stamp or stamps.stamp(told.told_at or clock.now(), email_fingerprint(email).encode())
        news = stamps.newest(known["stamps"], stamp, {"email_hmac": email_fingerprint(email), "member_id": member_id})
        if news:
            values = {**news, **({"mailbox_hmac": mailbox_fingerprint(email)} if "email_hmac" in news else {})}
            values["stamps"] = known["stamps"] | dict.fromkeys(news, stamp)
            await _write("customer", customer_id, values)
        if member_id and "member_id" in news and known["member_id"] != member_id:
            await publish(CustomerSeen(customer_id=customer_id, member_id=member_id))
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
    stamp = stamps.stamp_of(told)
    customer_id = await apply_customer(store, told.customer, stamp) if told.customer else None
    said = {
        "number": told.number,
        "customer_id": customer_id,
        "placed_at": told.placed_at,
        "gv": told.gv,
        "codes": told.codes,
        "address_hmac": told.address,
        "phone_hmac": told.phone,
        "instrument_hmac": told.instrument,
    }
    values = stamps.newest(order["stamps"], stamp, said)
    fields = list(values)
    differs = any(order[name] != value for name, value in values.items())
    if told.lines is not None:
        if stamp > order["stamps"].get("lines", ""):
            fields.append("lines")
            money = {
                "currency": told.currency,
                "shipping": told.shipping,
                "fees": told.fees,
                "total": told.total,
                "slack": told.slack,
            }
            values |= money | {"source_updated_at": told.updated_at}
            lines_differ = await write_lines(store["id"], order["id"], told, stamp)
            is_first = order["source_updated_at"] is None
            differs = differs or lines_differ or is_first or any(order[name] != value for name, value in money.items())
        else:
            await remember_dropped_lines(store["id"], order["id"], told, stamp)
    if values:
        await _write("orders", order["id"], values | {"stamps": order["stamps"] | dict.fromkeys(fields, stamp)})
    return differs


async def _write(table: str, row_id: int, values: dict[str, Any]) -> None:
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=2))
    await db.execute(f"UPDATE {table} SET {changes} WHERE id = $1", row_id, *values.values())


async def _note_happenings(order: asyncpg.Record, told: OrderTold) -> tuple[bool, list[Event]]:
    """Note when it was paid, delivered, cancelled, by the earliest time told: whether a time is different now,
    and the events of what happened for the first time."""
    moments = {
        name: moment
        for name, moment in (
            ("paid", told.paid_at),
            ("delivered", told.delivered_at),
            ("cancelled", told.cancelled_at),
        )
        if moment
    }
    if told.happening != "told":
        moments.setdefault(told.happening, told.happened_at)
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


async def _write_refund_lines(refund_id: int, told: RefundTold) -> None:
    await db.execute_many(
        """INSERT INTO refund_line (refund_id, external_line_id, quantity, amount, is_estimate)
           VALUES ($1, $2, $3, $4, false)""",
        [(refund_id, line.external_line_id, line.quantity, line.amount) for line in told.lines],
    )


async def _is_better_told(store_id: int, told: RefundTold) -> bool:
    """The same refund again is fine, and changes something only when it names the lines that were missing before, or
    says that more has gone back in all. Another one under the same id is flagged."""
    known = await db.fetch_one(
        "SELECT * FROM refund WHERE store_id = $1 AND external_id = $2 FOR UPDATE", store_id, told.external_id
    )
    assert known is not None
    rows = await db.fetch("SELECT * FROM refund_line WHERE refund_id = $1 AND NOT is_estimate", known["id"])
    if told.refunded_at < known["refunded_at"]:
        await db.execute("UPDATE refund SET refunded_at = $2 WHERE id = $1", known["id"], told.refunded_at)
    lines = {(row["external_line_id"], row["quantity"], row["amount"]) for row in rows}
    now = {(line.external_line_id, line.quantity, line.amount) for line in told.lines}
    is_same = (known["order_external_id"], known["currency"]) == (told.order_external_id, told.currency)
    if is_same and told.is_sum and known["is_sum"]:
        await db.execute(
            "UPDATE refund SET unplaced = greatest(unplaced, $2) WHERE id = $1", known["id"], told.unplaced
        )
        return told.unplaced > known["unplaced"]
    if is_same and told.is_void and not known["is_void"]:
        await db.execute("DELETE FROM refund_line WHERE refund_id = $1 AND NOT is_estimate", known["id"])
        await db.execute(
            "UPDATE refund SET is_void = true, unplaced = greatest(unplaced, $2) WHERE id = $1",
            known["id"],
            told.unplaced,
        )
        return True
    if is_same and known["is_void"]:
        return False
    if is_same and lines == now and known["unplaced"] == told.unplaced:
        return False
    if is_same and not lines and now and known["unplaced"]:
        await _write_refund_lines(known["id"], told)
        await db.execute("UPDATE refund SET unplaced = $2 WHERE id = $1", known["id"], told.unplaced)
        return True
    if is_same and (told.is_inferred or (lines and not now and told.unplaced)):
        return False
    raise Flagged(f"the refund {told.external_id} was told differently before")
