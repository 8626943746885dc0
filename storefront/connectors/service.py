"""From a store's signed message to facts: first into the inbox and durable, then, in a job, applied once."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from types import ModuleType

import asyncpg

from app import clock, db
from app.errors import NotFound
from app.events import publish
from storefront.connectors import generic
from storefront.connectors.schemas import NotUnderstood, SameIdOtherBody
from storefront.orders.events import WebhookReceived
from storefront.orders.service import Flagged
from storefront.stores.queries import store_by_slug

CONNECTORS: dict[str, ModuleType] = {"generic": generic}


async def receive(store_slug: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep a message the store signed; False when it was here before. Announces WebhookReceived."""
    store = await store_by_slug(store_slug)
    connector = CONNECTORS.get(store["provider"])
    if connector is None:
        raise NotFound()
    event_id = connector.verify(store["secret"], headers, body)[:200]
    digest = hashlib.sha256(body).digest()
    async with db.transaction():
        inbox_id = await db.fetch_val(
            """INSERT INTO inbox (store_id, event_id, payload, payload_sha256, received_at, state)
               VALUES ($1, $2, $3, $4, $5, 'received')
               ON CONFLICT (store_id, event_id) DO NOTHING RETURNING id""",
            store["id"],
            event_id,
            body,
            digest,
            clock.now(),
        )
        if inbox_id:
            await publish(WebhookReceived(inbox_id=inbox_id))
        else:
            await _compare(store["id"], event_id, digest)
    return inbox_id is not None


async def read_message(inbox_id: int) -> None:
    """Apply a message from the inbox, once: as facts, or kept for later, or flagged for a person with the reason."""
    async with db.transaction():
        message = await db.fetch_one(
            "SELECT store_id, payload FROM inbox WHERE id = $1 AND state = 'received' FOR UPDATE", inbox_id
        )
        if message:
            store = await db.fetch_one("SELECT * FROM store WHERE id = $1", message["store_id"])
            assert store is not None
            await _apply(store, inbox_id, message["payload"])


async def _apply(store: asyncpg.Record, inbox_id: int, payload: bytes) -> None:
    connector = CONNECTORS[store["provider"]]
    topic, state, note = "", "applied", ""
    try:
        topic = connector.topic_of(payload)
        async with db.savepoint():
            await connector.apply(store, payload)
        payload = connector.without_personal_data(payload)
    except NotUnderstood as unknown:
        state, note = "kept", str(unknown)
    except Flagged as doubt:
        state, note = "flagged", str(doubt)
    await db.execute(
        "UPDATE inbox SET topic = $2, state = $3, note = $4, payload = $5 WHERE id = $1",
        inbox_id,
        topic.replace("\x00", ""),
        state,
        note.replace("\x00", "")[:500],
        payload,
    )


async def _compare(store_id: int, event_id: str, digest: bytes) -> None:
    known = await db.fetch_val(
        "SELECT payload_sha256 FROM inbox WHERE store_id = $1 AND event_id = $2", store_id, event_id
    )
    if known != digest:
        raise SameIdOtherBody()


async def unapplied(*, limit: int = 100) -> list[asyncpg.Record]:
    """Messages that count for nothing so far: flagged for a person, or not understood. The newest first."""
    return await db.fetch(
        """SELECT i.id, s.slug AS store, i.event_id, i.topic, i.state, i.note, i.received_at
             FROM inbox i JOIN store s ON s.id = i.store_id
            WHERE i.state IN ('flagged', 'kept') ORDER BY i.id DESC LIMIT $1""",
        limit,
    )


async def replay(since: datetime) -> int:
    """Read again what came since then and was not applied, after whatever stood in its way was put right."""
    async with db.transaction():
        rows = await db.fetch(
            """UPDATE inbox SET state = 'received', note = ''
                WHERE received_at >= $1 AND state IN ('flagged', 'kept') RETURNING id""",
            since,
        )
        for row in rows:
            await publish(WebhookReceived(inbox_id=row["id"]))
    return len(rows)
