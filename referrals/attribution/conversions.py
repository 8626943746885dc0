"""What a store's server tells of clicks, customers and orders, apart from its webhooks. Kept once per its own id."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.money import check_amount, check_currency
from app.text import clean
from referrals.attribution.events import ConversionTold
from referrals.attribution.kinds import check_kind, fields_of, rules_at
from referrals.attribution.schemas import NewConversion
from referrals.clicks.queries import click, click_id
from storefront.stores.policy import access_own_store

# Clocks differ a little; what lies further ahead was not read from one.
AHEAD = timedelta(minutes=5)


async def tell(viewer: Viewer, new: NewConversion) -> tuple[asyncpg.Record, bool]:
    """Keep what a store told; the row, and whether it is new. The same id with other facts is a conflict."""
    store = await access_own_store(viewer, new.store)
    actor_id = require_member(viewer)
    await limit("conversion", store["id"], most=6000, per=60)
    asked = click_id(new.gv) if new.gv else None
    if new.gv and asked is None:
        raise Invalid("gv", _("This is not a click's id."))
    if asked is not None and actor_id != store["owner_id"] and await _is_own_click(actor_id, new.gv):
        raise Forbidden(_("Somebody else has to tell of a click on your own link."))
    occurred_at = new.occurred_at or clock.now()
    if occurred_at.tzinfo is None or occurred_at > clock.now() + AHEAD:
        raise Invalid("occurred_at", _("A moment that has passed, with its time zone."))
    if new.value is not None:
        check_amount(new.value.amount, "value")
        check_currency(new.value.currency)
    facts: dict[str, Any] = {
        "kind": new.kind,
        "click_id": asked,
        "customer_external_id": clean(new.customer_id, "customer_id", most=200),
        "order_external_id": clean(new.order_id, "order_id", most=200),
        "quantity": new.quantity,
        "value": new.value.amount if new.value else None,
        "currency": new.value.currency if new.value else "",
        "fields": fields_of(new),
    }
    external_id = clean(new.id, "id", least=1, most=200)
    if known := await _known(store, external_id, facts):
        # Rules that changed meanwhile do not make a second telling wrong.
        return known, False
    check_kind(new, await rules_at(store["id"], clock.now()))
    link_id = await _link_of(store, new.gv)
    async with db.transaction():
        row = await db.fetch_one(
            """INSERT INTO conversion (store_id, external_id, occurred_at, created_at, kind, click_id,
                                       customer_external_id, order_external_id, quantity, value, currency, fields,
                                       link_id)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13)
               ON CONFLICT DO NOTHING RETURNING *""",
            store["id"],
            external_id,
            occurred_at,
            clock.now(),
            *(facts | {"fields": msgspec.json.encode(facts["fields"]).decode()}).values(),
            link_id,
        )
        if row is not None:
            await publish(ConversionTold(conversion_id=row["id"], store_id=store["id"]), actor_id=actor_id)
            return row, True
    known = await _known(store, external_id, facts)
    assert known is not None
    return known, False


async def _known(store: asyncpg.Record, external_id: str, facts: dict[str, Any]) -> asyncpg.Record | None:
    known = await db.fetch_one(
        "SELECT * FROM conversion WHERE store_id = $1 AND external_id = $2", store["id"], external_id
    )
    if known is not None and any(known[name] != value for name, value in facts.items()):
        raise Conflict(_("This id was told before, with other facts."))
    return known


async def _link_of(store: asyncpg.Record, gv: str) -> int | None:
    """The link a person followed there, when it may lead to this store."""
    found = await click(gv)
    if found is None or found["kind"] != "human" or found["store_id"] not in (None, store["id"]):
        return None
    return int(found["link_id"])


async def _is_own_click(member_id: int, gv: str) -> bool:
    # An admin who could would credit themselves, where overruling asks for two. The owner's token is the shop's voice.
    found = await click(gv)
    return found is not None and found["owner_id"] == member_id


async def is_click_of_store(row: asyncpg.Record) -> bool:
    """Whether the click that was told exists and may lead to this store's orders."""
    found = await click(row["click_id"].hex) if row["click_id"] else None
    return found is not None and found["store_id"] in (None, row["store_id"])


async def orders_told_of(conversion_id: int) -> list[int]:
    """The orders that a conversion may decide otherwise."""
    rows = await db.fetch(
        """SELECT o.id FROM conversion k JOIN orders o ON o.store_id = k.store_id
                  AND o.external_id = k.order_external_id
            WHERE k.id = $1 AND k.click_id IS NOT NULL
           UNION
           SELECT o.id FROM conversion k
             JOIN customer c ON c.store_id = k.store_id AND c.external_id = k.customer_external_id
             JOIN orders o ON o.customer_id = c.id
            WHERE k.id = $1 AND k.click_id IS NOT NULL AND k.order_external_id = '' AND k.customer_external_id <> ''
            ORDER BY 1""",
        conversion_id,
    )
    return [row["id"] for row in rows]
