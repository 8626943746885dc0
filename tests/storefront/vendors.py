"""Little servers that answer like the shops' own APIs, after their documentation, for what we ask at night.

Each is told what the shop sold and in how many pages to say it. The first answer is always "too fast".
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
from standardwebhooks.webhooks import Webhook

from tests.storefront.providers import TELLERS, Sale, generic, medusa, saleor, shopify, stripe, woocommerce
from tests.storefront.selections import project, selected

KEYS = {
    "generic": "",
    "shopify": "shpat_1",
    "woocommerce": "ck_1:cs_2",
    "stripe": "rk_1",
    "medusa": "sk_1",
    "saleor": "app-token-1",
}
PAGE = 2


class Asked(msgspec.Struct):
    """A request as it came in, its query one value a name, lists where the name ends with []."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    query: dict[str, list[str]]

    def one(self, name: str, otherwise: str = "") -> str:
        return self.query.get(name, [otherwise])[0]


class Said(msgspec.Struct):
    data: Any
    status: int = 200
    headers: dict[str, str] = {}


class Vendor(msgspec.Struct):
    """What a shop knows. `secret`: what it signs with; `disputed`: whose bank took the money back."""

    provider: str
    secret: str
    sales: list[Sale]
    disputed: list[Sale] = []
    codes: dict[str, dict[str, Any]] = {}
    url: str = ""
    asked: list[Asked] = []

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if len(self.asked) == 1:
            return Said({"error": "slow down"}, 429, {"Retry-After": "0"})
        return ANSWERS[self.provider](self, asked)


def _generic(vendor: Vendor, asked: Asked) -> Said:
    # By the library's own signature: its clock does not travel with ours.
    at = datetime.fromtimestamp(int(asked.headers["webhook-timestamp"]), UTC)
    signed = Webhook(vendor.secret).sign(asked.headers["webhook-id"], at, asked.body.decode())
    assert asked.headers["webhook-signature"] == signed
    messages = [one for sale in vendor.sales for one in generic.order(sale)]
    messages += [one for sale in vendor.disputed for one in generic.dispute(sale, won=False)]
    start = int(msgspec.json.decode(asked.body)["after"] or 0)
    some = [msgspec.json.decode(one.body) for one in messages[start : start + PAGE]]
    return Said({"messages": some, "next": str(start + PAGE) if start + PAGE < len(messages) else None})


def _shopify(vendor: Vendor, asked: Asked) -> Said:
    if asked.headers.get("x-shopify-access-token") != KEYS["shopify"]:
        return Said({"errors": "[API] Invalid API key or access token"}, 401)
    if asked.path.endswith("/shopify_payments/disputes.json"):
        told = [msgspec.json.decode(shopify.dispute(sale, won=False)[0].body) for sale in vendor.disputed]
        return Said({"disputes": told})
    assert asked.path.endswith("/orders.json")
    number = int(asked.one("page_info", "0"))
    # Whoever follows a page's link may name nothing but the page and its size.
    assert number == 0 or set(asked.query) <= {"page_info", "limit"}
    some = vendor.sales[number * PAGE : (number + 1) * PAGE]
    more = len(vendor.sales) > (number + 1) * PAGE
    link = f'<{vendor.url}{asked.path}?limit={PAGE}&page_info={number + 1}>; rel="next"'
    return Said({"orders": [shopify.told(sale) for sale in some]}, headers={"Link": link} if more else {})


def _woocommerce(vendor: Vendor, asked: Asked) -> Said:
    if asked.headers.get("authorization") != _basic(KEYS["woocommerce"]):
        return Said({"code": "woocommerce_rest_cannot_view"}, 401)
    *_, order_id, last = asked.path.split("/")
    if last == "refunds":
        sale = next(one for one in vendor.sales if one.id == order_id)
        return Said([_woo_refund(sale, refund) for refund in sale.refunds])
    assert last == "orders" and asked.one("orderby") == "id" and asked.one("dates_are_gmt") == "true"
    page = int(asked.one("page", "1"))
    return Said([woocommerce.told(sale) for sale in sorted(vendor.sales, key=_id)[(page - 1) * PAGE : page * PAGE]])


def _woo_refund(sale: Sale, refund: Any) -> dict[str, Any]:
    told = next(one for one in woocommerce.told(sale)["refunds"] if one["id"] == int(refund.id))
    return {"id": told["id"], "amount": told["total"].lstrip("-"), "line_items": []}


