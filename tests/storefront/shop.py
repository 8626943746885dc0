"""A shop outside: it has a secret, signs like any Standard Webhooks library, and sends over HTTP."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
from standardwebhooks.webhooks import Webhook

from app import clock

_numbers = itertools.count(1)


class Shop(msgspec.Struct):
    id: int
    slug: str
    secret: str
    publishable_key: str
    origin: str


async def a_shop(
    slug: str = "north",
    *,
    currency: str = "USD",
    owner_id: int | None = None,
    provider: str = "generic",
    secret: str = "",
) -> Shop:
    from app import db
    from storefront.stores.schemas import NewStore
    from storefront.stores.service import open_store

    origin = f"https://{slug}.example"
    opened = await open_store(NewStore(slug, slug.title(), provider, currency, origin, secret), owner_id=owner_id)
    store_id = await db.fetch_val("SELECT id FROM store WHERE slug = $1", slug)
    return Shop(store_id, slug, opened.secret, opened.publishable_key, origin)


async def a_product(shop: Shop, external_id: str = "SKU-1", **details: Any) -> str:
    """A product on sale; its slug."""
    from app.money import Money
    from storefront.catalog.schemas import ProductDetails
    from storefront.catalog.service import upsert_product
    from storefront.stores.queries import store_by_slug

    given = {"title": "Trail pack", "url": f"{shop.origin}/p/{external_id}", "price": Money(12_900, "USD"), **details}
    return (await upsert_product(await store_by_slug(shop.slug), external_id, ProductDetails(**given))).slug


def order(order_id: str = "1001", **changes: Any) -> dict[str, Any]:
    now = clock.now().isoformat()
    return {
        "id": order_id,
        "number": f"#{order_id}",
        "currency": "USD",
        "placed_at": now,
        "paid_at": now,
        "customer": {"id": "c1", "email": "bob@example.org", "name": "Bob"},
        "gv": None,
        "codes": [],
        "lines": [line()],
        "shipping": 500,
        "updated_at": now,
        **changes,
    }


def line(line_id: str = "l1", **changes: Any) -> dict[str, Any]:
    return {
        "id": line_id,
        "product_id": "SKU-1",
        "title": "Trail pack",
        "quantity": 1,
        "gross": 12_900,
        "discount": 900,
        "tax": 0,
        **changes,
    }


def refund(refund_id: str = "r1", order_id: str = "1001", **changes: Any) -> dict[str, Any]:
    return {
        "refund_id": refund_id,
        "order_id": order_id,
        "currency": "USD",
        "refunded_at": clock.now().isoformat(),
        "lines": [{"id": "l1", "quantity": 0, "amount": 4_000}],
        **changes,
    }


def message(type_: str, data: Any, **more: Any) -> bytes:
    return json.dumps({"type": type_, "timestamp": clock.now().isoformat(), "data": data, **more}).encode()


def signed(
    shop: Shop, body: bytes, *, event_id: str = "", age: timedelta = timedelta(), secret: str = ""
) -> dict[str, str]:
    event_id = event_id or f"msg_{next(_numbers)}"
    at = datetime.now(UTC) - age
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret or shop.secret).sign(event_id, at, body.decode()),
        "content-type": "application/json",
    }


async def apply_body(store: Any, body: bytes) -> None:
    """What the worker does with a message of a generic shop, without the inbox."""
    from storefront.connectors import generic
    from storefront.connectors.service import apply

    for fact in generic.facts(store, "", body, clock.now()):
        await apply(store, fact)


async def send(client: httpx.AsyncClient, shop: Shop, type_: str, data: Any, **how: Any) -> httpx.Response:
    body = message(type_, data)
    return await client.post(f"/webhooks/{shop.slug}", content=body, headers=signed(shop, body, **how))
