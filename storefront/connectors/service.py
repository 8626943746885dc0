"""From a store's signed message to facts: first into the inbox and durable, then, in a job, applied once."""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.errors import NotFound, Problem
from app.events import publish
from app.settings import settings
from storefront.catalog.service import upsert_product, withdraw_product
from storefront.connectors import generic, medusa, saleor, shopify, stripe, woocommerce
from storefront.connectors.ask import Access, Refused, access_of
from storefront.connectors.reading import without_personal_data
from storefront.connectors.schemas import (
    Connector,
    Doubt,
    Fact,
    NotUnderstood,
    ProductDropped,
    ProductTold,
    SameIdOtherBody,
    Signed,
)
from storefront.orders.events import WebhookReceived
from storefront.orders.schemas import CustomerTold, OrderTold, RefundTold
from storefront.orders.service import Flagged, apply_customer, apply_order, apply_refund
from storefront.stores.queries import store_by_slug
from storefront.stores.secrets import valid_secrets

CONNECTORS: dict[str, Connector] = {
    "generic": generic,
    "shopify": shopify,
    "woocommerce": woocommerce,
    "stripe": stripe,
    "medusa": medusa,
    "saleor": saleor,
}
COMPLETES: dict[str, Callable[[Access, bytes], Awaitable[bytes]]] = {"stripe": stripe.complete}
BY_PUBLISHED_KEY: dict[str, Callable[[str, Mapping[str, str], bytes], Awaitable[Signed]]] = {
    "saleor": saleor.verify_by_published_key
}
log = logging.getLogger(__name__)


async def receive(store_slug: str, headers: Mapping[str, str], body: bytes) -> bool:
    """Keep a message the store signed; False when it was here before, or only says hello. Announces WebhookReceived."""
    store = await store_by_slug(store_slug)
    connector = CONNECTORS.get(store["provider"])
    if connector is None:
        raise NotFound()
    if store["keys_origin"]:
        signed: Signed | None = await BY_PUBLISHED_KEY[store["provider"]](store["keys_origin"], headers, body)
    else:
        signed = connector.verify(valid_secrets(store), headers, body)
    return signed is not None and await keep(store, signed, body)


async def keep(store: asyncpg.Record, signed: Signed, body: bytes, *, via: str = "webhook") -> bool:
    """Into the inbox, once per event id; whether it is new. The same id with another body is refused."""
    event_id, digest = signed.event_id.replace("\x00", "")[:200], hashlib.sha256(body).digest()
    async with db.transaction():
        inbox_id = await db.fetch_val(
            """INSERT INTO inbox (store_id, event_id, topic, payload, payload_sha256, received_at, state, via)
               VALUES ($1, $2, $3, $4, $5, $6, 'received', $7)
               ON CONFLICT (store_id, event_id) DO NOTHING RETURNING id""",
            store["id"],
            event_id,
            signed.topic.replace("\x00", "")[:100],
            body,
            digest,
            clock.now(),
            via,
        )
        if inbox_id:
            await publish(WebhookReceived(inbox_id=inbox_id))
        else:
            await _compare(store["id"], event_id, digest)
    return inbox_id is not None


async def read_message(inbox_id: int) -> None:
    """Apply a message from the inbox, once: as facts, or kept for later, or flagged for a person with the reason."""
    in_full = await _in_full(inbox_id)
    async with db.transaction():
        message = await db.fetch_one("SELECT * FROM inbox WHERE id = $1 AND state = 'received' FOR UPDATE", inbox_id)
        if message:
            store = await db.fetch_one("SELECT * FROM store WHERE id = $1", message["store_id"])
            assert store is not None
            await _apply(store, message, in_full or message["payload"])


async def _in_full(inbox_id: int) -> bytes | None:
    """The message with what its provider leaves out, where the shop may be asked and answers; it does without."""
    store = await db.fetch_one(
        """SELECT s.*, i.payload FROM inbox i JOIN store s ON s.id = i.store_id JOIN store_access a ON a.store_id = s.id
            WHERE i.id = $1 AND i.state = 'received' AND s.provider = ANY($2::text[])""",
        inbox_id,
        [*COMPLETES],
    )
    if store is None:
        return None
    try:
        return await COMPLETES[store["provider"]](await access_of(store), store["payload"])
    except (Refused, Problem) as failed:
        # The nightly look brings what is missing now.
        log.warning("%s said no more about a message: %s", store["slug"], failed)
        return None


