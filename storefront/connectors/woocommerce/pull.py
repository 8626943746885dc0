"""What WooCommerce says it sold: its REST API, with the lines of each refund, which its webhooks leave out."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, basic, read_answer

PAGE = 50
MOST_PAGES = 1000


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each order changed since then, as the webhook would have told it, with `refund_details`."""
    for number in range(1, MOST_PAGES + 1):
        asked = urlencode(
            {
                "modified_after": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"),
                "dates_are_gmt": "true",
                "orderby": "id",
                "order": "asc",
                "per_page": PAGE,
                "page": number,
            }
        )
        answer = await _ask(access, f"orders?{asked}")
        orders: list[dict[str, Any]] = read_answer(answer, list[dict[str, Any]])
        for order in orders:
            if order.get("refunds"):
                if not isinstance(order.get("id"), int):
                    raise Refused("the shop's answer is not what it should be (an order without a number)")
                details = await _ask(access, f"orders/{order['id']}/refunds?per_page=100")
                order["refund_details"] = read_answer(details, list[dict[str, Any]])
            yield "order.updated", msgspec.json.encode(order)
        if len(orders) < PAGE:
            return
    raise Refused("the list does not end")


async def _ask(access: Access, path: str):  # type: ignore[no-untyped-def]
    return await ask("GET", f"{access.url}/wp-json/wc/v3/{path}", {"authorization": basic(access.keys)})
