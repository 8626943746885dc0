from typing import Any

from tests.storefront.providers.sale import PLACE, Message, Refund, Sale, as_json, iso, placed_at, standard_headers

SECRET = ""
headers = standard_headers


def order(sale: Sale) -> list[Message]:
    kind = "delivered" if sale.delivered else "cancelled" if sale.cancelled else "paid" if sale.paid else "updated"
    data = {
        "id": sale.id,
        "number": f"#{sale.id}",
        "currency": sale.currency,
        "placed_at": iso(placed_at()),
        "paid_at": iso(placed_at()) if sale.paid else None,
        "customer": {"id": sale.customer_id, "email": sale.email, "name": "Bob", "phone": "020 7946 0018"},
        "gv": sale.gv,
        "codes": [sale.code] if sale.code else [],
        "lines": [
            {
                "id": line.id,
                "product_id": line.product_id,
                "title": line.title,
                "quantity": line.quantity,
                "gross": line.gross + (line.tax if sale.tax_included else 0),
                "discount": line.discount,
                "tax": line.tax,
            }
            for line in sale.lines
        ],
        "shipping": sale.shipping,
        "fees": sale.shipping_tax,
        "total": sale.total,
        "tax_included": sale.tax_included,
        "shipping_address": PLACE,
        "updated_at": iso(sale.told_at),
    }
    return [_message(f"order.{kind}", data, sale), *(_refund(sale, refund) for refund in sale.refunds)]


def _refund(sale: Sale, refund: Refund) -> Message:
    lines = [{"id": line_id, "quantity": n, "amount": amount} for line_id, (n, amount) in refund.lines.items()]
    told = {"refund_id": refund.id, "order_id": sale.id, "currency": sale.currency, "lines": lines}
    return _message("order.refunded", told, sale)


def dispute(sale: Sale, *, won: bool) -> list[Message]:
    told = {"dispute_id": "d1", "order_id": sale.id, "currency": sale.currency, "amount": sale.total}
    taken = _message("order.disputed", told, sale)
    return [taken, _message("dispute.won", told, sale)] if won else [taken]


def customer(sale: Sale) -> Message:
    return _message("customer.created", {"id": sale.customer_id, "email": sale.email}, sale)


def product(sale: Sale, title: str, price: int) -> Message:
    told: dict[str, Any] = {
        "id": "901",
        "title": title,
        "url": "https://north.example/products/trail-pack",
        "price": {"amount": price, "currency": sale.currency},
    }
    return _message("product.upserted", told, sale)


def _message(type_: str, data: Any, sale: Sale) -> Message:
    return Message(type_, as_json({"type": type_, "timestamp": iso(sale.told_at), "data": data}))
