import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

from app import clock
from tests.storefront.providers.sale import PLACE, Message, Sale, as_json, new_id, placed_at

SECRET = "whsec_5WbX5kEWLlfzsGNjH64I8lOOqUB6e8FH"


def headers(secret: str, message: Message, event_id: str = "", age: timedelta = timedelta()) -> dict[str, str]:
    at = int((clock.now() - age).timestamp())
    if event_id:
        event = json.loads(message.body)
        event["id"] = event_id
        message.body = as_json(event)
    digest = hmac.new(secret.encode(), f"{at}.".encode() + message.body, hashlib.sha256).hexdigest()
    return {"Stripe-Signature": f"t={at},v1={digest},v0=6ffbb59b"}


def order(sale: Sale) -> list[Message]:
    session = {
        "id": "cs_test_1",
        "object": "checkout.session",
        "created": int(placed_at().timestamp()),
        "currency": sale.currency.lower(),
        "amount_subtotal": sum(line.gross + (line.tax if sale.tax_included else 0) for line in sale.lines),
        "amount_total": sale.total,
        "payment_status": "paid" if sale.paid else "unpaid",
        "status": "complete",
        "payment_intent": sale.id,
        "client_reference_id": "cart-9",
        "metadata": {"gv": sale.gv, "code": sale.code} if sale.gv else {"code": sale.code},
        "customer": sale.customer_id,
        "customer_details": {
            "email": sale.email,
            "name": "Bob",
            "phone": "0044 2079460018",
            "address": {"line1": "elsewhere"},
        },
        "total_details": {
            "amount_discount": sum(line.discount for line in sale.lines),
            "amount_shipping": sale.shipping,
            "amount_tax": sum(line.tax for line in sale.lines) + sale.shipping_tax,
        },
        "line_items": {
            "object": "list",
            "has_more": False,
            "data": [
                {
                    "id": line.id,
                    "description": line.title,
                    "quantity": line.quantity,
                    "amount_subtotal": line.gross + (line.tax if sale.tax_included else 0),
                    "amount_discount": line.discount,
                    "amount_tax": line.tax,
                    "amount_total": line.gross - line.discount + line.tax,
                    "price": {"id": "price_1", "product": line.product_id},
                }
                for line in sale.lines
            ],
        },
        "collected_information": {
            "shipping_details": {
                "name": "Bob",
                "address": {
                    "line1": PLACE["line1"],
                    "line2": PLACE["line2"],
                    "postal_code": PLACE["postcode"],
                    "country": PLACE["country"],
                },
            }
        },
    }
    messages = [event("checkout.session.completed", session, sale)]
    for refund in sale.refunds:
        told = {"id": refund.id, "object": "refund", "amount": refund.amount, "status": "succeeded", **_money(sale)}
        messages.append(event("refund.created", told, sale))
    if sale.refunds:
        # Stripe says the same once more, as a sum; nobody may count it twice.
        refunded = sum(refund.amount for refund in sale.refunds)
        told = {"id": "ch_1", "object": "charge", "amount_refunded": refunded, **_money(sale)}
        messages.append(event("charge.refunded", told, sale))
    return messages


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    told = {"id": "dp_1", "object": "dispute", "amount": sale.total, "status": "needs_response", **_money(sale)}
    taken = event("charge.dispute.created", told, sale)
    return [taken, event("charge.dispute.closed", {**told, "status": "won"}, sale)] if won else [taken]


def customer(sale: Sale) -> Message:
    return event("customer.created", {"id": sale.customer_id, "object": "customer", "email": sale.email}, sale)


product = None
"""Its products have neither an address nor a price of their own."""


def event(type_: str, thing: dict[str, Any], sale: Sale) -> Message:
    told = {
        "id": f"evt_{new_id()}",
        "object": "event",
        "type": type_,
        "created": int(sale.told_at.timestamp()),
        "livemode": False,
        "data": {"object": thing},
    }
    return Message(type_, as_json(told))


def _money(sale: Sale) -> dict[str, Any]:
    return {
        "currency": sale.currency.lower(),
        "created": int(sale.told_at.timestamp()),
        "payment_intent": sale.id,
        "charge": "ch_1",
    }
