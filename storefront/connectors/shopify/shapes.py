"""The part of Shopify's Admin REST objects that we read. Amounts come as strings, now and then as numbers."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

Id = int | Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]
Most = Annotated[int, Meta(ge=0, le=1_000_000)]


class TaxLine(msgspec.Struct):
    price: Decimal = Decimal(0)


class Allocation(msgspec.Struct):
    amount: Decimal


class Line(msgspec.Struct):
    id: Id
    price: Decimal
    quantity: Most
    product_id: Id | None = None
    title: str | None = None
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []


class Shipping(msgspec.Struct):
    price: Decimal = Decimal(0)
    discount_allocations: list[Allocation] = []
    tax_lines: list[TaxLine] = []


class Named(msgspec.Struct):
    name: str
    value: str | None = None


class Code(msgspec.Struct):
    code: str


class Customer(msgspec.Struct):
    id: Id
    email: str | None = None
    phone: str | None = None
    updated_at: Moment | None = None


class Address(msgspec.Struct):
    address1: str | None = None
    address2: str | None = None
    zip: str | None = None
    country_code: str | None = None
    phone: str | None = None


class ShopMoney(msgspec.Struct):
    amount: Decimal = Decimal(0)


class MoneySet(msgspec.Struct):
    shop_money: ShopMoney = msgspec.field(default_factory=ShopMoney)


class Fulfillment(msgspec.Struct):
    order_id: Id | None = None
    shipment_status: str | None = None
    updated_at: Moment | None = None


class RefundLine(msgspec.Struct):
    line_item_id: Id
    quantity: Most
    subtotal: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)


class Adjustment(msgspec.Struct):
    amount: Decimal = Decimal(0)
    tax_amount: Decimal = Decimal(0)
    kind: str = ""


class Transaction(msgspec.Struct):
    amount: Decimal = Decimal(0)
    kind: str = ""
    status: str = ""


class Refund(msgspec.Struct):
    id: Id
    order_id: Id
    refund_line_items: list[RefundLine]
    created_at: Moment | None = None
    order_adjustments: list[Adjustment] = []
    transactions: list[Transaction] = []


class Order(msgspec.Struct):
    id: Id
    currency: str
    updated_at: Moment
    line_items: Annotated[list[Line], Meta(max_length=1000)]
    total_price: Decimal
    name: str | None = None
    created_at: Moment | None = None
    processed_at: Moment | None = None
    cancelled_at: Moment | None = None
    financial_status: str | None = None
    fulfillment_status: str | None = None
    taxes_included: bool = False
    total_tax: Decimal = Decimal(0)
    total_tip_received: Decimal = Decimal(0)
    original_total_duties_set: MoneySet | None = None
    shipping_lines: list[Shipping] = []
    discount_codes: list[Code] = []
    note_attributes: list[Named] = []
    customer: Customer | None = None
    email: str | None = None
    phone: str | None = None
    shipping_address: Address | None = None
    fulfillments: list[Fulfillment] = []
    refunds: list[Refund] = []
    test: bool = False


class Dispute(msgspec.Struct):
    id: Id
    order_id: Id | None
    type: str
    status: str
    currency: str
    amount: Decimal
    initiated_at: Moment | None = None
    finalized_on: Moment | None = None


class Variant(msgspec.Struct):
    price: Decimal = Decimal(0)
    barcode: str | None = None
    inventory_management: str | None = None
    inventory_policy: str | None = None
    inventory_quantity: int | None = None


class Image(msgspec.Struct):
    src: str | None = None


class Product(msgspec.Struct):
    id: Id
    title: str
    handle: str
    body_html: str | None = None
    vendor: str | None = None
    product_type: str | None = None
    status: str = "active"
    updated_at: Moment | None = None
    variants: list[Variant] = []
    image: Image | None = None


class Dropped(msgspec.Struct):
    id: Id
