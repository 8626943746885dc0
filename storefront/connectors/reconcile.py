"""Every night each store is asked what it sold, and what its webhooks had left out is made up for and reported.

What comes is read like a webhook, so whatever was known already changes nothing.
"""

import hashlib
from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.errors import Problem
from community.notifications.service import notify
from storefront.connectors import generic, shopify, woocommerce
from storefront.connectors.ask import Refused, access_of
from storefront.connectors.schemas import NotUnderstood, SameIdOtherBody, Signed
from storefront.connectors.service import CONNECTORS, keep, read_message
from storefront.orders.queries import order_of_store
from storefront.orders.schemas import OrderTold
from storefront.orders.service import Flagged

PULLS = {"generic": generic.pull, "shopify": shopify.pull, "woocommerce": woocommerce.pull}
# Two nights and a bit: one that failed is made up for by the next.
LOOK_BACK = timedelta(days=3)
# Whatever changed just now may still be on its way.
ON_ITS_WAY = timedelta(minutes=15)


class Report(msgspec.Struct):
    """`missed`: orders we had never heard of. `stale`: orders with something new. `error`: why it ended early."""

    store: str
    seen: int = 0
    missed: int = 0
    stale: int = 0
    error: str = ""


async def reconcile(store: asyncpg.Record, since: datetime | None = None) -> Report:
    """Ask the store, apply what is news, and report it. One that cannot be asked just now is in the report, too."""
    since, report = since or clock.now() - LOOK_BACK, Report(store["slug"])
    pull_id = await db.fetch_val(
        "INSERT INTO store_pull (store_id, since, started_at) VALUES ($1, $2, $3) RETURNING id",
        store["id"],
        since,
        clock.now(),
    )
    try:
        access = await access_of(store)
        async for topic, body in PULLS[store["provider"]](store, access, since):
            await _take(store, topic, body, report)
    except (Refused, Problem) as failed:
        report.error = str(failed)[:500]
    await db.execute(
        "UPDATE store_pull SET ended_at = $2, seen = $3, missed = $4, stale = $5, error = $6 WHERE id = $1",
        pull_id,
        clock.now(),
        report.seen,
        report.missed,
        report.stale,
        report.error,
    )
    if store["owner_id"] and (report.missed or report.error):
        await notify(
            store["owner_id"],
            "store_missed",
            source=f"pull:{pull_id}",
            url=f"/admin/programs/{store['slug']}/orders",
            data={"store": store["name"], "missed": report.missed, "error": report.error},
        )
    return report


async def stores_to_ask() -> list[asyncpg.Record]:
    return await db.fetch("SELECT s.* FROM store s JOIN store_access a ON a.store_id = s.id ORDER BY s.id")


async def _take(store: asyncpg.Record, topic: str, body: bytes, report: Report) -> None:
    """One message of the store, read at once under a name made of what it says."""
    report.seen += 1
    now = clock.now()
    try:
        facts = CONNECTORS[store["provider"]].facts(store, topic, body, now)
    except (NotUnderstood, Flagged):
        facts = []
    told = next((fact for fact in facts if isinstance(fact, OrderTold) and fact.updated_at < now - ON_ITS_WAY), None)
    was_known = told and await order_of_store(store["id"], told.external_id)
    name = Signed("pull:" + hashlib.sha256(topic.encode() + b"\0" + body).hexdigest(), topic)
    changes = await _changes_of(store["id"], told)
    try:
        is_new = await keep(store, name, body, via="pull")
    except SameIdOtherBody:  # not with a name like this
        return
    if is_new:
        inbox_id = await db.fetch_val(
            "SELECT id FROM inbox WHERE store_id = $1 AND event_id = $2", store["id"], name.event_id
        )
        await read_message(inbox_id)
    if told and not was_known:
        report.missed += 1
    elif told and await _changes_of(store["id"], told) != changes:
        report.stale += 1


async def _changes_of(store_id: int, told: OrderTold | None) -> str:
    """All that is known of an order, in one word that differs when any of it does."""
    if told is None:
        return ""
    word: str = await db.fetch_val(
        """SELECT md5(coalesce(string_agg(part, '|' ORDER BY part), '')) FROM (
               SELECT (to_jsonb(o) - 'stamps' - 'source_updated_at')::text AS part FROM orders o
                WHERE o.store_id = $1 AND o.external_id = $2
               UNION ALL SELECT (to_jsonb(l) - 'stamp')::text FROM order_line l JOIN orders o ON o.id = l.order_id
                WHERE o.store_id = $1 AND o.external_id = $2
               UNION ALL SELECT to_jsonb(r)::text || coalesce(to_jsonb(rl)::text, '')
                           FROM refund r LEFT JOIN refund_line rl ON rl.refund_id = r.id
                WHERE r.store_id = $1 AND r.order_external_id = $2) parts""",
        store_id,
        told.external_id,
    )
    return word
