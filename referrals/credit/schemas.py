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


class CreditLotView(msgspec.Struct):
    """What is left of one grant, from when it counts and when it ends. The oldest is spent first."""

    left: Money
    active_at: datetime
    expires_at: datetime | None


class CustomerCredit(msgspec.Struct):
    """`available` may be spent now; `lots` are all that are not spent or over, also those that do not count yet."""

    customer: str
    available: list[Money]
    lots: list[CreditLotView]


class StoreCredit(msgspec.Struct):
    """`next_expiry` is when the first of it ends, if ever."""

    store: str
    store_name: str
    available: Money
    next_expiry: datetime | None


class CreditMove(msgspec.Struct):
    """Granted, taken back with a refund, spent, given back by the shop, ended unspent, or corrected after its end."""

    kind: str
    store: str
    order: str
    amount: Money
    at: datetime


class MyCredit(msgspec.Struct):
    stores: list[StoreCredit]
    moves: list[CreditMove]
