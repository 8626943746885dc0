"""Shopify's messages as facts.

The topic is not signed, so it decides only how the body is read: what happened to an order stands in its fields.
"""

from datetime import datetime
from urllib.parse import quote

import asyncpg

from app.money import Money
from storefront.catalog.schemas import MOST_STOCK, ProductDetails
from storefront.connectors.amounts import at_most_gross, minor, without_repeats
from storefront.connectors.reading import click_id, not_in_the_future, plain_text, read, tidy
from storefront.connectors.schemas import Fact, NotUnderstood, ProductDropped, ProductTold
from storefront.connectors.shopify import shapes
from storefront.orders.fingerprints import address_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold
from storefront.orders.service import Flagged

PAID = {"paid", "partially_refunded", "refunded"}


def topic_of(topic: str, body: bytes) -> str:
    return topic


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    kind, _, what = topic.partition("/")
    match kind, what:
        case "orders", "create" | "updated" | "paid" | "cancelled" | "edited" | "fulfilled" | "partially_fulfilled":
            return _order(read(body, shapes.Order))
        case "refunds", "create":
            return [refund_told(read(body, shapes.Refund), store["currency"], at, taxes_included=None)]
        case "fulfillments", "create" | "update":
            return _fulfillment(read(body, shapes.Fulfillment))
        case "disputes", "create" | "update":
            return _dispute(read(body, shapes.Dispute), at)
        case "customers", "create" | "update":
            customer = read(body, shapes.Customer)
            return [CustomerTold(tidy(customer.id), tidy(customer.email), customer.updated_at or at)]
        case "products", "create" | "update":
            return [_product(store, read(body, shapes.Product), at)]
        case "products", "delete":
            return [ProductDropped(tidy(read(body, shapes.Dropped).id), at)]
    raise NotUnderstood(f"messages about {topic[:80]} are not known")


def _order(order: shapes.Order) -> list[Fact]:
    if order.test:
        raise NotUnderstood("a test order of Shopify's own")
    currency = order.currency
    lines = [_line(line, currency, order.taxes_included) for line in order.line_items]
    without_repeats([line.external_id for line in lines])
    shipping = sum(
        minor(one.price, currency) - sum(minor(part.amount, currency) for part in one.discount_allocations)
        for one in order.shipping_lines
    )
    tax = minor(order.total_tax, currency)
    duties = order.original_total_duties_set.shop_money.amount if order.original_total_duties_set else None
    # Included, the tax on shipping is a part of its price; added, it is charged beside it.
    fees = 0 if order.taxes_included else tax - sum(line.tax for line in lines)
    if fees < 0:
        raise Flagged("the lines are taxed more than the order")
    updated_at = not_in_the_future(order.updated_at)
    told = OrderTold(
        happening="told",
        happened_at=updated_at,
        external_id=tidy(order.id),
        updated_at=updated_at,
        currency=currency,
        lines=lines,
        customer=CustomerTold(tidy(order.customer.id), tidy(order.customer.email or order.email))
        if order.customer
        else None,
        number=tidy(order.name),
        placed_at=order.created_at,
        paid_at=(order.processed_at or order.created_at or updated_at) if order.financial_status in PAID else None,
        delivered_at=_delivered_at(order),
        cancelled_at=order.cancelled_at,
        gv=click_id(next((one.value for one in order.note_attributes if one.name == "gv"), None)),
        codes=[tidy(one.code) for one in order.discount_codes],
        shipping=shipping,
        fees=fees + minor(order.total_tip_received, currency) + minor(duties, currency),
        total=minor(order.total_price, currency),
        address=_address(order.shipping_address),
        phone=_phone(order),
    )
    refunds = [refund_told(one, currency, updated_at, taxes_included=order.taxes_included) for one in order.refunds]
    return [told, *refunds]


def _line(line: shapes.Line, currency: str, taxes_included: bool) -> LineTold:
    gross = minor(line.price, currency) * line.quantity
    tax = sum(minor(one.price, currency) for one in line.tax_lines)
    discount = at_most_gross(sum(minor(part.amount, currency) for part in line.discount_allocations), gross)
    if taxes_included and tax > gross - discount:
        raise Flagged("a line's tax is larger than its price")
    return LineTold(
        external_id=tidy(line.id),
        external_product_id=tidy(line.product_id),
        title=tidy(line.title)[:200],
        quantity=line.quantity,
        gross=gross - (tax if taxes_included else 0),
        discount=discount,
        tax=tax,
    )


def _delivered_at(order: shapes.Order) -> datetime | None:
    """When all of it has arrived: every parcel, and nothing left to send."""
    if order.fulfillment_status != "fulfilled" or not order.fulfillments:
        return None
    if any(parcel.shipment_status != "delivered" for parcel in order.fulfillments):
        return None
    return max(parcel.updated_at or order.updated_at for parcel in order.fulfillments)


