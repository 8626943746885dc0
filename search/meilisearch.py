"""Meilisearch through its official client, which waits for answers and so runs off the event loop.

It finds and ranks; who may see what is asked of PostgreSQL afterwards, like everywhere. The client is loaded when it is
first used: it brings 15 MB of memory along, and most houses search with PostgreSQL alone.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from app import db
from app.auth import Viewer
from app.paging import decode, encode
from app.settings import settings
from search.engine import Document, Found, Key, Question

T = TypeVar("T")

name = "meilisearch"
INDEX = "grapevine"
SECONDS = 3
FACETS = 8
SETTINGS = {
    "searchableAttributes": ["title", "body"],
    "filterableAttributes": ["kind", "ref_id", "group_id", "product_id", "open"],
    "displayedAttributes": ["kind", "ref_id"],
    "pagination": {"maxTotalHits": 1000},
}


class Away(Exception):
    """It does not answer, or not in time."""


def is_set_up() -> bool:
    return bool(settings().meili_url)


async def prepare() -> None:
    """Tell the server how the index is built (again: it changes nothing)."""
    await _call(lambda client: client.index(INDEX).update_settings(SETTINGS))


async def put(documents: Sequence[Document]) -> None:
    open_groups = await _open_groups({d.group_id for d in documents if d.group_id})
    rows = [
        {
            "key": f"{d.kind}-{d.ref_id}",
            "kind": d.kind,
            "ref_id": d.ref_id,
            "title": d.title,
            "body": d.body,
            "group_id": d.group_id,
            "product_id": d.product_id,
            "open": d.group_id is None or d.group_id in open_groups,
        }
        for d in documents
    ]
    await _call(lambda client: client.index(INDEX).add_documents(rows, "key"))


async def remove(keys: Sequence[Key]) -> None:
    await _call(lambda client: client.index(INDEX).delete_documents([f"{kind}-{ref_id}" for kind, ref_id in keys]))


async def find(viewer: Viewer, question: Question) -> Found:
    (offset,) = decode(question.cursor, (int,)) or (0,)
    narrowed = await _filter(viewer, question)
    facets = ["kind", "group_id", "product_id"]
    of_kind = [*narrowed, f'kind = "{question.kind}"'] if question.kind else narrowed
    asked = {"offset": offset, "limit": question.limit, "filter": of_kind, "facets": facets}
    answer = await _call(lambda client: client.index(INDEX).search(question.text, asked))
    counts = answer
    if question.kind:
        # The tabs count the other kinds too.
        count = {"limit": 0, "filter": narrowed, "facets": facets}
        counts = await _call(lambda client: client.index(INDEX).search(question.text, count))
    seen = offset + len(answer["hits"])
    distribution = counts.get("facetDistribution") or {}
    return Found(
        [(hit["kind"], int(hit["ref_id"])) for hit in answer["hits"]],
        encode(seen) if answer["hits"] and seen < answer.get("estimatedTotalHits", 0) else None,
        kinds=distribution.get("kind", {}),
        groups=_most(distribution.get("group_id", {})),
        products=_most(distribution.get("product_id", {})),
    )


async def _filter(viewer: Viewer, question: Question) -> list[str]:
    own = await db.fetch("SELECT group_id FROM membership WHERE member_id = $1 AND state = 'active'", viewer.member_id)
    readable = "open = true"
    if own:
        readable += f" OR group_id IN [{', '.join(str(row['group_id']) for row in own)}]"
    narrowed = [readable]
    if question.group_id is not None:
        narrowed.append(f"group_id = {question.group_id}")
    if question.product_id is not None:
        narrowed.append(f"product_id = {question.product_id}")
    return narrowed


async def _open_groups(group_ids: set[int]) -> set[int]:
    rows = await db.fetch(
        "SELECT id FROM groups WHERE id = ANY($1::bigint[]) AND visibility = 'public'", list(group_ids)
    )
    return {row["id"] for row in rows}


def _most(counts: dict[str, int]) -> list[tuple[int, int]]:
    return sorted(((int(key), n) for key, n in counts.items()), key=lambda pair: -pair[1])[:FACETS]


async def _call(ask: Callable[[Any], T]) -> T:
    """What the client says, or Away."""
    from meilisearch import Client
    from meilisearch.errors import MeilisearchCommunicationError, MeilisearchTimeoutError

    # A client of its own for each call: it keeps the headers of the request it is making, and threads would mix them.
    try:
        return await asyncio.to_thread(
            lambda: ask(Client(settings().meili_url, settings().meili_key or None, timeout=SECONDS))
        )
    except (MeilisearchCommunicationError, MeilisearchTimeoutError) as error:
        raise Away(str(error)) from error
