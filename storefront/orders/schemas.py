"""What a shop can tell us, in our own words, whichever provider it uses."""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec


class CustomerTold(msgspec.Struct, frozen=True):
    external_id: str
    email: str = ""


class LineTold(msgspec.Struct, frozen=True):
    external_id: str
    external_product_id: str
    title: str
    quantity: int
    gross: int
    discount: int
    tax: int


class OrderTold(msgspec.Struct, frozen=True):
    """An order as of `updated_at`. Without `lines` it only says that something happened to it."""

    happening: Literal["paid", "delivered", "cancelled"]
    happened_at: datetime
    external_id: str
    updated_at: datetime
    currency: str = ""
    lines: list[LineTold] | None = None
    customer: CustomerTold | None = None
    number: str = ""
    placed_at: datetime | None = None
    paid_at: datetime | None = None
    gv: UUID | None = None
    codes: list[str] = []
    shipping: int = 0


class RefundLineTold(msgspec.Struct, frozen=True):
    external_line_id: str
    quantity: int
    amount: int


class RefundTold(msgspec.Struct, frozen=True):
    external_id: str
    order_external_id: str
    currency: str
    refunded_at: datetime
    lines: list[RefundLineTold]
