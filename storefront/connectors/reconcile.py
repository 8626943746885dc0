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
from storefront.connectors.ask import Refused, access_of
from storefront.connectors.reading import document, tidy
from storefront.connectors.schemas import NotUnderstood, SameIdOtherBody, Signed
from storefront.connectors.service import CONNECTORS, keep, read_message
from storefront.orders.queries import order_of_store
from storefront.orders.schemas import OrderTold, RefundTold
from storefront.orders.service import Flagged

LOOK_BACK = timedelta(days=3)
# After nights that failed the look goes back to the last one that did not. Stripe remembers no further.
MOST_LOOK_BACK = timedelta(days=29)
MOST_FINDS = 500
# Whatever changed just now may still be on its way.
ON_ITS_WAY = timedelta(minutes=15)


class Report(msgspec.Struct):
    """`missed`: orders we had never heard of. `stale`: orders with something new. `extra`: orders we know, changed
    meanwhile, that the store did not name. `error`: why it ended early."""

    store: str
    seen: int = 0
    missed: int = 0
    stale: int = 0
    extra: int = 0
    error: str = ""


class Found(msgspec.Struct):
    """The orders that the store named, and of which of them something had not been told."""

    messages: int = 0
    named: set[str] = set()
    missing: dict[str, None] = {}
    differing: dict[str, None] = {}
    extra: list[str] = []


async def reconcile(store: asyncpg.Record, since: datetime | None = None) -> Report:
    """Ask the store, apply what is news, and report it. One that cannot be asked just now is in the report, too."""
    started_at, found, error = clock.now(), Found(), ""
    since = since or await _since(store["id"], started_at)
    pull_id = await db.fetch_val(
        "INSERT INTO store_pull (store_id, since, started_at) VALUES ($1, $2, $3) RETURNING id",
        store["id"],
        since,
        started_at,
    )
    try:
        access = await access_of(store)
        async for topic, body in CONNECTORS[store["provider"]].pull(store, access, since):
            await _take(store, topic, body, found)
        found.extra = await _not_named(store["id"], found.named, since, started_at)
    except (Refused, Problem) as failed:
        error = str(failed)[:500]
    report = Report(store["slug"], found.messages, len(found.missing), len(found.differing), len(found.extra), error)
    await _write_down(pull_id, found, report)
    if store["owner_id"] and (report.missed or report.extra or report.error):
        await notify(
            store["owner_id"],
            "store_missed",
            source=f"pull:{pull_id}",
            url=f"/admin/programs/{store['slug']}/orders",
            data={"store": store["name"], "missed": report.missed, "extra": report.extra, "error": report.error},
        )
    return report


async def _since(store_id: int, now: datetime) -> datetime:
    """Three days back, and as far as the last look that came to its end began, when that was longer ago."""
    ended = await db.fetch_val(
        """SELECT max(started_at) FROM store_pull WHERE store_id = $1 AND ended_at IS NOT NULL AND error = ''""",
        store_id,
    )
    return max(min(now - LOOK_BACK, ended - ON_ITS_WAY if ended else now), now - MOST_LOOK_BACK)


async def stores_to_ask() -> list[asyncpg.Record]:
    return await db.fetch("SELECT s.* FROM store s JOIN store_access a ON a.store_id = s.id ORDER BY s.id")


async def _take(store: asyncpg.Record, topic: str, body: bytes, found: Found) -> None:
    """One message of the store, read at once under a name made of what it says."""
    found.messages += 1
    now = clock.now()
    try:
        facts = CONNECTORS[store["provider"]].facts(store, topic, body, now)
    except (NotUnderstood, Flagged):
        facts = []
        # A person has to look at it, yet the store did name it.
        found.named |= _ids_in(body)
    told = next((_order_of(fact) for fact in facts if isinstance(fact, OrderTold | RefundTold)), None)
    order_id, changed_at = told or ("", now)
    found.named.add(order_id)
    was_known = bool(order_id) and await order_of_store(store["id"], order_id) is not None
    name = Signed("pull:" + hashlib.sha256(topic.encode() + b"\0" + body).hexdigest(), topic)
    changes = await _changes_of(store["id"], order_id)
    try:
        is_new = await keep(store, name, body, via="pull")
    except SameIdOtherBody:  # not with a name like this
        return
    if is_new:
        inbox_id = await db.fetch_val(
            "SELECT id FROM inbox WHERE store_id = $1 AND event_id = $2", store["id"], name.event_id
        )
        await read_message(inbox_id)
    if not order_id or changed_at >= now - ON_ITS_WAY:
        return
    if not was_known and await order_of_store(store["id"], order_id):
        found.missing[order_id] = None
        found.differing.pop(order_id, None)
    elif order_id not in found.missing and await _changes_of(store["id"], order_id) != changes:
        found.differing[order_id] = None


def _ids_in(body: bytes) -> set[str]:
    """Whose message it may be, when nothing but its ids can be read."""
    try:
        told = document(body)
    except NotUnderstood:
        return set()
    data = told.get("data")
    inner = [told, told.get("order"), data, data.get("object") if isinstance(data, dict) else None]
    ids = [part.get(name) for part in inner if isinstance(part, dict) for name in ("id", "order_id", "payment_intent")]
    return {tidy(one) for one in ids if isinstance(one, str | int)}


def _order_of(fact: OrderTold | RefundTold) -> tuple[str, datetime]:
    if isinstance(fact, OrderTold):
        return fact.external_id, fact.updated_at
    return fact.order_external_id, fact.refunded_at


async def _not_named(store_id: int, named: set[str], since: datetime, until: datetime) -> list[str]:
    """Orders whose own messages say that they changed meanwhile, yet the store's list is silent about them: deleted
    there, or told by somebody else who has its secret. Each is said once; a person should look."""
    rows = await db.fetch(
        """SELECT external_id FROM orders
            WHERE store_id = $1 AND source_updated_at > $2 AND source_updated_at < $3
              AND external_id <> ALL($4::text[])
              AND NOT EXISTS (SELECT 1 FROM store_pull_find f JOIN store_pull p ON p.id = f.pull_id
                               WHERE p.store_id = $1 AND f.order_external_id = external_id AND f.kind = 'extra')
            ORDER BY id LIMIT $5""",
        store_id,
        since + ON_ITS_WAY,
        until - ON_ITS_WAY,
        [*named],
        MOST_FINDS,
    )
    return [row["external_id"] for row in rows]


async def _write_down(pull_id: int, found: Found, report: Report) -> None:
    finds = [
        *((order_id, "missing") for order_id in found.missing),
        *((order_id, "differs") for order_id in found.differing),
        *((order_id, "extra") for order_id in found.extra),
    ][:MOST_FINDS]
    async with db.transaction():
        await db.execute(
            """UPDATE store_pull SET ended_at = $2, seen = $3, missed = $4, stale = $5, extra = $6, error = $7
                WHERE id = $1""",
            pull_id,
            clock.now(),
            report.seen,
            report.missed,
            report.stale,
            report.extra,
            report.error,
        )
        await db.execute(
            """INSERT INTO store_pull_find (pull_id, order_external_id, kind)
               SELECT $1, t.order_id, t.kind FROM unnest($2::text[], $3::text[]) AS t (order_id, kind)""",
            pull_id,
            [order_id for order_id, _kind in finds],
            [kind for _order_id, kind in finds],
        )


async def _changes_of(store_id: int, order_id: str) -> str:
    """All that is known of an order, in one word that differs when any of it does."""
    if not order_id:
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
        order_id,
    )
    return word
