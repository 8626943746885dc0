"""A generic shop offers one address that answers what changed since a moment: the messages it would have sent.

We ask with a signed POST, so the shop verifies it like any Standard Webhook, with the secret it has already.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import msgspec
from standardwebhooks.webhooks import Webhook

from app import clock, ids
from storefront.connectors.ask import Access, Refused, ask, read_answer

MOST_PAGES = 1000


class Asked(msgspec.Struct):
    since: datetime
    after: str | None = None


class Page(msgspec.Struct):
    messages: list[dict[str, Any]]
    next: str | None = None


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each message of the shop since then, as (topic, body)."""
    after: str | None = None
    for _page in range(MOST_PAGES):
        page = await _page_after(access, Asked(since, after))
        for message in page.messages:
            yield "", msgspec.json.encode(message)
        if not page.next:
            return
        after = page.next
    raise Refused("the list does not end")


async def _page_after(access: Access, asked: Asked) -> Page:
    body, message_id, at = msgspec.json.encode(asked), f"pull_{ids.new_code(16)}", clock.now()
    headers = {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(access.secret).sign(message_id, at, body.decode()),
        "content-type": "application/json",
    }
    return read_answer(await ask("POST", access.url, headers, body), Page)
