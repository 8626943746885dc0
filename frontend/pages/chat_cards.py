"""Products in rooms: a link to one, at ours or at its shop, is shown with its picture, its price and what is left of
it, as they are now. Whoever may earn by the link says so beside it: that follows from the address."""

from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import msgspec

from app import db
from app.disclosure import is_earning
from app.events import on
from app.money import Money
from community.chat import cards
from community.chat.events import LinksShared
from community.chat.links import is_ours, links_in
from referrals.links.queries import link_by_code
from storefront.catalog.events import ProductChanged, ProductListed, ProductWithdrawn

PRODUCT = "SELECT id, title, picture, price, currency, stock, withdrawn_at FROM product"


@on(LinksShared)
async def show_products(event: LinksShared) -> None:
    rendered = await db.fetch_val("SELECT html FROM message WHERE id = $1", event.message_id)
    for url in links_in(rendered or ""):
        product = await product_behind(url)
        if product and product["withdrawn_at"] is None:
            facts = shown(product) | {"earns": is_earning(url)}
            await cards.put_product(event.message_id, url, f"product:{product['id']}", facts)


@on(ProductChanged)
async def show_change(event: ProductChanged) -> None:
    await _refresh(event.product_id)


@on(ProductListed)
async def show_again(event: ProductListed) -> None:
    await _refresh(event.product_id)


@on(ProductWithdrawn)
async def show_that_it_is_gone(event: ProductWithdrawn) -> None:
    await _refresh(event.product_id)


async def product_behind(url: str) -> asyncpg.Record | None:
    """The product an address leads to: our page of it, a share link to it, or its page at the shop."""
    parts = urlsplit(url)
    if is_ours(url):
        first, _slash, name = unquote(parts.path).strip("/").partition("/")
        if first == "p":
            return await db.fetch_one(f"{PRODUCT} WHERE slug = $1", name.partition("/")[0])
        if first == "r":
            link = await link_by_code(name)
            if link and link["target_kind"] == "product" and link["target_id"]:
                return await db.fetch_one(f"{PRODUCT} WHERE id = $1", link["target_id"])
    # Shops hang campaigns behind a question mark; the page is the same.
    bare = parts._replace(query="", fragment="").geturl()
    known = {url, bare, bare.rstrip("/"), f"{bare}/"}
    return await db.fetch_one(f"{PRODUCT} WHERE url = ANY($1::text[]) ORDER BY id LIMIT 1", list(known))


def shown(product: asyncpg.Record) -> dict[str, Any]:
    """What a card holds of a product."""
    return {
        "title": product["title"],
        "picture": product["picture"],
        "price": msgspec.to_builtins(Money(product["price"], product["currency"])),
        "stock": product["stock"],
        "gone": product["withdrawn_at"] is not None,
    }


async def _refresh(product_id: int) -> None:
    product = await db.fetch_one(f"{PRODUCT} WHERE id = $1", product_id)
    if product:
        await cards.refresh(f"product:{product_id}", shown(product))
