"""Saleor's messages as facts. What happened to an order stands in its fields, whichever event brought them."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg
import msgspec

from app.money import Money
from storefront.catalog.schemas import MOST_STOCK, ProductDetails
from storefront.connectors.amounts import checked_currency, minor, without_repeats
from storefront.connectors.reading import click_id, not_in_the_future, plain_text, read, tidy
from storefront.connectors.saleor import shapes
from storefront.connectors.saleor.movements import paid_at
from storefront.connectors.saleor.query import ORDER_EVENTS
from storefront.connectors.saleor.refunds import refunds_of
from storefront.connectors.schemas import Fact, NotUnderstood, ProductDropped, ProductTold
from storefront.orders.fingerprints import address_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold
from storefront.orders.service import Flagged

# Saleor knows no delivery of its own: an order is fulfilled when all of it was sent.
DELIVERED, RETURNED_IN_PART = {"FULFILLED", "RETURNED"}, "PARTIALLY_RETURNED"
GONE = {"CANCELED", "EXPIRED"}


def topic_of(topic: str, body: bytes) -> str:
    return read(body, shapes.Event).kind


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    event = read(body, shapes.Event)
    at = event.issued_at or at
    if event.errors:
        # Half an order, its refunds left out for want of a permission, would pay too much.
        raise Flagged("Saleor left something out: " + "; ".join(tidy(error.message) for error in event.errors)[:300])
    match event.kind:
        case kind if kind in ORDER_EVENTS:
            return _order(store, _as(event, event.order, shapes.Order))
        case "CustomerCreated" | "CustomerUpdated":
            user = _as(event, event.user, shapes.User)
            return [CustomerTold(tidy(user.id), tidy(user.email), user.updated_at or at)]
        case "ProductCreated" | "ProductUpdated":
            return [_product(store, _as(event, event.product, shapes.Product), at)]
        case "ProductDeleted":
            return [ProductDropped(tidy(_as(event, event.product, shapes.Named).id), at)]
    raise NotUnderstood(f"events of type {event.kind} are not known")


def _as(event: shapes.Event, part: msgspec.Raw, shape: type) -> Any:
    if bytes(part) == b"null":
        raise Flagged(f"{event.kind} without what it is about: is the subscription the one of docs/SHOPS.md?")
    return read(bytes(part), shape)


def _order(store: asyncpg.Record, order: shapes.Order) -> list[Fact]:
    if store["channel"] and order.channel is None:
        raise Flagged("the order does not say its channel: is the subscription the one of docs/SHOPS.md?")
    if store["channel"] and order.channel and order.channel.slug != store["channel"]:
        raise NotUnderstood(f"of another channel ({tidy(order.channel.slug)[:80]})")
    if order.status == "DRAFT":
        raise NotUnderstood("a draft: nobody has ordered it yet")
    currency = checked_currency(order.total.currency)
    lines = [_line(line, currency) for line in order.lines]
    without_repeats([line.external_id for line in lines])
    updated_at = not_in_the_future(order.updated_at)
    shipping = _rounded(order.shipping_price.net, currency)
    told = OrderTold(
        happening="told",
        happened_at=updated_at,
        external_id=tidy(order.id),
        updated_at=updated_at,
        currency=currency,
        lines=lines,
        customer=_customer(order),
        number=tidy(order.number),
        placed_at=order.created,
        paid_at=paid_at(order),
        delivered_at=_delivered_at(order),
        cancelled_at=updated_at if order.status in GONE else None,
        gv=click_id(order.gv),
        codes=[tidy(order.voucher_code)] if tidy(order.voucher_code) else [],
        shipping=shipping,
        fees=max(0, _rounded(order.shipping_price.gross, currency) - shipping),
        # What a gift card paid is not in the total: the parts are more by so much.
        total=None if order.gift_cards else _rounded(order.total.gross, currency),
        slack=len(lines) + 2,
        address=_address(order.shipping_address),
        phone=_phone(order.shipping_address),
    )
    return [told, *refunds_of(order, currency)]


def _line(line: shapes.Line, currency: str) -> LineTold:
    before, net = _rounded(line.undiscounted_total_price.net, currency), _rounded(line.total_price.net, currency)
    # A price that staff set by hand may be above the list's; then there is no discount.
    gross = max(before, net)
    tax = _rounded(line.total_price.gross, currency) - net
    if tax < 0:
        raise Flagged("a line costs less with tax than without")
    return LineTold(
        external_id=tidy(line.id),
        external_product_id=tidy(line.variant.product.id if line.variant and line.variant.product else ""),
        title=tidy(line.product_name)[:200],
        quantity=line.quantity,
        gross=gross,
        discount=gross - net,
        tax=tax,
    )


def _delivered_at(order: shapes.Order) -> datetime | None:
    sent = max((one.created for one in order.fulfillments if one.status == "FULFILLED"), default=None)
    if order.status in DELIVERED:
        return sent or order.updated_at
    return sent if order.status == RETURNED_IN_PART else None


def _customer(order: shapes.Order) -> CustomerTold | None:
    email = tidy(order.user_email)
    if order.user:
        return CustomerTold(tidy(order.user.id), email)
    return CustomerTold(f"guest:{tidy(order.id)}", email) if email else None


def _address(place: shapes.Address | None) -> str:
    if place is None:
        return ""
    return address_fingerprint([place.street_address1, place.street_address2, place.postal_code, place.country.code])


def _phone(place: shapes.Address | None) -> str:
    return phone_fingerprint(place.phone, place.country.code) if place else ""


def _rounded(amount: shapes.Amount, currency: str) -> int:
    return minor(amount.amount, currency, rounded=True)


def _product(store: asyncpg.Record, product: shapes.Product, at: datetime) -> Fact:
    price = _price(store, product)
    if price is None:
        return ProductDropped(tidy(product.id), at)
    details = ProductDetails(
        title=tidy(product.name)[:200],
        # Saleor has no pages of its own; where a shop's are elsewhere, the product's metadata says so.
        url=tidy(product.url) or f"{store['origin']}/products/{quote(product.slug)}",
        price=price,
        description=_words(product.description),
        image_url=product.thumbnail.url if product.thumbnail else None,
        category=tidy(product.category.name)[:80] if product.category else None,
        stock=_left(product.variants),
    )
    return ProductTold(tidy(product.id), details, at)


def _price(store: asyncpg.Record, product: shapes.Product) -> Money | None:
    """What it costs in the store's channel; where none was said, in every channel of its currency alike."""
    listings = [one for one in product.channel_listings or [] if one.is_published]
    if store["channel"]:
        listings = [one for one in listings if one.channel and one.channel.slug == store["channel"]]
    costs = [one.discounted_price for one in listings]
    prices = {_rounded(one, store["currency"]) for one in costs if one and one.currency == store["currency"]}
    if len(prices) > 1:
        raise Flagged("its channels have several prices: say which is this store's with `grapevine store channel`")
    return Money(prices.pop(), store["currency"]) if prices else None


def _words(description: str | None) -> str:
    """What stands in the blocks of Editor.js; nothing when it is something else."""
    try:
        blocks = msgspec.json.decode(description or "{}", type=shapes.Description).blocks
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    texts = [block.data.get("text") for block in blocks]
    return plain_text("\n\n".join(text for text in texts if isinstance(text, str)))


def _left(variants: list[shapes.Kind] | None) -> int | None:
    """How many are left of all variants together; unknown when one of them is not counted."""
    if not variants or not all(one.track_inventory and one.stocks is not None for one in variants):
        return None
    stocks = [stock for one in variants for stock in one.stocks or []]
    return min(sum(max(0, one.quantity - (one.quantity_allocated or 0)) for one in stocks), MOST_STOCK)
