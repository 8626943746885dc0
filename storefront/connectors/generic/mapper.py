"""A generic shop's messages as facts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

import asyncpg
import msgspec

from app.errors import Invalid
from app.money import LARGEST_AMOUNT
from app.web import convert
from storefront.connectors.amounts import at_most_gross, checked_currency, without_repeats
from storefront.connectors.generic.shapes import (
    Customer,
    Dispute,
    DroppedProduct,
    Envelope,
    Line,
    Order,
    Product,
    Refund,
    RefundLine,
)
from storefront.connectors.reading import click_id, not_in_the_future, reasons_of, tidy
from storefront.connectors.schemas import Fact, NotUnderstood, ProductDropped, ProductTold
from storefront.orders.fingerprints import address_fingerprint, instrument_fingerprint, phone_fingerprint
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold
from storefront.orders.service import Flagged

T = TypeVar("T")


def topic_of(topic: str, body: bytes) -> str:
    return envelope(body).type


def facts(store: asyncpg.Record, topic: str, body: bytes, at: datetime) -> list[Fact]:
    """What the message says. NotUnderstood for a kind we do not know, Flagged for one that cannot be true."""
    message = envelope(body)
    at = message.timestamp or at
    try:
        return [_fact(message, at)]
    except Invalid as problem:
        raise Flagged(reasons_of(problem)) from problem


def envelope(body: bytes) -> Envelope:
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(f"not a message of the form type, timestamp, data ({error})") from error


def _fact(message: Envelope, at: datetime) -> Fact:
    match message.type:
        case "order.paid" | "order.cancelled" | "order.delivered" | "order.updated":
            return _order(message.type.partition(".")[2], _as(Order, message), at)
        case "order.refunded":
            return _refund(_as(Refund, message), at)
        case "order.disputed":
            return _dispute(_as(Dispute, message), at, is_won=False)
        case "dispute.won":
            return _dispute(_as(Dispute, message), at, is_won=True)
        case "customer.created" | "customer.updated":
            return _customer(_as(Customer, message), at)
        case "product.upserted":
            product = _as(Product, message)
            return ProductTold(product.id, product, at)
        case "product.deleted":
            return ProductDropped(_as(DroppedProduct, message).id, at)
        case unknown:
            raise NotUnderstood(f"messages of type {unknown} are not known")


def _as(shape: type[T], message: Envelope) -> T:
    return convert(message.data, shape, strict=True)


def _order(happening: Any, order: Order, at: datetime) -> OrderTold:
    updated_at = not_in_the_future(order.updated_at or at)
    if order.lines is not None:
        checked_currency(order.currency)
        without_repeats([line.id for line in order.lines])
    return OrderTold(
        happening="told" if happening == "updated" else happening,
        happened_at=(order.paid_at or at) if happening == "paid" else at,
        external_id=tidy(order.id),
        updated_at=updated_at,
        currency=order.currency,
        lines=None if order.lines is None else [_line(line, order.tax_included) for line in order.lines],
        customer=_customer(order.customer) if order.customer else None,
        number=tidy(order.number),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        gv=click_id(order.gv),
        codes=[tidy(code) for code in order.codes],
        shipping=order.shipping,
        fees=order.fees,
        total=order.total,
        address=_address(order),
        instrument=instrument_fingerprint(order.payment_fingerprint),
        phone=_phone(order),
    )


def _line(line: Line, tax_included: bool) -> LineTold:
    at_most_gross(line.discount, line.gross)
    if tax_included and line.tax > line.gross - line.discount:
        raise Flagged("a line's tax is larger than its price")
    return LineTold(
        external_id=tidy(line.id),
        external_product_id=tidy(line.product_id),
        title=tidy(line.title)[:200],
        quantity=line.quantity,
        gross=line.gross - (line.tax if tax_included else 0),
        discount=line.discount,
        tax=line.tax,
    )


def _address(order: Order) -> str:
    place = order.shipping_address
    return address_fingerprint([place.line1, place.line2, place.postcode, place.country]) if place else ""


def _phone(order: Order) -> str:
    place = order.shipping_address
    return phone_fingerprint(order.customer.phone if order.customer else "", place.country if place else "")


def _customer(customer: Customer, at: datetime | None = None) -> CustomerTold:
    return CustomerTold(tidy(customer.id), tidy(customer.email), at)


def _refund(refund: Refund, at: datetime) -> RefundTold:
    checked_currency(refund.currency)
    return RefundTold(
        external_id=tidy(refund.refund_id),
        order_external_id=tidy(refund.order_id),
        currency=refund.currency,
        refunded_at=refund.refunded_at or at,
        lines=_summed(refund.lines),
        kind=refund.reason,
        unplaced=0 if refund.lines else refund.amount,
    )


def _dispute(dispute: Dispute, at: datetime, *, is_won: bool) -> RefundTold:
    """The bank took it back, or gave it back after all: two entries with names of their own."""
    checked_currency(dispute.currency)
    return RefundTold(
        external_id=f"dispute:{tidy(dispute.dispute_id)}" + (":won" if is_won else ""),
        order_external_id=tidy(dispute.order_id),
        currency=dispute.currency,
        refunded_at=dispute.disputed_at or at,
        lines=_summed(dispute.lines),
        kind="dispute_won" if is_won else "chargeback",
        unplaced=0 if dispute.lines else dispute.amount,
    )


def _summed(lines: Sequence[RefundLine]) -> list[RefundLineTold]:
    """A line may be named twice in one refund (two pieces, two reasons): what counts is the sum."""
    quantities: dict[str, int] = {}
    amounts: dict[str, int] = {}
    for line in lines:
        line_id = tidy(line.id)
        quantities[line_id] = quantities.get(line_id, 0) + line.quantity
        amounts[line_id] = amounts.get(line_id, 0) + line.amount
    if any(amount > LARGEST_AMOUNT for amount in amounts.values()):
        raise Flagged("the amounts of a line add up to more than there can be")
    return [RefundLineTold(line_id, quantities[line_id], amounts[line_id]) for line_id in amounts]
