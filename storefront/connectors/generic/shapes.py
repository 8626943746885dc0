"""What a shop writes in the generic format; CONTRACT names every field."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from app.money import LARGEST_AMOUNT
from storefront.catalog.schemas import ProductDetails

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[int, Meta(ge=0, le=LARGEST_AMOUNT)]
Quantity = Annotated[int, Meta(ge=0, le=1_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]
Text = Annotated[str, Meta(max_length=500)]


class Envelope(msgspec.Struct):
    type: Annotated[str, Meta(max_length=100)]
    data: dict[str, Any]
    timestamp: Moment | None = None


class Customer(msgspec.Struct):
    id: Id
    email: Annotated[str, Meta(max_length=254)] | None = None
    phone: Annotated[str, Meta(max_length=40)] | None = None
    """With its country's code (`+49 171 …`), or as it is written in the country of the order's address."""


class Address(msgspec.Struct):
    line1: Text = ""
    line2: Text = ""
    postcode: Text = ""
    city: Text = ""
    country: Text = ""


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
    fees: Amount = 0
    total: Amount | None = None
    tax_included: bool = False
    """Whether `gross` and `discount` are with tax; then it is taken out before anything earns."""
    shipping_address: Address | None = None
    payment_fingerprint: Text | None = None


class RefundLine(msgspec.Struct):
    id: Id
    amount: Amount
    quantity: Quantity = 0


class Refund(msgspec.Struct):
    refund_id: Id
    order_id: Id
    currency: str
    lines: Annotated[list[RefundLine], Meta(max_length=1000)] = []
    amount: Amount = 0
    """What went back in all, tax and shipping with it, by a shop that does not know of which lines."""
    reason: Literal["refund", "cancel", "exchange"] = "refund"
    refunded_at: Moment | None = None


class Dispute(msgspec.Struct):
    dispute_id: Id
    order_id: Id
    currency: str
    lines: Annotated[list[RefundLine], Meta(max_length=1000)] = []
    amount: Amount = 0
    disputed_at: Moment | None = None


class Product(ProductDetails, forbid_unknown_fields=False, kw_only=True):
    id: Id


class DroppedProduct(msgspec.Struct):
    id: Id