def _stripe(vendor: Vendor, asked: Asked) -> Said:
    if asked.headers.get("authorization") != f"Bearer {KEYS['stripe']}":
        return Said({"error": {"type": "invalid_request_error"}}, 401)
    if asked.path == "/v1/promotion_codes":
        return _stripe_codes(vendor, asked)
    if asked.path.endswith("/line_items"):
        sale = next(one for one in vendor.sales if f"cs_{one.id}" in asked.path)
        return _stripe_page(_session_of(sale)["line_items"]["data"], asked)
    assert asked.path == "/v1/events" and asked.query["types[]"] and int(asked.one("created[gte]"))
    events = [one for sale in vendor.sales for one in _stripe_events(sale, stripe.order(sale))]
    events += [one for sale in vendor.disputed for one in _stripe_events(sale, stripe.dispute(sale, won=False))]
    wanted = asked.query["types[]"]
    return _stripe_page([one for one in reversed(events) if one["type"] in wanted], asked)


def _stripe_events(sale: Sale, messages: list[Any]) -> list[dict[str, Any]]:
    """As Stripe keeps them: always the same id, and a checkout without what was bought."""
    events = [msgspec.json.decode(one.body) for one in messages]
    for number, event in enumerate(events):
        event |= {"id": f"evt_{sale.id}_{event['type']}_{number}", "pending_webhooks": 1}
        if event["type"].startswith("checkout.session."):
            event["data"]["object"] |= {"id": f"cs_{sale.id}"}
            del event["data"]["object"]["line_items"]
    return events


def _stripe_page(things: list[dict[str, Any]], asked: Asked) -> Said:
    after = asked.one("starting_after")
    start = next((n + 1 for n, one in enumerate(things) if one["id"] == after), 0)
    return Said({"object": "list", "data": things[start : start + PAGE], "has_more": len(things) > start + PAGE})


def _session_of(sale: Sale) -> dict[str, Any]:
    session: dict[str, Any] = msgspec.json.decode(stripe.order(sale)[0].body)["data"]["object"]
    return session


def _stripe_codes(vendor: Vendor, asked: Asked) -> Said:
    assert asked.headers["stripe-version"] == "2024-06-20"
    if asked.method == "GET":
        assert asked.one("active") == "true" and asked.one("coupon") == "autumn"
        return _stripe_page([{"id": f"promo_{code}", "code": code} for code in vendor.codes], asked)
    given = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
    code = given["code"]
    if not code.isalnum() or code in vendor.codes:
        why = (
            f"An active promotion code with `code: {code}` already exists." if code in vendor.codes else "Invalid code."
        )
        return Said({"error": {"type": "invalid_request_error", "message": why}}, 400)
    vendor.codes[code] = given
    return Said({"id": f"promo_{code}", "code": code, "active": True})


def _medusa_codes(vendor: Vendor, asked: Asked) -> Said:
    if asked.method == "GET":
        rows = [{"id": f"promo_{code}", "code": code, "status": "active"} for code in vendor.codes]
        offset = int(asked.one("offset"))
        return Said({"promotions": rows[offset : offset + PAGE], "count": len(rows), "offset": offset, "limit": PAGE})
    given = msgspec.json.decode(asked.body)
    code = given["code"]
    if " " in code or code in vendor.codes:
        return Said({"type": "invalid_data", "message": f"Promotion with code: {code}, already exists."}, 400)
    assert (given["type"], given["status"]) == ("standard", "active")
    vendor.codes[code] = given
    return Said({"promotion": {"id": f"promo_{code}", "code": code}})


def _medusa(vendor: Vendor, asked: Asked) -> Said:
    if asked.headers.get("authorization") != _basic(KEYS["medusa"] + ":"):
        return Said({"type": "unauthorized", "message": "Unauthorized"}, 401)
    if asked.path == "/admin/promotions":
        return _medusa_codes(vendor, asked)
    assert asked.one("order") == "id" and asked.one("fields")
    offset = int(asked.one("offset"))
    if asked.path == "/admin/payments":
        assert asked.one("updated_at[$gte]")
        # Its money moved, the order itself did not.
        rows = [{"id": f"pay_{one.id}", "payment_collection": {"order": {"id": one.id}}} for one in _touched(vendor)]
        return Said({"payments": rows[offset : offset + PAGE], "count": len(rows), "offset": offset, "limit": PAGE})
    ids = asked.query.get("id[]")
    sales = (
        [one for one in vendor.sales if one.id in ids]
        if ids
        else [s for s in vendor.sales if s not in _touched(vendor)]
    )
    assert ids or asked.one("updated_at[$gte]")
    rows = [msgspec.json.decode(medusa.order(sale)[0].body)["data"] for sale in sorted(sales, key=_id)]
    return Said({"orders": rows[offset : offset + PAGE], "count": len(rows), "offset": offset, "limit": PAGE})