async def _apply(store: asyncpg.Record, message: asyncpg.Record, told: bytes) -> None:
    connector, payload = CONNECTORS[store["provider"]], message["payload"]
    topic, state, note = message["topic"], "applied", ""
    try:
        topic = connector.topic_of(message["topic"], payload)
        facts = connector.facts(store, message["topic"], told, message["received_at"])
        doubts = [doubt for fact in facts if (doubt := await _doubt_about(store, fact))]
        if doubts:
            raise Flagged("; ".join(doubts))
        payload = without_personal_data(payload)
    except NotUnderstood as unknown:
        state, note = "kept", str(unknown)
    except Flagged as doubt:
        state, note = "flagged", str(doubt)
    await db.execute(
        "UPDATE inbox SET topic = $2, state = $3, note = $4, payload = $5 WHERE id = $1",
        message["id"],
        topic.replace("\x00", "")[:100],
        state,
        note.replace("\x00", "")[:500],
        payload,
    )


async def _doubt_about(store: asyncpg.Record, fact: Fact) -> str:
    """Take over one fact, or say why it has to wait. Each for itself: many shops send an order's whole history every
    time, and one odd piece of it would keep back all that happens later."""
    try:
        async with db.savepoint():
            await apply(store, fact)
    except Flagged as doubt:
        return str(doubt)
    return ""


async def apply(store: asyncpg.Record, fact: Fact) -> bool:
    """Take over one fact; whether it was news. Flagged when it contradicts what is known."""
    try:
        match fact:
            case OrderTold():
                return await apply_order(store, fact)
            case RefundTold():
                return await apply_refund(store, fact)
            case CustomerTold():
                await apply_customer(store, fact)
            case ProductTold():
                upserted = await upsert_product(store, fact.external_id, fact.details, told_at=fact.told_at)
                return upserted.outcome != "unchanged"
            case ProductDropped():
                return await withdraw_product(store, fact.external_id, told_at=fact.told_at)
            case Doubt():
                raise Flagged(fact.reason)
    except Problem as problem:
        reasons = "; ".join(f"{field}: {why}" for field, why in problem.fields.items())
        raise Flagged(reasons or problem.detail) from problem
    return False


async def _compare(store_id: int, event_id: str, digest: bytes) -> None:
    known = await db.fetch_val(
        "SELECT payload_sha256 FROM inbox WHERE store_id = $1 AND event_id = $2", store_id, event_id
    )
    if known != digest:
        refused = SameIdOtherBody()
        refused.event_id = event_id
        raise refused


async def replay(since: datetime, *, store_id: int | None = None, inbox_id: int | None = None) -> int:
    """Read again what came since then and was not applied, after whatever stood in its way was put right."""
    async with db.transaction():
        rows = await db.fetch(
            """UPDATE inbox SET state = 'received', note = ''
                WHERE received_at >= $1 AND state IN ('flagged', 'kept')
                  AND ($2::bigint IS NULL OR store_id = $2) AND ($3::bigint IS NULL OR id = $3) RETURNING id""",
            since,
            store_id,
            inbox_id,
        )
        for row in rows:
            await publish(WebhookReceived(inbox_id=row["id"]))
    return len(rows)


async def strip_old(*, most: int = 500) -> int:
    """Messages that nobody cleared within `inbox_days` lose what they say of the customer; how many."""
    async with db.transaction():
        rows = await db.fetch(
            """SELECT id, payload FROM inbox
                WHERE state IN ('flagged', 'kept') AND stripped_at IS NULL AND received_at < $1
                ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED""",
            clock.now() - timedelta(days=settings().inbox_days),
            most,
        )
        await db.execute(
            """UPDATE inbox i SET payload = t.payload, stripped_at = $3
                 FROM unnest($1::bigint[], $2::bytea[]) t (id, payload) WHERE i.id = t.id""",
            [row["id"] for row in rows],
            [_stripped(row["payload"]) for row in rows],
            clock.now(),
        )
    return len(rows)


def _stripped(payload: bytes) -> bytes:
    """What is no JSON may say anything of anybody: nothing of it stays but its fingerprint."""
    try:
        return without_personal_data(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return b"{}"
