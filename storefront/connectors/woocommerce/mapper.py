"""WooCommerce's messages as facts. It rounds each part for itself, so the parts may miss the total by a unit each."""

from datetime import datetime
from decimal import Decimal, InvalidOperation

import asyncpg

from app.money import Money
from storefront.catalog.schemas import MOST_STOCK, ProductDetails
from storefront.connectors.amounts import at_most_gross, checked_currency, minor, without_repeats
from storefront.connectors.generic.mapper import envelope
from storefront.connectors.generic.mapper import facts as generic_facts
from storefront.connectors.reading import click_id, not_in_the_future, plain_text, read, tidy, utc
from storefront.connectors.schemas import Fact, NotUnderstood, ProductDropped, ProductTold
from storefront.connectors.woocommerce import shapes
from storefront.orders.fingerprints import address_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold

GONE = {"cancelled", "failed", "trash"}


def topic_of(topic: str, body: bytes) -> str:
    return topic


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    match topic:
        case "order.created" | "order.updated" | "order.restored":
            return _order(read(body, shapes.Order))
        case "order.deleted":
            # The body says no more than which: `{"id": 7}`.
            order_id = tidy(read(body, shapes.Dropped).id)
            return [OrderTold("cancelled", at, order_id, at)]
        case "customer.created" | "customer.updated":
            customer = read(body, shapes.Customer)
            return [CustomerTold(tidy(customer.id), customer.email, utc(customer.date_modified_gmt) or at)]
        case "product.created" | "product.updated" | "product.restored":
            return [_product(store, read(body, shapes.Product), at)]
        case "order.disputed" | "dispute.won":
            return _dispute(store, body, at)
        case "product.deleted":
            return [ProductDropped(tidy(read(body, shapes.Dropped).id), at)]
    raise NotUnderstood(f"messages about {topic[:80]} are not known")


def _dispute(store: asyncpg.Record, body: bytes, at: datetime) -> list[Fact]:
    """WooCommerce has no word for it, so a shop tells it in the generic shape. The topic is not signed, the type is."""
    if envelope(body).type not in ("order.disputed", "dispute.won"):
        raise NotUnderstood("a dispute is told as order.disputed or dispute.won")
    return generic_facts(store, "", body, at)


def _order(order: shapes.Order) -> list[Fact]:
    currency = checked_currency(order.currency)
    lines = [_line(line, currency) for line in order.line_items]
    without_repeats([line.external_id for line in lines])
    fees = sum(_signed(one.total + one.total_tax, currency) for one in order.fee_lines)
    updated_at = not_in_the_future(utc(order.date_modified_gmt))  # type: ignore[arg-type]
    told = OrderTold(
        happening="told",
        happened_at=updated_at,
        external_id=tidy(order.id),
        updated_at=updated_at,
        currency=currency,
        lines=lines,
        customer=_customer(order),
        number=tidy(order.number),
        placed_at=utc(order.date_created_gmt),
        paid_at=utc(order.date_paid_gmt),
        # WooCommerce knows no delivery of its own: an order is completed when the shop says that it is done.
        delivered_at=utc(order.date_completed_gmt),
        cancelled_at=updated_at if order.status in GONE else None,
        gv=click_id(next((str(one.value) for one in order.meta_data if one.key in ("gv", "_gv")), None)),
        codes=[tidy(one.code) for one in order.coupon_lines],
        shipping=minor(order.shipping_total, currency, rounded=True),
        fees=fees + minor(order.shipping_tax, currency, rounded=True),
        total=minor(order.total, currency, rounded=True),
        slack=len(lines) + len(order.fee_lines) + 1,
        address=_address(order),
        phone=phone_fingerprint(order.billing.phone, order.billing.country) if order.billing else "",
    )
    return [told, *_refunds(order, currency, updated_at)]


def _line(line: shapes.Line, currency: str) -> LineTold:
    gross, net = minor(line.subtotal, currency, rounded=True), minor(line.total, currency, rounded=True)
    # A line may be sold for more than its price (an add-on); then there is no discount and the price is what was paid.
    return LineTold(
        external_id=tidy(line.id),
        external_product_id=tidy(line.product_id or None),
        title=tidy(line.name)[:200],
        quantity=line.quantity,
        gross=max(gross, net),
        discount=at_most_gross(max(gross, net) - net, max(gross, net)),
        tax=minor(line.total_tax, currency, rounded=True),
    )


def _customer(order: shapes.Order) -> CustomerTold | None:
    """Guests all have the number 0: theirs is the e-mail they gave, or nobody's."""
    email = (order.billing.email if order.billing else "").strip().lower()
    if order.customer_id:
        return CustomerTold(tidy(order.customer_id), email)
    return CustomerTold(f"guest:{tidy(order.id)}", email) if email else None


def _address(order: shapes.Order) -> str:
    place = order.shipping if order.shipping and order.shipping.address_1 else order.billing
    return address_fingerprint([place.address_1, place.address_2, place.postcode, place.country]) if place else ""


def _refunds(order: shapes.Order, currency: str, at: datetime) -> list[RefundTold]:
    details = {one.id: one for one in order.refund_details}
    return [_refund(one, details.get(one.id), tidy(order.id), currency, at) for one in order.refunds]


def _refund(
    refund: shapes.Refund, details: shapes.RefundDetails | None, order_id: str, currency: str, at: datetime
) -> RefundTold:
    """The sum, without its lines; with them when a pull has asked for the details."""
    lines: dict[str, RefundLineTold] = {}
    for line in details.line_items if details else []:
        line_id = next((tidy(one.value) for one in line.meta_data if one.key == "_refunded_item_id"), "")
        amount = -_signed(line.total, currency)
        if line_id and amount > 0:
            before = lines.get(line_id, RefundLineTold(line_id, 0, 0))
            lines[line_id] = RefundLineTold(line_id, before.quantity + abs(line.quantity), before.amount + amount)
    return RefundTold(
        external_id=tidy(refund.id),
        order_external_id=order_id,
        currency=currency,
        refunded_at=at,
        lines=list(lines.values()),
        unplaced=0 if lines else abs(_signed(refund.total, currency)),
    )


def _signed(amount: Decimal, currency: str) -> int:
    return minor(amount, currency, rounded=True, signed=True)


def _product(store: asyncpg.Record, product: shapes.Product, at: datetime) -> Fact:
    told_at = utc(product.date_modified_gmt) or at
    try:
        price = Decimal(product.price)
    except InvalidOperation:
        price = None
    if product.status != "publish" or price is None:
        return ProductDropped(tidy(product.id), told_at)
    gtin = product.global_unique_id.strip()
    details = ProductDetails(
        title=plain_text(product.name)[:200],
        url=product.permalink,
        price=Money(minor(price, store["currency"], rounded=True), store["currency"]),
        description=plain_text(product.description),
        image_url=product.images[0].src if product.images else None,
        brand=product.brands[0].name[:80] if product.brands else None,
        category=plain_text(product.categories[0].name)[:80] if product.categories else None,
        gtin=gtin if gtin.isdigit() and len(gtin) in (8, 12, 13, 14) else None,
        stock=_left(product),
    )
    return ProductTold(tidy(product.id), details, told_at)


def _left(product: shapes.Product) -> int | None:
    """How many are left; unknown where the shop does not count, and takes orders for what it has not got."""
    if product.stock_status == "outofstock":
        return 0
    if not product.manage_stock or product.stock_status == "onbackorder" or product.stock_quantity is None:
        return None
    return min(max(0, product.stock_quantity), MOST_STOCK)
