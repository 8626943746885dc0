"""What went back of an order, by the movements of its payments: money that moved counts, a grant alone does not."""

from decimal import Decimal

import msgspec

from storefront.connectors.amounts import minor
from storefront.connectors.reading import tidy
from storefront.connectors.saleor import shapes
from storefront.connectors.saleor.movements import Back, backs_of
from storefront.connectors.schemas import Doubt
from storefront.orders.schemas import RefundLineTold, RefundTold


def refunds_of(order: shapes.Order, currency: str) -> list[RefundTold | Doubt]:
    """Each under a name of its own, with the lines it was granted for where these make up its amount."""
    backs, doubts = backs_of(order)
    told: list[RefundTold | Doubt] = []
    for back in backs:
        refund = _told(order, currency, back)
        told.append(refund)
        if back.won_at:
            name = f"{refund.external_id}:won"
            told.append(msgspec.structs.replace(refund, external_id=name, kind="dispute_won", refunded_at=back.won_at))
    return told + [Doubt(doubt) for doubt in doubts]


def _told(order: shapes.Order, currency: str, back: Back) -> RefundTold:
    amount = minor(back.amount, currency, rounded=True)
    lines = [] if back.is_void else _granted_lines(order, currency, back.event_id, amount)
    return RefundTold(
        external_id=tidy(back.name),
        order_external_id=tidy(order.id),
        currency=currency,
        refunded_at=back.at,
        lines=lines,
        kind=back.kind,
        unplaced=0 if lines else minor(back.amount * _beside_gift_cards(order), currency, rounded=True),
        is_void=back.is_void,
        is_inferred=True,
    )


def _beside_gift_cards(order: shapes.Order) -> Decimal:
    """For one that went back, so many of the order: what a gift card paid is in its lines and not in its total, and
    goes back in the same part as the rest."""
    price = order.total.gross.amount
    parts = order.shipping_price.gross.amount + sum(line.total_price.gross.amount for line in order.lines)
    return parts / price if order.gift_cards and 0 < price < parts else Decimal(1)


def _granted_lines(order: shapes.Order, currency: str, event_id: str, amount: int) -> list[RefundLineTold]:
    """The lines that somebody granted this money for, when so many pieces cost as much; else nobody said which."""
    granted = next(
        (one for one in order.granted_refunds if any(event.id == event_id for event in one.transaction_events or [])),
        None,
    )
    if granted is None or not granted.lines:
        return []
    lines = {line.id: line for line in order.lines}
    net: dict[str, RefundLineTold] = {}
    gross = minor(order.shipping_price.gross.amount, currency, rounded=True) if granted.shipping_costs_included else 0
    for one in granted.lines:
        line = lines.get(one.order_line.id)
        if line is None or not 0 < one.quantity <= line.quantity:
            return []
        part = Decimal(one.quantity) / line.quantity
        gross += minor(line.total_price.gross.amount * part, currency, rounded=True)
        before = net.get(line.id, RefundLineTold(line.id, 0, 0))
        piece = minor(line.total_price.net.amount * part, currency, rounded=True)
        net[line.id] = RefundLineTold(tidy(line.id), before.quantity + one.quantity, before.amount + piece)
    return list(net.values()) if abs(gross - amount) <= len(granted.lines) else []
