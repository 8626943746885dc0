"""The generic provider: Standard Webhooks, with messages in a shape of our own that any shop can write."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeVar
from uuid import UUID

import asyncpg
import msgspec
from msgspec import Meta
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from app import clock
from app.errors import Problem
from app.money import EXPONENTS, LARGEST_AMOUNT
from app.web import convert
from storefront.catalog.schemas import ProductDetails
from storefront.catalog.service import upsert_product, withdraw_product
from storefront.connectors.schemas import BadSignature, NotUnderstood
from storefront.orders.schemas import CustomerTold, LineTold, OrderTold, RefundLineTold, RefundTold
from storefront.orders.service import Flagged, apply_customer, apply_order, apply_refund

T = TypeVar("T")

# A clock that runs ahead may not freeze an order until it is caught up.
MOST_AHEAD = timedelta(days=1)

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT)]
Quantity = Annotated[int, Meta(ge=0, le=1_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]


class Envelope(msgspec.Struct):
    type: Annotated[str, Meta(max_length=100)]
    data: dict[str, Any]
    timestamp: Moment | None = None


class Customer(msgspec.Struct):
    id: Id
    email: Annotated[str, Meta(max_length=254)] | None = None


class Line(msgspec.Struct):
    id: Id
    gross: Amount
    product_id: Annotated[str, Meta(max_length=200)] | None = None
    title: Annotated[str, Meta(max_length=1000)] | None = None
    quantity: Quantity = 1
    discount: Amount = 0
    tax: Amount = 0


class Order(msgspec.Struct):
    id: Id
    updated_at: Moment | None = None
    currency: str = ""
    lines: Annotated[list[Line], Meta(max_length=1000)] | None = None
    number: Annotated[str, Meta(max_length=200)] | None = None
    placed_at: Moment | None = None
    paid_at: Moment | None = None
    customer: Customer | None = None
    gv: Annotated[str, Meta(max_length=200)] | None = None
    codes: Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=50)] = []
    shipping: Amount = 0


class RefundLine(msgspec.Struct):
    id: Id
    amount: Amount
    quantity: Quantity = 0


class Refund(msgspec.Struct):
    refund_id: Id
    order_id: Id
    currency: str
    lines: Annotated[list[RefundLine], Meta(max_length=1000)]
    refunded_at: Moment | None = None


class Product(ProductDetails, forbid_unknown_fields=False, kw_only=True):
    id: Id


class DroppedProduct(msgspec.Struct):
    id: Id


def verify(secret: str, headers: Mapping[str, str], body: bytes) -> str:
    """The message's id when the store signed exactly this body within the last five minutes; else BadSignature."""
    try:
        Webhook(secret).verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError) as error:
        raise BadSignature() from error
    return headers["webhook-id"]


def topic_of(body: bytes) -> str:
    return _envelope(body).type


async def apply(store: asyncpg.Record, body: bytes) -> None:
    """Take over what the message says. NotUnderstood for a kind we do not know, Flagged for one that cannot be true."""
    message = _envelope(body)
    at = message.timestamp or clock.now()
    try:
        match message.type:
            case "order.paid" | "order.cancelled" | "order.delivered":
                await apply_order(store, _order(message.type.partition(".")[2], _as(Order, message), at))
            case "order.refunded":
                await apply_refund(store, _refund(_as(Refund, message), at))
            case "customer.created":
                customer = _as(Customer, message)
                await apply_customer(store, _customer(customer))
            case "product.upserted":
                product = _as(Product, message)
                await upsert_product(store, product.id, product, told_at=at)
            case "product.deleted":
                await withdraw_product(store, _as(DroppedProduct, message).id, told_at=at)
            case unknown:
                raise NotUnderstood(f"messages of type {unknown} are not known")
    except Problem as problem:
        reasons = "; ".join(f"{field}: {why}" for field, why in problem.fields.items())
        raise Flagged(reasons or problem.detail) from problem


def without_personal_data(body: bytes) -> bytes:
    """The message without the customer's name, e-mail and addresses, which nothing needs once it was applied."""
    message = msgspec.json.decode(body)
    data = message.get("data", {})
    for holder in (data, data.get("customer") if isinstance(data.get("customer"), dict) else {}):
        for name in set(holder) & {"email", "name", "phone", "address", "shipping_address", "billing_address"}:
            holder[name] = None
    return msgspec.json.encode(message)


def _envelope(body: bytes) -> Envelope:
    try:
        return msgspec.json.decode(body, type=Envelope)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise NotUnderstood(f"not a message of the form type, timestamp, data ({error})") from error


def _order(happening: Any, order: Order, at: datetime) -> OrderTold:
    updated_at = order.updated_at or at
    if updated_at > clock.now() + MOST_AHEAD:
        raise Flagged("updated_at lies in the future")
    if order.lines is not None:
        _check_currency(order.currency)
        if len({line.id for line in order.lines}) < len(order.lines):
            raise Flagged("two lines have the same id")
    if any(line.discount > line.gross for line in order.lines or []):
        raise Flagged("a line's discount is larger than its price")
    return OrderTold(
        happening=happening,
        happened_at=(order.paid_at or at) if happening == "paid" else at,
        external_id=_tidy(order.id),
        updated_at=updated_at,
        currency=order.currency,
        lines=None if order.lines is None else [_line(line) for line in order.lines],
        customer=_customer(order.customer) if order.customer else None,
        number=_tidy(order.number),
        placed_at=order.placed_at,
        paid_at=order.paid_at,
        gv=_click_id(order.gv),
        codes=[_tidy(code) for code in order.codes],
        shipping=order.shipping,
    )


def _as(shape: type[T], message: Envelope) -> T:
    return convert(message.data, shape, strict=True)


def _customer(customer: Customer) -> CustomerTold:
    return CustomerTold(_tidy(customer.id), _tidy(customer.email))


def _line(line: Line) -> LineTold:
    return LineTold(
        external_id=_tidy(line.id),
        external_product_id=_tidy(line.product_id),
        title=_tidy(line.title)[:200],
        quantity=line.quantity,
        gross=line.gross,
        discount=line.discount,
        tax=line.tax,
    )


def _refund(refund: Refund, at: datetime) -> RefundTold:
    _check_currency(refund.currency)
    # A line may be named twice in one refund (two pieces, two reasons): what counts is the sum.
    quantities: dict[str, int] = {}
    amounts: dict[str, int] = {}
    for line in refund.lines:
        line_id = _tidy(line.id)
        quantities[line_id] = quantities.get(line_id, 0) + line.quantity
        amounts[line_id] = amounts.get(line_id, 0) + line.amount
    if any(amount > LARGEST_AMOUNT for amount in amounts.values()):
        raise Flagged("the amounts of a line add up to more than there can be")
    return RefundTold(
        external_id=_tidy(refund.refund_id),
        order_external_id=_tidy(refund.order_id),
        currency=refund.currency,
        refunded_at=refund.refunded_at or at,
        lines=[RefundLineTold(line_id, quantities[line_id], amounts[line_id]) for line_id in amounts],
    )


def _check_currency(currency: str) -> None:
    if currency not in EXPONENTS:
        raise Flagged(f"“{currency[:8]}” is not a currency this server knows")


def _click_id(gv: str | None) -> UUID | None:
    """The click an order came from. A shop passes on what stood in its address bar, so nonsense counts as none."""
    try:
        return UUID(gv or "")
    except ValueError:
        return None


def _tidy(text: str | None) -> str:
    # PostgreSQL keeps no NUL.
    return (text or "").replace("\x00", "").strip()
