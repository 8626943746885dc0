"""How money moved for an order, read from the whole history that each message of Saleor carries.

Saleor never takes an entry back. What did not stand is said by a later one: a failure under the same reference, a
reversal, or, where somebody corrects a sum by hand, the difference as an amount below nothing, under no reference.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from storefront.connectors.reading import tidy
from storefront.connectors.saleor import shapes
from storefront.orders.schemas import Kind

FAILS = {"CHARGE_SUCCESS": "CHARGE_FAILURE", "REFUND_SUCCESS": "REFUND_FAILURE"}
# The older payments in the words of the newer ones.
STEPS = {"CAPTURE": "CHARGE_SUCCESS", "REFUND": "REFUND_SUCCESS", "REFUND_REVERSED": "REFUND_REVERSE"}
# One update by hand may write several entries, one right after the other.
SAME_UPDATE = timedelta(seconds=1)


class Charge(msgspec.Struct):
    event_id: str
    at: datetime
    amount: Decimal
    payment: int
    is_fallen: bool


class Back(msgspec.Struct):
    """`is_void`: it did not stand, or it was paid once more. `won_at`: when it came back after all."""

    name: str
    event_id: str
    at: datetime
    amount: Decimal
    kind: Kind = "refund"
    reference: str = ""
    payment: int = 0
    is_void: bool = False
    won_at: datetime | None = None


def paid_at(order: shapes.Order) -> datetime | None:
    """When what was charged first reached the price. What went back since does not make it unpaid, and what was only
    granted not paid."""
    charges, charged = [one for one in _charges(_payments(order)) if not one.is_fallen], Decimal(0)
    for one in charges:
        charged += one.amount
        if charged >= order.total.gross.amount:
            return one.at
    return max((one.at for one in charges), default=order.updated_at) if order.is_paid else None


def backs_of(order: shapes.Order) -> tuple[list[Back], list[str]]:
    """All money that went back, and what cannot be understood of it.

    What was charged beyond the price paid for something that went back before, or was charged twice: so much of it
    took nothing from the order.
    """
    payments = _payments(order)
    charges = [one for one in _charges(payments) if one.amount > 0]
    backs: list[Back] = []
    doubts: list[str] = []
    for number, events in enumerate(payments):
        found, strange = _of_payment(number, events)
        backs += found
        doubts += strange
    backs.sort(key=lambda back: back.at)
    surplus = sum((one.amount for one in charges), Decimal(0)) - order.total.gross.amount
    surplus -= _note_won(backs, charges, order.total.gross.amount)
    for back in backs:
        if not back.is_void and back.won_at is None and back.amount <= surplus:
            back.is_void = True
            surplus -= back.amount
    return backs, doubts


def _payments(order: shapes.Order) -> list[list[shapes.TransactionEvent]]:
    newer = [[*transaction.events] for transaction in order.transactions]
    older = [
        [
            shapes.TransactionEvent(step.id, step.created, step.amount, STEPS[step.kind])
            for step in payment.transactions or []
            if step.is_success and step.amount and step.kind in STEPS
        ]
        for payment in order.payments
    ]
    return [sorted(events, key=lambda event: event.created_at) for events in newer + older]


def _charges(payments: Sequence[Sequence[shapes.TransactionEvent]]) -> list[Charge]:
    """In time order; below nothing where somebody took one back by hand."""
    charges = []
    for number, events in enumerate(payments):
        fallen = _fallen(events)
        charges += [
            Charge(one.id, one.created_at, _charged(one, events), number, one.id in fallen)
            for one in events
            if one.type == "CHARGE_SUCCESS"
        ]
    return sorted(charges, key=lambda one: one.at)


def _fallen(in_time: Sequence[shapes.TransactionEvent]) -> dict[str, datetime]:
    """The successes that have a later failure under the same reference, as Saleor's own sums see them, and when."""
    failed: dict[tuple[str | None, str], datetime] = {}
    fallen = {}
    for one in reversed(in_time):
        if not one.psp_reference:
            continue
        if (one.type, one.psp_reference) not in failed and one.type in FAILS.values():
            failed[(one.type, one.psp_reference)] = one.created_at
        elif one.type in FAILS and (failure := failed.get((FAILS[one.type], one.psp_reference))):
            fallen[one.id] = failure
    return fallen


