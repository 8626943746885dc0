"""What Saleor says it sold: its GraphQL API, asked for the same fields as its webhooks carry."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import msgspec

from storefront.connectors.ask import Access, Refused, ask, read_answer, read_part
from storefront.connectors.saleor.query import ORDERS

PAGE = 50
MOST_PAGES = 1000


class Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[dict[str, Any]] | None = None


class Edge(msgspec.Struct):
    node: msgspec.Raw


class PageInfo(msgspec.Struct, rename="camel"):
    has_next_page: bool
    end_cursor: str | None = None


class Page(msgspec.Struct, rename="camel"):
    edges: list[Edge]
    page_info: PageInfo


class Orders(msgspec.Struct):
    orders: Page


async def pull(store: asyncpg.Record, access: Access, since: datetime) -> AsyncIterator[tuple[str, bytes]]:
    """Each order changed since then, oldest first: what changes meanwhile does not move. Money that goes back later
    touches the order's `updatedAt`, too."""
    asked = {
        "since": since.astimezone(UTC).isoformat(),
        "first": PAGE,
        "after": None,
        "channel": store["channel"] or None,
    }
    for _page in range(MOST_PAGES):
        page = (await query(access, ORDERS, asked, Orders)).orders
        for edge in page.edges:
            yield "", b'{"__typename":"OrderUpdated","order":' + bytes(edge.node) + b"}"
        if not page.page_info.has_next_page:
            return
        asked["after"] = page.page_info.end_cursor
    raise Refused("the list does not end")


async def query(access: Access, text: str, variables: dict[str, Any], shape: Any) -> Any:
    body = msgspec.json.encode({"query": text, "variables": variables})
    headers = {"authorization": f"Bearer {access.keys}", "content-type": "application/json"}
    # What is wrong with a query Saleor answers with 400, and in words.
    said = read_answer(await ask("POST", _door(access.url), headers, body, takes=(400,)), Answer)
    if said.errors or bytes(said.data) == b"null":
        raise Refused("; ".join(str(error.get("message")) for error in said.errors or [])[:300] or "no data")
    return read_part(said.data, shape)


def _door(url: str) -> str:
    """`https://shop.example/graphql/`: without its last sign Saleor takes no POST."""
    return f"{url}/" if urlsplit(url).path.rstrip("/").endswith("/graphql") else f"{url}/graphql/"
