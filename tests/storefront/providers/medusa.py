from typing import Any

from tests.storefront.providers.sale import (
    PLACE,
    Message,
    Sale,
    as_json,
    iso,
    major,
    placed_at,
    standard_headers,
)

SECRET = ""
headers = standard_headers


def order(sale: Sale) -> list[Message]:
    def money(amount: int) -> float:
        return float(major(amount, sale.currency))

    told: dict[str, Any] = {
        "id": sale.id,
        "display_id": 7,
        "currency_code": sale.currency.lower(),
        "created_at": iso(placed_at()),
        "updated_at": iso(sale.told_at),
        "canceled_at": iso(sale.told_at) if sale.cancelled else None,
        "payment_status": "captured" if sale.paid else "awaiting",
        "fulfillment_status": "delivered" if sale.delivered else "not_fulfilled",
        "email": sale.email,
        "customer_id": sale.customer_id,
        "metadata": {"gv": sale.gv} if sale.gv else None,
        "total": money(sale.total),
        "tax_total": money(sum(line.tax for line in sale.lines) + sale.shipping_tax),
        "shipping_subtotal": money(sale.shipping),
        "promotions": [{"id": "p1", "code": sale.code}] if sale.code else [],
        "shipping_address": {
            "first_name": "Bob",
            "phone": "+44 (0)20 7946 0018",
            "address_1": PLACE["line1"],
            "address_2": PLACE["line2"],
            "postal_code": PLACE["postcode"],
            "country_code": PLACE["country"].lower(),
        },
        "items": [
            {
                "id": line.id,
                "product_id": line.product_id,
                "product_title": line.title,
                "title": "Blue / M",
                "quantity": line.quantity,
                # As JavaScript's sums now and then come out.
                "subtotal": money(line.gross) + 1e-9,
                "discount_subtotal": money(line.discount),
                "tax_total": money(line.tax),
            }
            for line in sale.lines
        ],
    }
    kind = "order.canceled" if sale.cancelled else "order.placed"
    back = [{"id": refund.id, "amount": money(refund.amount)} for refund in sale.refunds]
    told["payment_collections"] = [{"id": "pc", "payments": [{"id": "pay", "refunds": back}]}]
    return [_message(kind, told, sale)]


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    told = {"dispute_id": "d1", "order_id": sale.id, "currency": sale.currency, "amount": sale.total}
    taken = _message("order.disputed", told, sale)
    return [taken, _message("dispute.won", told, sale)] if won else [taken]


def customer(sale: Sale) -> Message:
    told = {"id": sale.customer_id, "email": sale.email, "updated_at": iso(sale.told_at)}
    return _message("customer.created", told, sale)


def product(sale: Sale, title: str, price: int) -> Message:
    told = {
        "id": "901",
        "title": title,
        "handle": "trail-pack",
        "status": "published",
        "updated_at": iso(sale.told_at),
        "variants": [{"prices": [{"amount": float(major(price, sale.currency)), "currency_code": "usd"}]}],
    }
    return _message("product.updated", told, sale)


def _message(type_: str, data: Any, sale: Sale) -> Message:
    return Message(type_, as_json({"type": type_, "timestamp": iso(sale.told_at), "data": data}))
