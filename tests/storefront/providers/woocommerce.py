from datetime import UTC, datetime, timedelta
from typing import Any

from tests.storefront.providers import generic
from tests.storefront.providers.sale import PLACE, Message, Sale, as_json, base64_hmac, major, new_id, placed_at

SECRET = "what the shop and we agreed on".replace(" ", "-")


def headers(secret: str, message: Message, event_id: str = "", age: timedelta = timedelta()) -> dict[str, str]:
    resource, _, event = message.topic.partition(".")
    return {
        "X-WC-Webhook-Source": "https://north.example/",
        "X-WC-Webhook-Topic": message.topic,
        "X-WC-Webhook-Resource": resource,
        "X-WC-Webhook-Event": event,
        "X-WC-Webhook-Signature": base64_hmac(secret, message.body),
        "X-WC-Webhook-ID": "5",
        "X-WC-Webhook-Delivery-ID": event_id or new_id(),
    }


def order(sale: Sale) -> list[Message]:
    return [Message("order.updated", as_json(told(sale)))]


def told(sale: Sale) -> dict[str, Any]:
    def money(amount: int) -> str:
        return major(amount, sale.currency)

    status = "cancelled" if sale.cancelled else "completed" if sale.delivered else "processing"
    refunded = sum(refund.amount for refund in sale.refunds)
    place = {
        "first_name": "Bob",
        "address_1": PLACE["line1"],
        "address_2": PLACE["line2"],
        "postcode": PLACE["postcode"],
        "country": PLACE["country"],
    }
    return {
        "id": int(sale.id),
        "number": sale.id,
        "status": "refunded" if refunded == sale.total else status if sale.paid else "pending",
        "currency": sale.currency,
        "prices_include_tax": sale.tax_included,
        "date_created_gmt": _gmt(placed_at()),
        "date_modified_gmt": _gmt(sale.told_at),
        "date_paid_gmt": _gmt(placed_at()) if sale.paid else None,
        "date_completed_gmt": _gmt(sale.told_at) if sale.delivered else None,
        "customer_id": int(sale.customer_id),
        "billing": {**place, "email": sale.email, "phone": "(020) 7946-0018"},
        "shipping": place,
        "shipping_total": money(sale.shipping),
        "shipping_tax": money(sale.shipping_tax),
        "total": money(sale.total),
        "meta_data": [{"id": 1, "key": "gv", "value": sale.gv}] if sale.gv else [],
        "line_items": [
            {
                "id": int(line.id),
                "name": line.title,
                "product_id": int(line.product_id),
                "quantity": line.quantity,
                "subtotal": money(line.gross),
                "total": money(line.gross - line.discount),
                "total_tax": money(line.tax),
                "price": 120.000001,
            }
            for line in sale.lines
        ],
        "coupon_lines": [{"id": 3, "code": sale.code, "discount": "9.00"}] if sale.code else [],
        "fee_lines": [],
        "refunds": [{"id": int(r.id), "reason": "", "total": "-" + money(r.amount)} for r in sale.refunds],
    }


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    """WooCommerce has no word for it, so its shop tells it in the generic shape, under a topic of that name."""
    told = generic.dispute(sale, won=won)
    return [Message(message.topic, message.body) for message in told]


def customer(sale: Sale) -> Message:
    told = {"id": int(sale.customer_id), "email": sale.email, "date_modified_gmt": _gmt(sale.told_at)}
    return Message("customer.updated", as_json(told))


def product(sale: Sale, title: str, price: int) -> Message:
    told = {
        "id": 901,
        "name": title,
        "permalink": "https://north.example/products/trail-pack",
        "price": major(price, sale.currency),
        "status": "publish",
        "description": "<p>Carries <b>all</b> of it.</p>",
        "date_modified_gmt": _gmt(sale.told_at),
        "images": [],
        "categories": [{"id": 1, "name": "Packs &amp; bags"}],
    }
    return Message("product.updated", as_json(told))


def _gmt(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
