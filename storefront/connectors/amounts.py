"""Amounts as providers write them, `12.00` or 12.5, to whole minor units. Never through a float."""

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from app.money import EXPONENTS, LARGEST_AMOUNT
from storefront.orders.service import Flagged


def minor(amount: Decimal | None, currency: str, *, rounded: bool = False, signed: bool = False) -> int:
    """`12.00` USD as 1200, `1200` JPY as 1200, `1.250` KWD as 1250; Flagged for a digit too many unless `rounded`."""
    checked_currency(currency)
    try:
        value = (amount or Decimal(0)).scaleb(EXPONENTS[currency])
        whole = value.to_integral_value(ROUND_HALF_EVEN) if rounded else value
        # The size first: the integer of 1e400000000 would take all memory.
        fits = value.is_finite() and abs(value) <= LARGEST_AMOUNT and whole == int(whole) and (signed or whole >= 0)
    except (InvalidOperation, ValueError, OverflowError):
        fits = False
    if not fits:
        raise Flagged(f"{str(amount)[:40]} is not an amount in {currency}")
    return int(whole)


def checked_currency(currency: str) -> str:
    if currency not in EXPONENTS:
        raise Flagged(f"“{currency[:8]}” is not a currency this server knows")
    return currency


def at_most_gross(discount: int, gross: int) -> int:
    if discount > gross:
        raise Flagged("a line's discount is larger than its price")
    return discount


def without_repeats(line_ids: Sequence[str]) -> None:
    if len(set(line_ids)) < len(line_ids):
        raise Flagged("two lines have the same id")
