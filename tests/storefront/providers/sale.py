import base64
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from standardwebhooks.webhooks import Webhook

from app import clock
from app.money import EXPONENTS

_numbers = itertools.count(1)
_BEGAN = clock.now().replace(second=0, microsecond=0)
PLACE = {"line1": "1 Mill Lane", "line2": "Flat 2", "postcode": "AB1 2CD", "country": "GB"}


class SaleLine(msgspec.Struct):
    """`gross` and `discount` without tax; a provider that tells prices with tax adds it."""

    id: str = "11"
    product_id: str = "901"
    title: str = "Trail pack"
    quantity: int = 1
    gross: int = 12_900
    discount: int = 900
    tax: int = 0


class Refund(msgspec.Struct):
    """`lines`: quantity and amount by line; `beside` is shipping and tax that went back with them."""

    id: str
    lines: dict[str, tuple[int, int]]
    beside: int = 0

    @property
    def amount(self) -> int:
        return sum(amount for _, amount in self.lines.values()) + self.beside


def _a_line() -> list[SaleLine]:
    return [SaleLine()]


class Sale(msgspec.Struct):
    id: str = "5001"
    currency: str = "USD"
    lines: list[SaleLine] = msgspec.field(default_factory=_a_line)
    shipping: int = 500
    shipping_tax: int = 0
    gv: str | None = "0123456789abcdef0123456789abcdef"
    code: str | None = "MARA10"
    email: str = "bob@example.org"
    customer_id: str = "71"
    paid: bool = True
    delivered: bool = False
    cancelled: bool = False
    refunds: list[Refund] = []
    tax_included: bool = False
    minutes: int = 0
    """When it was told, after the sale."""

    @property
    def total(self) -> int:
        goods = sum(line.gross - line.discount + line.tax for line in self.lines)
        return goods + self.shipping + self.shipping_tax

    @property
    def told_at(self) -> datetime:
        return placed_at() + timedelta(minutes=self.minutes)


def placed_at() -> datetime:
    """Three hours before these tests began, as far as the clock has travelled: a sale told twice was placed once,
    though a minute went by."""
    return _BEGAN + clock._offset - timedelta(hours=3)


class Message(msgspec.Struct):
    topic: str
    body: bytes


def major(amount: int, currency: str) -> str:
    return str(Decimal(amount).scaleb(-EXPONENTS[currency]))


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_json(data: Any) -> bytes:
    return json.dumps(data).encode()


def new_id() -> str:
    return f"{next(_numbers):08d}-told"


def standard_headers(secret: str, message: Message, event_id: str = "", age: timedelta = timedelta()) -> dict[str, str]:
    event_id, at = event_id or new_id(), datetime.now(UTC) - age
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(event_id, at, message.body.decode(errors="replace")),
    }


def base64_hmac(secret: str, body: bytes) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
