"""The part of WooCommerce's REST objects (v3) that we read. Times named `_gmt` are UTC without saying so."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Most = Annotated[int, Meta(ge=0, le=1_000_000)]


class MetaData(msgspec.Struct):
    key: str
    value: Any = None


class Line(msgspec.Struct):
    """`subtotal` is before and `total` after the discount, both without tax, whatever the shop's prices say."""

    id: int
    subtotal: Decimal
    total: Decimal
    quantity: Most = 1
    product_id: int = 0
    name: str = ""
    total_tax: Decimal = Decimal(0)


class Charge(msgspec.Struct):
    total: Decimal = Decimal(0)
    total_tax: Decimal = Decimal(0)


class Refund(msgspec.Struct):
    id: int
    total: Decimal


class RefundLine(msgspec.Struct):
    """Quantities and amounts are negative; `_refunded_item_id` in its meta names the line of the order."""

    total: Decimal = Decimal(0)
    quantity: int = 0
    meta_data: list[MetaData] = []


class RefundDetails(msgspec.Struct):
    """One of `/orders/{id}/refunds`."""

    id: int
    amount: Decimal
    line_items: list[RefundLine] = []


class Code(msgspec.Struct):
    code: str


class Address(msgspec.Struct):
    email: str = ""
    phone: str = ""
    address_1: str = ""
    address_2: str = ""
    postcode: str = ""
    country: str = ""


class Order(msgspec.Struct):
    id: int
    status: str
    currency: str
    date_modified_gmt: datetime
    total: Decimal
    line_items: Annotated[list[Line], Meta(max_length=1000)]
    number: str = ""
    customer_id: int = 0
    date_created_gmt: datetime | None = None
    date_paid_gmt: datetime | None = None
    date_completed_gmt: datetime | None = None
    shipping_total: Decimal = Decimal(0)
    shipping_tax: Decimal = Decimal(0)
    fee_lines: list[Charge] = []
    coupon_lines: list[Code] = []
    meta_data: list[MetaData] = []
    billing: Address | None = None
    shipping: Address | None = None
    refunds: list[Refund] = []
    refund_details: list[RefundDetails] = []
    """Added by our own pull: the webhook tells a refund's sum only."""


class Customer(msgspec.Struct):
    id: int
    email: str = ""
    date_modified_gmt: datetime | None = None


class Image(msgspec.Struct):
    src: str = ""


class Named(msgspec.Struct):
    name: str = ""


class Product(msgspec.Struct):
    id: int
    name: str
    permalink: str
    price: str = ""
    status: str = "publish"
    description: str = ""
    global_unique_id: str = ""
    manage_stock: bool = False
    stock_quantity: int | None = None
    stock_status: str = ""
    date_modified_gmt: datetime | None = None
    images: list[Image] = []
    categories: list[Named] = []
    brands: list[Named] = []


class Dropped(msgspec.Struct):
    id: int
