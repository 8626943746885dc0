from datetime import timedelta
from typing import Any

from tests.storefront.providers.sale import (
    PLACE,
    Message,
    Refund,
    Sale,
    as_json,
    base64_hmac,
    iso,
    major,
    new_id,
    placed_at,
)

SECRET = "hush-this-is-the-apps-secret"


def headers(secret: str, message: Message, event_id: str = "", age: timedelta = timedelta()) -> dict[str, str]:
    return {
        "X-Shopify-Hmac-Sha256": base64_hmac(secret, message.body),
        "X-Shopify-Topic": message.topic,
        "X-Shopify-Shop-Domain": "north.myshopify.com",
        "X-Shopify-API-Version": "2026-01",
        "X-Shopify-Webhook-Id": new_id(),
        "X-Shopify-Event-Id": event_id or new_id(),
        "X-Shopify-Triggered-At": "2026-03-14T09:26:53.000Z",
    }


def order(sale: Sale) -> list[Message]:
    return [Message("orders/updated", as_json(told(sale)))]


def told(sale: Sale) -> dict[str, Any]:
    def money(amount: int) -> str:
        return major(amount, sale.currency)

    return {
        "id": int(sale.id),
        "name": f"#{sale.id}",
        "email": sale.email,
        "phone": "+442079460018",
        "currency": sale.currency,
        "created_at": iso(placed_at()),
        "processed_at": iso(placed_at()),
        "updated_at": iso(sale.told_at),
        "cancelled_at": iso(sale.told_at) if sale.cancelled else None,
        "financial_status": "paid" if sale.paid else "pending",
        "fulfillment_status": "fulfilled" if sale.delivered else None,
        "fulfillments": [{"id": 1, "shipment_status": "delivered", "updated_at": iso(sale.told_at)}]
        if sale.delivered
        else [],
        "taxes_included": sale.tax_included,
        "total_price": money(sale.total),
        "total_tax": money(sum(line.tax for line in sale.lines) + sale.shipping_tax),
        "line_items": [
            {
                "id": int(line.id),
                "product_id": int(line.product_id),
                "variant_id": 7,
                "title": line.title,
                "quantity": line.quantity,
                "price": money((line.gross + (line.tax if sale.tax_included else 0)) // line.quantity),
                "total_discount": money(0),
                "discount_allocations": [{"amount": money(line.discount), "discount_application_index": 0}],
                "tax_lines": [{"price": money(line.tax), "rate": 0.2, "title": "VAT"}] if line.tax else [],
            }
            for line in sale.lines
        ],
        "shipping_lines": [{"price": money(sale.shipping), "discount_allocations": [], "tax_lines": []}],
        "discount_codes": [{"code": sale.code, "amount": "9.00", "type": "percentage"}] if sale.code else [],
        "note_attributes": [{"name": "colour", "value": "red"}]
        + ([{"name": "gv", "value": sale.gv}] if sale.gv else []),
        "customer": {"id": int(sale.customer_id), "email": sale.email, "first_name": "Bob"},
        "shipping_address": {
            "first_name": "Bob",
            "address1": PLACE["line1"],
            "address2": PLACE["line2"],
            "zip": PLACE["postcode"],
            "country_code": PLACE["country"],
        },
        "refunds": [refund_told(sale, refund) for refund in sale.refunds],
    }


def refund_told(sale: Sale, refund: Refund) -> dict[str, Any]:
    def money(amount: int) -> str:
        return major(amount, sale.currency)

    shipping = {"kind": "shipping_refund", "amount": "-" + money(refund.beside), "tax_amount": "0.00"}
    return {
        "id": int(refund.id),
        "order_id": int(sale.id),
        "created_at": iso(sale.told_at),
        "refund_line_items": [
            # Numbers here, strings elsewhere: so does Shopify.
            {"line_item_id": int(line_id), "quantity": n, "subtotal": float(money(amount)), "total_tax": 0.0}
            for line_id, (n, amount) in refund.lines.items()
        ],
        "order_adjustments": [shipping] if refund.beside else [],
        "transactions": [{"kind": "refund", "status": "success", "amount": money(refund.amount)}],
    }


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    def about(status: str) -> dict[str, Any]:
        return {
            "id": 31,
            "order_id": int(sale.id),
            "type": "chargeback",
            "status": status,
            "currency": sale.currency,
            "amount": major(sale.total, sale.currency),
            "initiated_at": iso(sale.told_at),
            "finalized_on": iso(sale.told_at) if status == "won" else None,
        }

    taken = Message("disputes/create", as_json(about("needs_response")))
    return [taken, Message("disputes/update", as_json(about("won")))] if won else [taken]


def customer(sale: Sale) -> Message:
    told = {"id": int(sale.customer_id), "email": sale.email, "first_name": "Bob", "updated_at": iso(sale.told_at)}
    return Message("customers/create", as_json(told))


def product(sale: Sale, title: str, price: int) -> Message:
    told = {
        "id": 901,
        "title": title,
        "handle": "trail-pack",
        "body_html": "<p>Carries <b>all</b> of it.</p>",
        "vendor": "Northfold",
        "status": "active",
        "updated_at": iso(sale.told_at),
        "variants": [{"id": 7, "price": major(price, sale.currency), "barcode": None}],
        "image": None,
    }
    return Message("products/update", as_json(told))
