"""The part of Medusa's objects (v2) that we read. Amounts are decimal numbers of the main unit."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


class Envelope(msgspec.Struct):
    type: Annotated[str, Meta(max_length=100)]
    data: msgspec.Raw
    timestamp: Moment | None = None


class Line(msgspec.Struct):
    """`subtotal` is before the promotions and without tax, like `discount_subtotal`."""

    id: Id
    subtotal: Decimal
    discount_subtotal: Decimal = Decimal(0)
    tax_total: Decimal = Decimal(0)
    quantity: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    product_id: str | None = None
    product_title: str | None = None
    title: str | None = None


class Promotion(msgspec.Struct):
    code: str | None = None


class Address(msgspec.Struct):
    address_1: str | None = None
    address_2: str | None = None
    postal_code: str | None = None
    country_code: str | None = None
    phone: str | None = None


class Refund(msgspec.Struct):
    id: Id
    amount: Decimal
    created_at: Moment | None = None


class Payment(msgspec.Struct):
    refunds: list[Refund] | None = None


class Collection(msgspec.Struct):
    payments: list[Payment] | None = None


class Order(msgspec.Struct):
    id: Id
    currency_code: str
    updated_at: Moment
    total: Decimal
    items: Annotated[list[Line], Meta(max_length=1000)]
    display_id: int | str | None = None
    created_at: Moment | None = None
    canceled_at: Moment | None = None
    payment_status: str | None = None
    fulfillment_status: str | None = None
    shipping_subtotal: Decimal = Decimal(0)
    shipping_discount_total: Decimal = Decimal(0)
    tax_total: Decimal = Decimal(0)
    metadata: dict[str, Any] | None = None
    customer_id: str | None = None
    email: str | None = None
    promotions: list[Promotion | None] | None = None
    shipping_address: Address | None = None
    payment_collections: list[Collection] | None = None


class Customer(msgspec.Struct):
    id: Id
    email: str | None = None
    updated_at: Moment | None = None


class Price(msgspec.Struct):
    amount: Decimal
    currency_code: str


class Variant(msgspec.Struct):
    prices: list[Price] = []
    barcode: str | None = None


class Named(msgspec.Struct):
    name: str | None = None


class Product(msgspec.Struct):
    id: Id
    title: str
    handle: str
    status: str = "published"
    description: str | None = None
    thumbnail: str | None = None
    updated_at: Moment | None = None
    variants: list[Variant] = []
    categories: list[Named] | None = None


class Dropped(msgspec.Struct):
    id: Id
