"""What a shop can tell us, in our own words, whichever provider it uses. Amounts are minor units, tax never in them."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

Kind = Literal["refund", "cancel", "exchange", "chargeback", "dispute_won"]


class CustomerTold(msgspec.Struct, frozen=True):
    external_id: str
    email: str = ""
    told_at: datetime | None = None


class LineTold(msgspec.Struct, frozen=True):
    """`gross` is before the discount and without tax, so that `gross - discount` is what earns."""

    external_id: str
    external_product_id: str
    title: str
    quantity: int
    gross: int
    discount: int
    tax: int


class OrderTold(msgspec.Struct, frozen=True):
    """An order as of `updated_at`. Without `lines` it only says that something happened to it."""

    happening: Literal["told", "paid", "delivered", "cancelled"]
    happened_at: datetime
    external_id: str
    updated_at: datetime
    currency: str = ""
    lines: list[LineTold] | None = None
    customer: CustomerTold | None = None
    number: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    gv: UUID | None = None
    codes: list[str] = []
    shipping: int = 0
    fees: int = 0
    """Whatever else was charged and never earns: tax on shipping, tips, duties."""
    total: int | None = None
    """What the buyer was asked to pay in all, where the provider says so: the parts must add up to it."""
    slack: int = 0
    """How far they may miss it, for providers that round each part for itself."""
    is_rough: bool = False
    """`lines` are one sum: a telling of the same moment that names them is the better one."""
    address: str = ""
    """A keyed hash, as of the paying card or account (`instrument`); see fingerprints."""
    instrument: str = ""
    phone: str = ""
    """The same of the number given at the checkout. Nobody has proven it, so it never says who the buyer is."""


class RefundLineTold(msgspec.Struct, frozen=True):
    external_line_id: str
    quantity: int
    amount: int


class RefundTold(msgspec.Struct, frozen=True):
    """Money that went back, of these lines; `unplaced` is what the provider gave back without saying of which."""

    external_id: str
    order_external_id: str
    currency: str
    refunded_at: datetime
    lines: list[RefundLineTold]
    kind: Kind = "refund"
    unplaced: int = 0
    is_sum: bool = False
    """`unplaced` is all that has gone back so far, rather than one more refund."""
    is_void: bool = False
    """It failed afterwards: nothing went back."""
    is_inferred: bool = False
    """Its lines and parts were worked out from the order as it is now: told again they may differ, the first count."""
