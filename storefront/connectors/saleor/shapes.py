"""What our query (query.py) asks of Saleor's objects. Amounts are decimal numbers of the main unit."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.money import LARGEST_AMOUNT

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]
Quantity = Annotated[int, Meta(ge=0, le=1_000_000)]


class Error(msgspec.Struct):
    message: str = ""


class Event(msgspec.Struct, rename="camel"):
    """`errors`: fields that Saleor left out, because the app may not read them."""

    kind: Annotated[str, Meta(max_length=100)] = msgspec.field(name="__typename")
    issued_at: Moment | None = None
    order: msgspec.Raw = msgspec.Raw(b"null")
    user: msgspec.Raw = msgspec.Raw(b"null")
    product: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[Error] | None = None


class Named(msgspec.Struct):
    id: Id


class Amount(msgspec.Struct):
    amount: Decimal

    def __post_init__(self) -> None:
        # Sums of it are compared, which NaN and 1e999999 do not bear.
        if not self.amount.is_finite() or abs(self.amount) > LARGEST_AMOUNT:
            raise ValueError("not an amount")


class Price(msgspec.Struct):
    net: Amount
    gross: Amount


class Total(msgspec.Struct):
    currency: str
    gross: Amount


class Before(msgspec.Struct):
    net: Amount


class Channel(msgspec.Struct):
    slug: str


class Variant(msgspec.Struct):
    product: Named | None = None


class Line(msgspec.Struct, rename="camel"):
    """`total_price` is after all discounts, the order's own among them, `undiscounted_total_price` before."""

    id: Id
    quantity: Quantity
    total_price: Price
    undiscounted_total_price: Before
    product_name: str = ""
    variant: Variant | None = None


class Country(msgspec.Struct):
    code: str = ""


class Address(msgspec.Struct, rename="camel"):
    street_address1: str = ""
    street_address2: str = ""
    postal_code: str = ""
    phone: str | None = None
    country: Country = msgspec.field(default_factory=Country)


class Fulfillment(msgspec.Struct):
    status: str
    created: Moment


class TransactionEvent(msgspec.Struct, rename="camel"):
    id: Id
    created_at: Moment
    amount: Amount
    type: str | None = None
    psp_reference: str = ""


class Transaction(msgspec.Struct):
    events: Annotated[list[TransactionEvent], Meta(max_length=1000)]


class PaymentStep(msgspec.Struct, rename="camel"):
    id: Id
    kind: str
    is_success: bool
    created: Moment
    amount: Amount | None = None


class Payment(msgspec.Struct):
    """The older way of paying; an order has either these or transactions."""

    transactions: list[PaymentStep] | None = None


class GrantedLine(msgspec.Struct, rename="camel"):
    quantity: Quantity
    order_line: Named


class Granted(msgspec.Struct, rename="camel"):
    """What somebody decided to give back, and, in its events, the money that did go back for it."""

    shipping_costs_included: bool = False
    lines: list[GrantedLine] | None = None
    transaction_events: list[Named] | None = None


class Order(msgspec.Struct, rename="camel"):
    id: Id
    status: str
    updated_at: Moment
    total: Total
    shipping_price: Price
    lines: Annotated[list[Line], Meta(max_length=1000)]
    transactions: list[Transaction]
    payments: list[Payment]
    gift_cards: list[Named]
    fulfillments: list[Fulfillment]
    granted_refunds: list[Granted]
    channel: Channel | None = None
    number: str = ""
    created: Moment | None = None
    is_paid: bool = False
    voucher_code: str | None = None
    user_email: str | None = None
    gv: str | None = None
    user: Named | None = None
    shipping_address: Address | None = None


class User(msgspec.Struct, rename="camel"):
    id: Id
    email: str = ""
    updated_at: Moment | None = None


class Cost(Amount):
    currency: str


class Listing(msgspec.Struct, rename="camel"):
    """How one channel sells it."""

    channel: Channel | None = None
    is_published: bool = False
    discounted_price: Cost | None = None


class Stock(msgspec.Struct, rename="camel"):
    quantity: int = 0
    quantity_allocated: int | None = None


class Kind(msgspec.Struct, rename="camel"):
    """A variant, as far as its stock goes."""

    track_inventory: bool = False
    stocks: list[Stock] | None = None


class Category(msgspec.Struct):
    name: str = ""


class Image(msgspec.Struct):
    url: str = ""


class Product(msgspec.Struct, rename="camel"):
    id: Id
    name: str
    slug: str
    description: str | None = None
    url: str | None = None
    category: Category | None = None
    thumbnail: Image | None = None
    channel_listings: list[Listing] | None = None
    variants: list[Kind] | None = None


class Text(msgspec.Struct):
    """A piece of Editor.js, in which Saleor keeps descriptions."""

    data: dict[str, Any] = {}


class Description(msgspec.Struct):
    blocks: list[Text] = []
