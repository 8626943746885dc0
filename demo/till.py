"""The demo shop's till: it remembers its own orders, as any shop does, and tells Grapevine in signed webhooks."""

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from standardwebhooks.webhooks import Webhook

from app import clock, ids
from app.errors import Invalid, NotFound
from app.http import CannotFetch, fetch
from app.i18n import gettext as _
from app.money import Money
from app.settings import settings
from storefront.stores.queries import store_by_slug

STORE = "demo"
SHIPPING = 500
OWN_CODE = "NORTH10"
OWN_CODE_BPS = 1000
_ORDER_ID = re.compile(r"NF-[2-9a-z]{8}")


class Line(msgspec.Struct):
    id: str
    product_id: str
    title: str
    quantity: int
    gross: int
    discount: int = 0
    refunded: int = 0

    @property
    def left(self) -> int:
        """What was paid for it and not given back."""
        return self.gross - self.discount - self.refunded


class Sent(msgspec.Struct):
    """A message as it left: its id and body stay the same when it is sent again."""

    id: str
    type: str
    body: str
    answers: list[str] = []


class Order(msgspec.Struct):
    id: str
    currency: str
    email: str
    name: str
    gv: str | None
    codes: list[str]
    lines: list[Line]
    placed_at: datetime
    shipping: int = SHIPPING
    delivered_at: datetime | None = None
    cancelled_at: datetime | None = None
    refunds: int = 0
    sent: list[Sent] = []

    @property
    def total(self) -> Money:
        return Money(sum(line.gross - line.discount for line in self.lines) + self.shipping, self.currency)

    @property
    def refunded(self) -> Money:
        return Money(sum(line.refunded for line in self.lines), self.currency)


def new_order(
    products: list[tuple[Any, int]], *, currency: str, email: str, name: str, gv: str | None, code: str
) -> Order:
    """An order of these (product, quantity), not yet paid. The shop's own code takes ten percent off."""
    code = code.strip().upper()[:40]
    lines = [
        Line(str(n), product["external_id"], product["title"], quantity, product["price"] * quantity)
        for n, (product, quantity) in enumerate(products, start=1)
    ]
    if code == OWN_CODE:
        for line in lines:
            line.discount = line.gross * OWN_CODE_BPS // 10_000
    return Order(
        id=f"NF-{ids.new_code(8)}",
        currency=currency,
        email=email,
        name=name,
        gv=gv,
        codes=[code] if code else [],
        lines=lines,
        placed_at=clock.now(),
    )


async def pay(order: Order, server: str) -> None:
    await _tell(order, "order.paid", {**_as_told(order), "paid_at": clock.now()}, server)


async def deliver(order: Order, server: str) -> None:
    order.delivered_at = order.delivered_at or clock.now()
    await _tell(order, "order.delivered", _as_told(order), server)


async def cancel(order: Order, server: str) -> None:
    order.cancelled_at = order.cancelled_at or clock.now()
    await _tell(order, "order.cancelled", _as_told(order), server)


async def refund(order: Order, line_id: str, amount: int, server: str) -> None:
    """Give back some or all of what was paid for a line."""
    line = next((line for line in order.lines if line.id == line_id), None)
    if line is None:
        raise NotFound()
    if not 0 < amount <= line.left:
        raise Invalid("amount", _("More than nothing, and at most what was paid for it."))
    line.refunded += amount
    order.refunds += 1
    quantity = line.quantity if line.left == 0 else 0
    told = {
        "refund_id": f"{order.id}-R{order.refunds}",
        "order_id": order.id,
        "currency": order.currency,
        "refunded_at": clock.now(),
        "lines": [{"id": line.id, "quantity": quantity, "amount": amount}],
    }
    await _tell(order, "order.refunded", told, server)


async def send_again(order: Order, number: int, server: str) -> None:
    """The same message once more, as a shop does that missed the answer. It must change nothing."""
    if not 0 <= number < len(order.sent):
        raise NotFound()
    await _deliver_message(order.sent[number], server)
    keep(order)


def find(order_id: str) -> Order:
    path = _path(order_id)
    if not path.is_file():
        raise NotFound()
    return msgspec.json.decode(path.read_bytes(), type=Order)


def keep(order: Order) -> None:
    path = _path(order.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{ids.new_code(6)}")
    beside.write_bytes(msgspec.json.encode(order))
    beside.replace(path)


async def _tell(order: Order, type_: str, data: dict[str, Any], server: str) -> None:
    body = msgspec.json.encode({"type": type_, "timestamp": clock.now(), "data": data}).decode()
    order.sent.append(Sent(f"evt_{ids.new_code(16)}", type_, body))
    keep(order)
    await _deliver_message(order.sent[-1], server)
    keep(order)


async def _deliver_message(message: Sent, server: str) -> None:
    store = await store_by_slug(STORE)
    at = clock.now()
    headers = {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(store["secret"]).sign(message.id, at, message.body),
        "content-type": "application/json",
    }
    try:
        # This very server, over a real connection: the one place that may call an address of our own.
        answer = await fetch(
            "POST", f"{server}/webhooks/{STORE}", content=message.body.encode(), headers=headers, allow_local=True
        )
        message.answers.append(str(answer.status))
    except CannotFetch as failed:
        message.answers.append(failed.why)


def _as_told(order: Order) -> dict[str, Any]:
    customer_id = ids.digest(order.email.lower()).hex()[:16]
    return {
        "id": order.id,
        "number": order.id,
        "currency": order.currency,
        "placed_at": order.placed_at,
        "customer": {"id": customer_id, "email": order.email, "name": order.name},
        "gv": order.gv,
        "codes": order.codes,
        "lines": [
            {
                "id": line.id,
                "product_id": line.product_id,
                "title": line.title,
                "quantity": line.quantity,
                "gross": line.gross,
                "discount": line.discount,
                "tax": 0,
            }
            for line in order.lines
        ],
        "shipping": order.shipping,
        "total": order.total.amount,
        "updated_at": clock.now(),
    }


def _path(order_id: str) -> Path:
    if not _ORDER_ID.fullmatch(order_id):
        raise NotFound()
    return settings().data_dir / "demo-shop" / f"{order_id}.json"
