import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from msgspec import UNSET

from app import clock, db, ids
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from app.money import check_amount, check_currency
from app.text import clean, slugify
from storefront.catalog.events import ProductChanged, ProductListed, ProductWithdrawn
from storefront.catalog.schemas import ProductDetails, Upserted

_GTIN = re.compile(r"\d{8}|\d{12}|\d{13}|\d{14}")


async def upsert_product(
    store: asyncpg.Record, external_id: str, details: ProductDetails, *, told_at: datetime | None = None
) -> Upserted:
    """Describe a product of the store as of `told_at`; older news than what we know changes nothing.

    Announces ProductListed for a new one (or one that came back) and ProductChanged when something differs.
    """
    external_id = clean(external_id, "external_id", least=1, most=200)
    values = checked(details)
    told_at = told_at or clock.now()
    async with db.transaction():
        known = await _locked(store["id"], external_id)
        if known is None:
            upserted = await _list(store["id"], external_id, values, told_at)
        else:
            upserted = await _describe(known, values, told_at)
    return upserted


async def withdraw_product(store: asyncpg.Record, external_id: str, *, told_at: datetime | None = None) -> bool:
    """The store stops selling it; whether that changed anything."""
    told_at = told_at or clock.now()
    async with db.transaction():
        product_id = await db.fetch_val(
            """UPDATE product SET withdrawn_at = $3, source_updated_at = $3, updated_at = $4
                WHERE store_id = $1 AND external_id = $2 AND withdrawn_at IS NULL
                  AND (source_updated_at IS NULL OR source_updated_at <= $3)
            RETURNING id""",
            store["id"],
            external_id,
            told_at,
            clock.now(),
        )
        if product_id:
            await publish(ProductWithdrawn(product_id=product_id))
    return product_id is not None


def checked(details: ProductDetails) -> dict[str, Any]:
    """The details as they are stored; raises Invalid naming the field that cannot be."""
    try:
        currency = check_currency(details.price.currency)
    except Invalid as unknown:
        raise Invalid("price.currency", unknown.detail) from unknown
    gtin = (details.gtin or "").strip()
    if gtin and not _GTIN.fullmatch(gtin):
        raise Invalid("gtin", _("A GTIN has 8, 12, 13 or 14 digits."))
    values = {
        "title": clean(details.title, "title", least=1, most=200),
        "url": checked_url(details.url, "url"),
        "price": check_amount(details.price.amount, "price.amount"),
        "currency": currency,
        "image_url": checked_url(details.image_url, "image_url") if details.image_url else "",
        "brand": clean(details.brand or "", "brand", most=80),
        "category": clean(details.category or "", "category", most=80),
        "gtin": gtin,
    }
    if details.description is not None:
        values["description"] = clean(details.description, "description", most=5000, lines=True)
    if details.stock is not UNSET:
        values["stock"] = None if details.stock is None else max(0, details.stock)
    return values


def checked_url(url: str, field: str) -> str:
    """A whole http(s) address of some other site: no `javascript:`, no `//host`, no backslash, no user name."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        fits = False
    if not fits or "\\" in url or "@" in parts.netloc or any(ord(sign) <= 32 or ord(sign) == 127 for sign in url):
        raise Invalid(field, _("A web address that starts with https:// or http://, please."))
    return url


async def _locked(store_id: int, external_id: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT * FROM product WHERE store_id = $1 AND external_id = $2 FOR UPDATE", store_id, external_id
    )


async def _list(store_id: int, external_id: str, values: dict[str, Any], told_at: datetime) -> Upserted:
    """Insert under the first free slug, unless somebody else listed it at the same moment."""
    columns = ", ".join(values)
    places = ", ".join(f"${n}" for n in range(6, 6 + len(values)))
    for slug in _slugs(values["title"]):
        product_id = await db.fetch_val(
            f"""INSERT INTO product (store_id, external_id, slug, created_at, source_updated_at, updated_at, {columns})
                VALUES ($1, $2, $3, $4, $5, $4, {places}) ON CONFLICT DO NOTHING RETURNING id""",
            store_id,
            external_id,
            slug,
            clock.now(),
            told_at,
            *values.values(),
        )
        if product_id:
            await publish(ProductListed(product_id=product_id))
            return Upserted(product_id, slug, "created")
        if known := await _locked(store_id, external_id):
            return await _describe(known, values, told_at)
    raise AssertionError("random slugs do not run out")


async def _describe(known: asyncpg.Record, values: dict[str, Any], told_at: datetime) -> Upserted:
    unchanged = Upserted(known["id"], known["slug"], "unchanged")
    if known["source_updated_at"] and known["source_updated_at"] > told_at:
        return unchanged
    is_back = known["withdrawn_at"] is not None
    if not is_back and all(known[name] == value for name, value in values.items()):
        await db.execute("UPDATE product SET source_updated_at = $2 WHERE id = $1", known["id"], told_at)
        return unchanged
    changes = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=4))
    await db.execute(
        f"UPDATE product SET withdrawn_at = NULL, updated_at = $2, source_updated_at = $3, {changes} WHERE id = $1",
        known["id"],
        clock.now(),
        told_at,
        *values.values(),
    )
    event = ProductListed if is_back else ProductChanged
    await publish(event(product_id=known["id"]))
    return Upserted(known["id"], known["slug"], "updated")


def _slugs(title: str) -> Iterator[str]:
    slug = slugify(title, fallback="product")
    yield slug
    while True:
        yield f"{slug}-{ids.new_code(4)}"
