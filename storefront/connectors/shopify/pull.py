"""What Shopify says it sold, and which banks took money back: its Admin REST API, page by page as Link headers lead."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer, read_part

VERSION = "2026-01"
PAGE = 50
MOST_PAGES = 1000
# A bank may take its time: whoever took money back may still be deciding.
DISPUTES_LAST = timedelta(days=120)
_NEXT = re.compile(r'<([^<>]+)>;\s*rel="?next"?')


class Orders(msgspec.Struct):
    orders: list[msgspec.Raw]


class Disputes(msgspec.Struct):
    disputes: list[msgspec.Raw]


class Opened(msgspec.Struct):
    initiated_at: datetime
    type: str = ""
    order_id: int | None = None


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each order changed since then, and each dispute that may still be open, as the webhooks would have told them."""
    asked = urlencode({"status": "any", "updated_at_min": since.isoformat(), "limit": PAGE, "order": "updated_at asc"})
    async for page in _pages(access, f"orders.json?{asked}", Orders):
        for order in page.orders:
            yield "orders/updated", bytes(order)
    async for dispute in _disputes(access, since - DISPUTES_LAST):
        yield "disputes/update", dispute


async def _disputes(access: Access, since: datetime) -> AsyncIterator[bytes]:
    try:
        async for page in _pages(access, f"shopify_payments/disputes.json?limit={PAGE}", Disputes):
            for raw in page.disputes:
                # The newest come first.
                opened: Opened = read_part(raw, Opened)
                if opened.initiated_at < since:
                    return
                if opened.type == "chargeback" and opened.order_id:
                    yield bytes(raw)
    except Refused as refused:
        # A shop without Shopify Payments has none, and a token may lack the scope.
        if refused.status not in (403, 404):
            raise


async def _pages(access: Access, path: str, shape: Any) -> AsyncIterator[Any]:
    url = f"{access.url}/admin/api/{VERSION}/{path}"
    for _page in range(MOST_PAGES):
        answer = await ask("GET", url, {"x-shopify-access-token": access.keys})
        yield read_answer(answer, shape)
        found = _NEXT.search(answer.headers.get("link", ""))
        if not found:
            return
        url = _same_shop(found[1], access.url)
    raise Refused("the list does not end")


def _same_shop(url: str, home: str) -> str:
    """The token goes to the shop it belongs to, wherever a header points."""
    if urlsplit(url)[:2] != urlsplit(home)[:2]:
        raise Refused("the list goes on at another shop")
    return url