def _saleor(vendor: Vendor, asked: Asked) -> Said:
    # A POST without its last sign Saleor would send elsewhere, and the question would be lost on the way.
    assert (asked.method, asked.path) == ("POST", "/graphql/")
    if asked.headers.get("authorization") != f"Bearer {KEYS['saleor']}":
        return Said({"errors": [{"message": "Invalid token"}]}, 401)
    given = msgspec.json.decode(asked.body)
    variables = given["variables"]
    if "orders(" not in given["query"]:
        return _saleor_codes(vendor, given["query"], variables)
    assert variables["since"].endswith("+00:00") and "updatedAt: {gte: $since}" in given["query"]
    fields = selected(given["query"])["orders"]["edges"]["node"]
    rows = [project(_saleor_order(vendor, sale), fields) for sale in sorted(vendor.sales, key=_id)]
    return Said({"data": {"orders": _connection(rows, variables)}})


def _saleor_order(vendor: Vendor, sale: Sale) -> dict[str, Any]:
    """A dispute is a movement of the order's own money."""
    if sale not in vendor.disputed:
        return saleor.told(sale)
    order: dict[str, Any] = msgspec.json.decode(saleor.dispute(sale, won=False)[0].body)["order"]
    return order


def _saleor_codes(vendor: Vendor, query: str, variables: dict[str, Any]) -> Said:
    if variables["id"] not in ("autumn", "autumn="):
        if query.startswith("query"):
            return Said({"data": {"voucher": None}})
        errors = [{"field": "id", "code": "NOT_FOUND", "message": f"Couldn't resolve to a node: {variables['id']}"}]
        return Said({"data": {"voucherUpdate": {"errors": errors}}})
    if query.startswith("query"):
        rows = [{"code": code, "isActive": True} for code in vendor.codes]
        return Said({"data": {"voucher": {"codes": _connection(rows, variables)}}})
    codes = variables["codes"]
    if any(" " in code or code in vendor.codes for code in codes):
        errors = [{"field": "addCodes", "code": "ALREADY_EXISTS", "message": "Voucher with code already exists."}]
        return Said({"data": {"voucherUpdate": {"errors": errors}}})
    vendor.codes |= {code: {} for code in codes}
    return Said({"data": {"voucherUpdate": {"errors": []}}})


def _connection(rows: list[dict[str, Any]], variables: dict[str, Any]) -> dict[str, Any]:
    start = int(variables["after"] or 0)
    end = start + variables["first"]
    edges = [{"node": row} for row in rows[start:end]]
    return {"edges": edges, "pageInfo": {"hasNextPage": end < len(rows), "endCursor": str(end)}}


def _touched(vendor: Vendor) -> list[Sale]:
    return [sale for sale in vendor.sales if sale.refunds]


def _id(sale: Sale) -> int:
    return int(sale.id)


def _basic(keys: str) -> str:
    return "Basic " + base64.b64encode(keys.encode()).decode()


ANSWERS: dict[str, Callable[[Vendor, Asked], Said]] = {
    "generic": _generic,
    "shopify": _shopify,
    "woocommerce": _woocommerce,
    "stripe": _stripe,
    "medusa": _medusa,
    "saleor": _saleor,
}
assert set(ANSWERS) == set(TELLERS)


@asynccontextmanager
async def open_to_questions(vendor: Vendor) -> AsyncIterator[Vendor]:
    """The vendor behind a real socket of this machine."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            said = vendor.answer(await _read(reader))
        except Exception as error:
            said = Said({"error": repr(error)}, 500)
        body = msgspec.json.encode(said.data)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, **said.headers}.items())
        writer.write(f"HTTP/1.1 {said.status} Said\r\n{head}\r\n".encode() + body)
        # Who has read enough hangs up in the middle of a long answer.
        with suppress(ConnectionError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        server.close()
        await server.wait_closed()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, urlsplit(target).path, headers, body, parse_qs(urlsplit(target).query))


__all__ = ["KEYS", "PAGE", "Vendor", "open_to_questions"]
