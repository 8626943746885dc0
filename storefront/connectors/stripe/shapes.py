"""The part of Stripe's objects that we read. Amounts are whole numbers of what Stripe calls the smallest unit."""

from typing import Annotated, Any

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Amount = Annotated[int, Meta(ge=0, le=10**14)]
Seconds = Annotated[int, Meta(ge=0, le=253_402_300_799)]


class Object(msgspec.Struct):
    object: msgspec.Raw


class Event(msgspec.Struct):
    type: str
    created: Seconds
    data: Object


class Named(msgspec.Struct):
    id: Id


class Price(msgspec.Struct):
    product: Named | str | None = None


class Line(msgspec.Struct):
    id: Id
    amount_subtotal: Amount
    amount_discount: Amount = 0
    amount_tax: Amount = 0
    amount_total: Amount | None = None
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] | None = 1
    description: str | None = None
    price: Price | None = None


class Lines(msgspec.Struct):
    data: Annotated[list[Line], Meta(max_length=1000)] = []
    has_more: bool = False


class Totals(msgspec.Struct):
    amount_discount: Amount = 0
    amount_shipping: Amount | None = 0
    amount_tax: Amount = 0


class ShippingCost(msgspec.Struct):
    amount_tax: Amount = 0


class CustomerDetails(msgspec.Struct):
    email: str | None = None
    phone: str | None = None


class Place(msgspec.Struct):
    line1: str | None = None
    line2: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Shipping(msgspec.Struct):
    address: Place | None = None


class Collected(msgspec.Struct):
    shipping_details: Shipping | None = None


class Promotion(msgspec.Struct):
    code: str | None = None


class Discount(msgspec.Struct):
    promotion_code: Promotion | str | None = None


class Session(msgspec.Struct):
    id: Id
    created: Seconds
    currency: str
    amount_subtotal: Amount
    amount_total: Amount
    payment_status: str
    status: str | None = None
    payment_intent: Named | Id | None = None
    client_reference_id: str | None = None
    metadata: dict[str, Any] | None = None
    customer: Named | str | None = None
    customer_details: CustomerDetails | None = None
    total_details: Totals | None = None
    shipping_cost: ShippingCost | None = None
    line_items: Lines | None = None
    discounts: list[Discount] | None = None
    shipping_details: Shipping | None = None
    collected_information: Collected | None = None


class Card(msgspec.Struct):
    fingerprint: str | None = None


class Method(msgspec.Struct):
    type: str = ""
    card: Card | None = None
    sepa_debit: Card | None = None
    us_bank_account: Card | None = None
    bacs_debit: Card | None = None


class Charge(msgspec.Struct):
    id: Id
    created: Seconds
    currency: str
    amount_refunded: Amount = 0
    payment_intent: Named | Id | None = None
    payment_method_details: Method | None = None


class Refund(msgspec.Struct):
    id: Id
    created: Seconds
    currency: str
    amount: Amount
    payment_intent: Named | Id | None = None
    charge: Named | str | None = None
    status: str | None = None


class Dispute(msgspec.Struct):
    id: Id
    created: Seconds
    currency: str
    amount: Amount
    status: str
    payment_intent: Named | Id | None = None
    charge: Named | str | None = None


class Customer(msgspec.Struct):
    id: Id
    email: str | None = None
