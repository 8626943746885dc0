from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money


class NewUse(msgspec.Struct, forbid_unknown_fields=True):
    """`id` is yours and is kept for ever; `customer` and `order` are what your shop calls them."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    customer: Annotated[str, Meta(min_length=1, max_length=200)]
    amount: Money
    order: Annotated[str, Meta(max_length=200)] = ""


class UseView(msgspec.Struct):
    """`left` is what the customer may still spend in that currency."""

    id: str
    customer: str
    amount: Money
    order: str
    left: Money
    used_at: datetime
    undone_at: datetime | None


class CustomerCredit(msgspec.Struct):
    customer: str
    available: list[Money]


class StoreCredit(msgspec.Struct):
    store: str
    store_name: str
    available: Money


class CreditMove(msgspec.Struct):
    """Granted, taken back with a refund, spent, or given back by the shop."""

    kind: str
    store: str
    order: str
    amount: Money
    at: datetime


class MyCredit(msgspec.Struct):
    stores: list[StoreCredit]
    moves: list[CreditMove]
