"""What went back of an order, by the movements of its payments: money that moved counts, a grant alone does not."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from storefront.connectors.amounts import minor
from storefront.connectors.reading import tidy
from storefront.connectors.saleor import shapes
from storefront.orders.schemas import Kind, RefundLineTold, RefundTold
from storefront.orders.service import Flagged


def refunds_of(order: shapes.Order, currency: str) -> list[RefundTold]:
    """Each under a name of its own, with the lines it was granted for where these make up its amount."""
    told = [one for transaction in order.transactions for one in _of(transaction.events, order, currency)]
    steps = [step for payment in order.payments for step in payment.transactions or []]
    back = [one for one in steps if one.kind == "REFUND" and one.is_success]
    return told + [_told(order, currency, one.id, one.created, one.amount) for one in back if one.amount]


def _of(events: Sequence[shapes.TransactionEvent], order: shapes.Order, currency: str) -> list[RefundTold]:
    in_time = sorted(events, key=lambda event: event.created_at)
    reversed_ = _reversed(in_time)
    told = [
        _told(order, currency, one.id, one.created_at, one.amount, is_void=one.id in reversed_)
        for one in in_time
        if one.type == "REFUND_SUCCESS"
    ]
    charges = [one for one in in_time if one.type == "CHARGE_SUCCESS"]
    for one in in_time:
        if one.type == "CHARGE_BACK":
            told.append(_told(order, currency, f"dispute:{one.id}", one.created_at, one.amount, "chargeback"))
            # Saleor has no word for a dispute that was won: the same money is charged once more.
            again = next((c for c in charges if _is_after(c, one)), None)
            if again:
                charges.remove(again)
                name = f"dispute:{one.id}:won"
                told.append(_told(order, currency, name, again.created_at, one.amount, "dispute_won"))
    return told


def _is_after(charge: shapes.TransactionEvent, taken: shapes.TransactionEvent) -> bool:
    return charge.created_at > taken.created_at and charge.amount.amount == taken.amount.amount


def _reversed(in_time: Sequence[shapes.TransactionEvent]) -> set[str]:
    """The refunds that did not stand: by the payment provider's own reference, else the last one of that amount."""
    found: set[str] = set()
    for number, reverse in enumerate(in_time):
        if reverse.type != "REFUND_REVERSE":
            continue
        before = [one for one in in_time[:number] if one.type == "REFUND_SUCCESS" and one.id not in found]
        named = [one for one in before if one.psp_reference == reverse.psp_reference]
        alike = [one for one in before if one.amount.amount == reverse.amount.amount]
        if not named and not alike:
            raise Flagged(f"a refund was reversed that was never told ({tidy(reverse.psp_reference)[:80]})")
        found.add((named or alike)[-1].id)
    return found


def _told(
    order: shapes.Order,
    currency: str,
    name: str,
    at: datetime,
    amount: shapes.Amount,
    kind: Kind = "refund",
    *,
    is_void: bool = False,
) -> RefundTold:
    sum_ = minor(amount.amount, currency, rounded=True)
    lines = _granted_lines(order, currency, name, sum_)
    return RefundTold(
        external_id=tidy(name),
        order_external_id=tidy(order.id),
        currency=currency,
        refunded_at=at,
        lines=lines,
        kind=kind,
        unplaced=0 if lines else sum_,
        is_void=is_void,
    )


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
