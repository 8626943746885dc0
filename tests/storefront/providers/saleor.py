import hashlib
import hmac
from datetime import timedelta
from typing import Any

from tests.storefront.providers.sale import PLACE, Message, Refund, Sale, as_json, iso, major, placed_at

SECRET = "a-word-of-this-webhook-alone"


def headers(secret: str, message: Message, event_id: str = "", age: timedelta = timedelta()) -> dict[str, str]:
    return named(message) | {
        "Saleor-Signature": hmac.new(secret.encode(), message.body, hashlib.sha256).hexdigest(),
    }


def named(message: Message) -> dict[str, str]:
    """What Saleor says of itself and of the event, none of it signed."""
    return {
        "Saleor-Event": "order_updated",
        "Saleor-Domain": "north.saleor.example",
        "Saleor-Api-Url": "https://north.saleor.example/graphql/",
    }


def order(sale: Sale) -> list[Message]:
    kind = "OrderCancelled" if sale.cancelled else "OrderFulfilled" if sale.delivered else "OrderUpdated"
    return [_event(kind, sale, order=told(sale))]


def told(sale: Sale) -> dict[str, Any]:
    def money(amount: int) -> dict[str, float]:
        return {"amount": float(major(amount, sale.currency))}

    def taxed(net: int, tax: int) -> dict[str, Any]:
        return {"net": money(net), "gross": money(net + tax)}

    refunded = sum(refund.amount for refund in sale.refunds)
    return {
        "id": sale.id,
        "number": sale.id,
        "status": "CANCELED" if sale.cancelled else "FULFILLED" if sale.delivered else "UNFULFILLED",
        "created": iso(placed_at()),
        "updatedAt": iso(sale.told_at),
        "isPaid": sale.paid and not refunded,
        "channel": {"slug": "default-channel"},
        "gv": sale.gv,
        "voucherCode": sale.code,
        "userEmail": sale.email,
        "user": {"id": sale.customer_id},
        "shippingAddress": {
            "streetAddress1": PLACE["line1"],
            "streetAddress2": PLACE["line2"],
            "postalCode": PLACE["postcode"],
            "phone": "+442079460018",
            "country": {"code": PLACE["country"]},
        },
        "total": {"currency": sale.currency, "gross": money(sale.total)},
        "shippingPrice": taxed(sale.shipping, sale.shipping_tax),
        "giftCards": [],
        "lines": [
            {
                "id": line.id,
                "productName": line.title,
                "quantity": line.quantity,
                "variant": {"product": {"id": line.product_id}},
                "undiscountedTotalPrice": {"net": money(line.gross)},
                "totalPrice": taxed(line.gross - line.discount, line.tax),
            }
            for line in sale.lines
        ],
        "fulfillments": [{"status": "FULFILLED", "created": iso(sale.told_at)}] if sale.delivered else [],
        "transactions": [
            {
                "events": [
                    *([movement("CHARGE_SUCCESS", "charge-1", sale, sale.total)] if sale.paid else []),
                    *(_back(refund, sale) for refund in sale.refunds),
                ]
            }
        ],
        "payments": [],
        "grantedRefunds": [],
    }


def _back(refund: Refund, sale: Sale) -> dict[str, Any]:
    return movement("REFUND_SUCCESS", refund.id, sale, refund.amount, minutes=1)


def movement(kind: str, id_: str, sale: Sale, amount: int, *, minutes: int = 0) -> dict[str, Any]:
    return {
        "id": id_,
        "type": kind,
        "createdAt": iso(placed_at() + timedelta(minutes=minutes)),
        "pspReference": f"psp-{id_}",
        "amount": {"amount": float(major(amount, sale.currency))},
    }


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    """The bank takes it out of the payment; when it was won, the same money is charged once more."""

    def after(*movements: dict[str, Any]) -> Message:
        order_told = told(sale)
        order_told["transactions"][0]["events"] += movements
        return _event("OrderUpdated", sale, order=order_told)

    back = movement("CHARGE_BACK", "back-1", sale, sale.total, minutes=2)
    again = movement("CHARGE_SUCCESS", "charge-2", sale, sale.total, minutes=3)
    return [after(back), after(back, again)] if won else [after(back)]


def customer(sale: Sale) -> Message:
    user = {"id": sale.customer_id, "email": sale.email, "updatedAt": iso(sale.told_at)}
    return _event("CustomerUpdated", sale, user=user)


def product(sale: Sale, title: str, price: int) -> Message:
    cost = {"amount": float(major(price, sale.currency)), "currency": sale.currency}
    described = {
        "id": "901",
        "name": title,
        "slug": "trail-pack",
        "description": '{"blocks": [{"type": "paragraph", "data": {"text": "Carries <b>all</b> of it."}}]}',
        "url": None,
        "category": {"name": "Packs"},
        "thumbnail": None,
        "channelListings": [{"channel": {"slug": "default-channel"}, "isPublished": True, "discountedPrice": cost}],
        "variants": [{"trackInventory": True, "stocks": [{"quantity": 9, "quantityAllocated": 2}]}],
    }
    return _event("ProductUpdated", sale, product=described)


def _event(kind: str, sale: Sale, **about: Any) -> Message:
    return Message(kind, as_json({"__typename": kind, "issuedAt": iso(sale.told_at), **about}))
