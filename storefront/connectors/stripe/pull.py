"""What happened at Stripe: its list of events, the newest first, which it keeps for thirty days."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer

TYPES = (
    "checkout.session.completed", "checkout.session.async_payment_succeeded", "checkout.session.async_payment_failed",
    "charge.succeeded", "charge.refunded", "refund.created", "refund.updated", "refund.failed",
    "charge.dispute.created", "charge.dispute.updated", "charge.dispute.closed",
    "customer.created", "customer.updated",
)  # fmt: skip
PAGE = 100
MOST_PAGES = 1000
MOST_LINES = 1000


class Page(msgspec.Struct):
    data: list[dict[str, Any]]
    has_more: bool = False


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each event since then, as the webhook would have told it."""
    asked: list[tuple[str, Any]] = [("created[gte]", int(since.timestamp())), ("limit", PAGE)]
    asked += [("types[]", one) for one in TYPES]
    after: list[tuple[str, Any]] = []
    for _page in range(MOST_PAGES):
        page = await _page_of(access, "events", [*asked, *after])
        for event in page.data:
            # It counts down while other addresses are told, and says nothing of the event.
            event.pop("pending_webhooks", None)
            yield _type_of(event), msgspec.json.encode(event)
        if not page.has_more or not page.data:
            return
        after = [("starting_after", page.data[-1].get("id", ""))]
    raise Refused("the list does not end")


async def complete(access: Access, body: bytes) -> bytes:
    """The event of a checkout with what was bought, line by line: Stripe leaves that out and tells who asks."""
    try:
        event: dict[str, Any] = msgspec.json.decode(body, type=dict[str, Any])
        session = event["data"]["object"]
        is_bare = _type_of(event).startswith("checkout.session.") and not session.get("line_items")
        session_id = session["id"] if is_bare else ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError):
        return body
    if not is_bare or not isinstance(session_id, str):
        return body
    session["line_items"] = {"data": await _lines_of(access, session_id), "has_more": False}
    return msgspec.json.encode(event)


async def _lines_of(access: Access, session_id: str) -> list[dict[str, Any]]:
    path = f"checkout/sessions/{quote(session_id, safe='')}/line_items"
    lines: list[dict[str, Any]] = []
    after: list[tuple[str, Any]] = []
    while len(lines) < MOST_LINES:
        page = await _page_of(access, path, [("limit", PAGE), *after])
        lines += page.data
        if not page.has_more or not page.data:
            return lines
        after = [("starting_after", page.data[-1].get("id", ""))]
    raise Refused("the list of what was bought does not end")


async def _page_of(access: Access, path: str, asked: list[tuple[str, Any]]) -> Page:
    answer = await ask("GET", f"{access.url}/v1/{path}?{urlencode(asked)}", {"authorization": f"Bearer {access.keys}"})
    page: Page = read_answer(answer, Page)
    return page


def _type_of(event: dict[str, Any]) -> str:
    kind = event.get("type")
    return kind if isinstance(kind, str) else ""
