"""What Medusa says it sold: the orders of its Admin API, as the subscriber of docs/SHOPS.md would have sent them."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, basic, read_answer, read_part

PAGE = 50
MOST_PAGES = 1000
FIELDS = ",".join(
    [
        "id", "display_id", "currency_code", "created_at", "updated_at", "canceled_at", "customer_id", "email",
        "metadata", "total", "tax_total", "shipping_subtotal", "*items", "promotions.code", "*shipping_address",
        "*payment_collections", "*payment_collections.payments", "*payment_collections.payments.refunds",
        "*fulfillments",
    ]
)  # fmt: skip
# Money that moves later does not always touch the order's own `updated_at`: its payment tells which order it was.
PAYMENT_FIELDS = "id,payment_collection.order.id"


class Orders(msgspec.Struct):
    orders: list[msgspec.Raw]


class Named(msgspec.Struct):
    id: str


class Collection(msgspec.Struct):
    order: Named | None = None


class Payment(msgspec.Struct):
    payment_collection: Collection | None = None


class Payments(msgspec.Struct):
    payments: list[Payment]


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each order changed since then, then each of which a payment did."""
    changed = [("updated_at[$gte]", since.astimezone(UTC).isoformat().replace("+00:00", "Z"))]
    told: set[str] = set()
    async for raw in _orders(access, changed):
        told.add(read_part(raw, Named).id)
        yield "order.updated", _message(raw)
    paid = [one async for one in _orders_of_payments(access, changed)]
    left = [one for one in dict.fromkeys(paid) if one not in told]
    for start in range(0, len(left), PAGE):
        async for raw in _orders(access, [("id[]", one) for one in left[start : start + PAGE]]):
            yield "order.updated", _message(raw)


async def _orders(access: Access, which: Sequence[tuple[str, Any]]) -> AsyncIterator[bytes]:
    async for page in _pages(access, "orders", [*which, ("fields", FIELDS)], Orders):
        for order in page.orders:
            yield bytes(order)


async def _orders_of_payments(access: Access, which: Sequence[tuple[str, Any]]) -> AsyncIterator[str]:
    async for page in _pages(access, "payments", [*which, ("fields", PAYMENT_FIELDS)], Payments):
        for payment in page.payments:
            if payment.payment_collection and payment.payment_collection.order:
                yield payment.payment_collection.order.id


async def _pages(access: Access, path: str, asked: Sequence[tuple[str, Any]], shape: Any) -> AsyncIterator[Any]:
    """By id: what changes meanwhile joins the list and nothing leaves it, so no page skips any."""
    for number in range(MOST_PAGES):
        # Medusa counts rows, and 50 of them are a page of ours.
        query = urlencode([*asked, ("order", "id"), ("limit", PAGE), ("offset", number * PAGE)])
        headers = {"authorization": basic(f"{access.keys}:")}
        page = read_answer(await ask("GET", f"{access.url}/admin/{path}?{query}", headers), shape)
        yield page
        if len(getattr(page, path)) < PAGE:
            return
    raise Refused("the list does not end")


def _message(order: bytes) -> bytes:
    return b'{"type":"order.updated","data":' + order + b"}"