def _charged(one: shapes.TransactionEvent, events: Sequence[shapes.TransactionEvent]) -> Decimal:
    """`amountCharged` set down and `amountRefunded` up in one update are the same money, told from both sides."""
    amount = one.amount.amount
    if one.psp_reference:
        return amount
    beside = sum(
        (
            other.amount.amount
            for other in events
            if other.type == "REFUND_SUCCESS"
            and not other.psp_reference
            and other.amount.amount * amount < 0
            and abs(other.created_at - one.created_at) <= SAME_UPDATE
        ),
        Decimal(0),
    )
    return max(Decimal(0), amount + beside) if amount > 0 else min(Decimal(0), amount + beside)


def _of_payment(number: int, in_time: Sequence[shapes.TransactionEvent]) -> tuple[list[Back], list[str]]:
    fallen = _fallen(in_time)
    refunds: list[Back] = []
    others: list[Back] = []
    doubts: list[str] = []
    for one in in_time:
        amount, at = one.amount.amount, one.created_at
        match one.type:
            case "CHARGE_SUCCESS" if one.id in fallen:
                others.append(Back(f"failed:{one.id}", "", fallen[one.id], amount, "chargeback", payment=number))
            case "CHARGE_SUCCESS" if (charged := _charged(one, in_time)) < 0:
                others.append(Back(f"taken:{one.id}", "", at, -charged, payment=number))
            case "CHARGE_BACK":
                others.append(Back(f"dispute:{one.id}", "", at, amount, "chargeback", payment=number))
            case "REFUND_SUCCESS" if amount > 0:
                is_void = one.id in fallen
                refunds.append(Back(one.id, one.id, at, amount, "refund", one.psp_reference, number, is_void))
            case "REFUND_REVERSE" | "REFUND_SUCCESS" if amount:
                doubts += _reverse(one, abs(amount), refunds)
    return [back for back in refunds + others if back.amount > 0], doubts


def _reverse(reverse: shapes.TransactionEvent, amount: Decimal, refunds: list[Back]) -> list[str]:
    """The refund that did not stand: by the payment provider's own reference, else the last one of that amount. Of a
    larger one, set lower by hand, the rest stands."""
    standing = [one for one in refunds if not one.is_void]
    named = [one for one in standing if one.reference and one.reference == reverse.psp_reference]
    alike = [one for one in standing if one.amount == amount]
    by_hand = [one for one in alike if not one.reference and not reverse.psp_reference]
    larger = [one for one in standing if one.amount > amount and not reverse.psp_reference]
    found = named or by_hand or alike or larger
    if not found:
        return [f"a refund was reversed that was never told ({tidy(reverse.psp_reference)[:80]})"]
    whole = found[-1]
    whole.is_void = True
    if whole.amount > amount:
        rest = Back(f"rest:{reverse.id}", "", whole.at, whole.amount - amount, "refund", whole.reference, whole.payment)
        refunds.append(rest)
    return []


def _note_won(backs: Sequence[Back], charges: Sequence[Charge], price: Decimal) -> Decimal:
    """How much was won back. Saleor has no word for it: the same money is charged once more, beyond the price."""
    won, used = Decimal(0), set[str]()
    for back in backs:
        if not back.name.startswith("dispute:"):
            continue
        charged = Decimal(0)
        for one in charges:
            charged += one.amount
            is_again = one.payment == back.payment and one.at > back.at and one.amount == back.amount
            if is_again and one.event_id not in used and charged - price - won >= back.amount:
                used.add(one.event_id)
                back.won_at, won = one.at, won + back.amount
                break
    return won
