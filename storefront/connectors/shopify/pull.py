"""What Shopify says it sold: the Admin REST API's orders, page by page as its Link headers lead."""

import re
from collections.abc import AsyncIterator
from datetime import datetime
from urllib.parse import urlencode, urlsplit

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer

VERSION = "2026-01"
PAGE = 50
MOST_PAGES = 1000
_NEXT = re.compile(r'<([^<>]+)>;\s*rel="?next"?')


class Page(msgspec.Struct):
    orders: list[msgspec.Raw]


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each order changed since then, as the webhook would have told it."""
    asked = urlencode({"status": "any", "updated_at_min": since.isoformat(), "limit": PAGE, "order": "updated_at asc"})
    url = f"{access.url}/admin/api/{VERSION}/orders.json?{asked}"
    for _page in range(MOST_PAGES):
        answer = await ask("GET", url, {"x-shopify-access-token": access.keys})
        for order in read_answer(answer, Page).orders:
            yield "orders/updated", bytes(order)
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
