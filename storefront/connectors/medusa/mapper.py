"""Medusa's orders as facts. Its amounts went through JavaScript's numbers, so the last digit is rounded away."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg

from app.money import Money
from storefront.catalog.schemas import ProductDetails
from storefront.connectors.amounts import at_most_gross, checked_currency, minor, without_repeats
from storefront.connectors.generic.mapper import facts as generic_facts
from storefront.connectors.medusa import shapes
from storefront.connectors.reading import click_id, not_in_the_future, plain_text, read, tidy
from storefront.connectors.schemas import Fact, NotUnderstood, ProductDropped, ProductTold
from storefront.orders.fingerprints import address_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundTold

PAID = {"captured", "partially_refunded", "refunded"}
# Whatever happened, the subscriber sends the whole order as it stands.
ORDERS = {
    "order.placed", "order.updated", "order.completed", "order.canceled", "order.archived", "order.return_received",
    "payment.captured", "payment.refunded", "shipment.created", "delivery.created",
}  # fmt: skip
# What Medusa has no event of its own for is told in the generic shape.
GENERIC = {"order.refunded", "order.disputed", "dispute.won"}


def topic_of(topic: str, body: bytes) -> str:
    return read(body, shapes.Envelope).type


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    message = read(body, shapes.Envelope)
    at = message.timestamp or at
    match message.type:
        case kind if kind in ORDERS:
            order = _as(message, shapes.Order)
            return [_order(order), *_refunds(order)]
        case "customer.created" | "customer.updated":
            customer = _as(message, shapes.Customer)
            return [CustomerTold(customer.id, tidy(customer.email), customer.updated_at or at)]
        case "product.created" | "product.updated":
            return [_product(store, _as(message, shapes.Product), at)]
        case "product.deleted":
            return [ProductDropped(_as(message, shapes.Dropped).id, at)]
        case kind if kind in GENERIC:
            return generic_facts(store, topic, body, at)
        case unknown:
            raise NotUnderstood(f"messages of type {unknown} are not known")


def _order(order: shapes.Order) -> OrderTold:
    currency = checked_currency(order.currency_code.upper())
    lines = [_line(line, currency) for line in order.items]
    without_repeats([line.external_id for line in lines])
    updated_at = not_in_the_future(order.updated_at)
    tax = minor(order.tax_total, currency, rounded=True)
    return OrderTold(
        happening="told",
        happened_at=updated_at,
        external_id=tidy(order.id),
        updated_at=updated_at,
        currency=currency,
        lines=lines,
        customer=_customer(order),
        number=tidy(order.display_id),
        placed_at=order.created_at,
        paid_at=updated_at if order.payment_status in PAID else None,
        delivered_at=updated_at if order.fulfillment_status == "delivered" else None,
        cancelled_at=order.canceled_at,
        gv=click_id(tidy((order.metadata or {}).get("gv"))),
        codes=[tidy(one.code) for one in order.promotions or [] if one and one.code],
        shipping=minor(order.shipping_subtotal - order.shipping_discount_total, currency, rounded=True),
        fees=max(0, tax - sum(line.tax for line in lines)),
        total=minor(order.total, currency, rounded=True),
        slack=len(lines) + 2,
        address=_address(order.shipping_address),
        phone=_phone(order.shipping_address),
    )


def _line(line: shapes.Line, currency: str) -> LineTold:
    gross = minor(line.subtotal, currency, rounded=True)
    return LineTold(
        external_id=tidy(line.id),
        external_product_id=tidy(line.product_id),
        title=tidy(line.product_title or line.title)[:200],
        quantity=line.quantity,
        gross=gross,
        discount=at_most_gross(minor(line.discount_subtotal, currency, rounded=True), gross),
        tax=minor(line.tax_total, currency, rounded=True),
    )


def _customer(order: shapes.Order) -> CustomerTold | None:
    if order.customer_id:
        return CustomerTold(tidy(order.customer_id), tidy(order.email))
    return CustomerTold(f"guest:{tidy(order.id)}", tidy(order.email)) if order.email else None


def _phone(place: shapes.Address | None) -> str:
    return phone_fingerprint(place.phone, place.country_code) if place else ""


def _address(place: shapes.Address | None) -> str:
    if place is None:
        return ""
    return address_fingerprint(
        [place.address_1, place.address_2, place.postal_code, (place.country_code or "").upper()]
    )


def _refunds(order: shapes.Order) -> list[RefundTold]:
    """Medusa gives money back of a payment, not of lines."""
    currency = checked_currency(order.currency_code.upper())
    payments = [payment for one in order.payment_collections or [] for payment in one.payments or []]
    return [
        RefundTold(
            external_id=refund.id,
            order_external_id=tidy(order.id),
            currency=currency,
            refunded_at=refund.created_at or order.updated_at,
            lines=[],
            unplaced=minor(refund.amount, currency, rounded=True),
        )
        for payment in payments
        for refund in payment.refunds or []
    ]


def _product(store: asyncpg.Record, product: shapes.Product, at: datetime) -> Fact:
    told_at = product.updated_at or at
    prices = [price for variant in product.variants for price in variant.prices]
    price = next((one.amount for one in prices if one.currency_code.upper() == store["currency"]), None)
    if product.status != "published" or price is None:
        return ProductDropped(product.id, told_at)
    details = ProductDetails(
        title=tidy(product.title)[:200],
        url=f"{store['origin']}/products/{quote(product.handle)}",
        price=Money(minor(price, store["currency"], rounded=True), store["currency"]),
        description=plain_text(product.description),
        image_url=product.thumbnail,
        category=tidy(product.categories[0].name)[:80] if product.categories else None,
    )
    return ProductTold(product.id, details, told_at)


def _as(message: shapes.Envelope, shape: type) -> Any:
    return read(bytes(message.data), shape)