def _fulfillment(parcel: shapes.Fulfillment) -> list[Fact]:
    # One parcel does not say whether it was the last: the order that Shopify sends with it does.
    raise NotUnderstood(f"a parcel ({parcel.shipment_status or 'sent'}); the order itself says when all has arrived")


def _phone(order: shapes.Order) -> str:
    place = order.shipping_address
    given = order.phone or (place.phone if place else "") or (order.customer.phone if order.customer else "")
    return phone_fingerprint(given, place.country_code if place else "")


def _address(place: shapes.Address | None) -> str:
    return address_fingerprint([place.address1, place.address2, place.zip, place.country_code]) if place else ""


def refund_told(refund: shapes.Refund, currency: str, at: datetime, *, taxes_included: bool | None) -> RefundTold:
    """What went back of each line without its tax, and, beyond lines and shipping, what was given back freely.

    A refund on its own does not say whether its order's prices are with tax. Where the money that moved does not tell
    either, the order does, which Shopify sends along.
    """
    subtotals = sum(minor(line.subtotal, currency) for line in refund.refund_line_items)
    taxes = sum(minor(line.total_tax, currency) for line in refund.refund_line_items)
    shipping = sum(
        -minor(one.amount + one.tax_amount, currency, signed=True)
        for one in refund.order_adjustments
        if one.kind == "shipping_refund"
    )
    moved = sum(
        minor(one.amount, currency)
        for one in refund.transactions
        if one.kind == "refund" and one.status in ("success", "pending")
    )
    if taxes_included is None:
        if taxes and moved - shipping not in (subtotals, subtotals + taxes):
            raise NotUnderstood("a refund that does not say whether its amounts are with tax; its order does")
        taxes_included = bool(taxes) and moved - shipping == subtotals
    lines: dict[str, RefundLineTold] = {}
    for line in refund.refund_line_items:
        line_id, before = tidy(line.line_item_id), lines.get(tidy(line.line_item_id), RefundLineTold("", 0, 0))
        amount = minor(line.subtotal, currency) - (minor(line.total_tax, currency) if taxes_included else 0)
        lines[line_id] = RefundLineTold(line_id, before.quantity + line.quantity, before.amount + max(0, amount))
    for_lines = subtotals + (0 if taxes_included else taxes)
    return RefundTold(
        external_id=tidy(refund.id),
        order_external_id=tidy(refund.order_id),
        currency=currency,
        refunded_at=refund.created_at or at,
        lines=list(lines.values()),
        unplaced=max(0, moved - for_lines - shipping),
    )


def _dispute(dispute: shapes.Dispute, at: datetime) -> list[Fact]:
    if dispute.type != "chargeback" or dispute.order_id is None:
        raise NotUnderstood("a bank's question; no money has moved")
    amount = minor(dispute.amount, dispute.currency)
    taken = RefundTold(
        external_id=f"dispute:{tidy(dispute.id)}",
        order_external_id=tidy(dispute.order_id),
        currency=dispute.currency,
        refunded_at=dispute.initiated_at or at,
        lines=[],
        kind="chargeback",
        unplaced=amount,
    )
    if dispute.status != "won":
        return [taken]
    ended_at = dispute.finalized_on or at
    won = RefundTold(
        taken.external_id + ":won", taken.order_external_id, dispute.currency, ended_at, [], "dispute_won", amount
    )
    return [taken, won]


def _product(store: asyncpg.Record, product: shapes.Product, at: datetime) -> Fact:
    told_at = product.updated_at or at
    if product.status != "active":
        return ProductDropped(tidy(product.id), told_at)
    first = product.variants[0] if product.variants else shapes.Variant()
    barcode = (first.barcode or "").strip()
    details = ProductDetails(
        title=tidy(product.title)[:200],
        url=f"{store['origin']}/products/{quote(product.handle)}",
        price=Money(minor(first.price, store["currency"]), store["currency"]),
        description=plain_text(product.body_html),
        image_url=product.image.src if product.image else None,
        brand=tidy(product.vendor)[:80],
        category=tidy(product.product_type)[:80],
        gtin=barcode if barcode.isdigit() and len(barcode) in (8, 12, 13, 14) else None,
        stock=_left(product.variants),
    )
    return ProductTold(tidy(product.id), details, told_at)


def _left(variants: list[shapes.Variant]) -> int | None:
    """What all variants have left together; unknown when one of them is not counted, or sold beyond its stock."""
    counted = [
        one.inventory_quantity for one in variants if one.inventory_management and one.inventory_policy == "deny"
    ]
    if not counted or len(counted) < len(variants):
        return None
    # An oversold variant takes nothing from the others.
    return min(sum(max(0, quantity or 0) for quantity in counted), MOST_STOCK)
