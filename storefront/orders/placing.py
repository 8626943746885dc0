"""Money that went back without a word of which lines: spread over what the buyer had paid and not yet got back.

A share of each line, of its tax and of the shipping alike, so that giving back everything gives back every line
to the cent. Worked out anew from all refunds of the order each time, so their sequence does not matter.
"""

from collections.abc import Sequence

import msgspec

GIVES_BACK = "dispute_won"


class Line(msgspec.Struct, frozen=True):
    external_id: str
    base: int
    tax: int


class Refund(msgspec.Struct, frozen=True):
    """`lines`: what it named itself, by line."""

    id: int
    kind: str
    unplaced: int
    is_sum: bool
    lines: dict[str, int]
    is_estimated: bool = False
    is_void: bool = False


def spread(lines: Sequence[Line], others: int, refunds: Sequence[Refund]) -> dict[int, dict[str, int]]:
    """By refund and line, the part of what was not placed. `others`: what was paid beside the lines, like shipping."""
    placed = _placed(refunds)
    left = {line.external_id: max(0, line.base - placed.get(line.external_id, 0)) for line in lines}
    taxes = sum(line.tax * left[line.external_id] // line.base for line in lines if line.base)
    whole = sum(left.values()) + taxes + others
    parts: dict[int, dict[str, int]] = {}
    for is_won in (False, True):
        unplaced = _one_after_another([r for r in refunds if (r.kind == GIVES_BACK) == is_won])
        parts |= _steps(unplaced, left, whole)
    return parts


def unplaced_sum(refunds: Sequence[Refund]) -> int:
    return sum(amount for _, amount in _one_after_another([r for r in refunds if r.kind != GIVES_BACK]))


def _placed(refunds: Sequence[Refund]) -> dict[str, int]:
    """What went back of each line by name, less what was won back."""
    sums: dict[str, int] = {}
    for refund in refunds:
        for line_id, amount in refund.lines.items():
            sums[line_id] = sums.get(line_id, 0) + (-amount if refund.kind == GIVES_BACK else amount)
    return {line_id: max(0, amount) for line_id, amount in sums.items()}


def _one_after_another(refunds: Sequence[Refund]) -> list[tuple[int, int]]:
    """Each refund with what it adds; one that says "so much in all" adds what the single ones did not tell."""
    single = [(refund.id, 0 if refund.is_void else refund.unplaced) for refund in refunds if not refund.is_sum]
    # One that failed was in the sums that were told before it did.
    told = sum(refund.unplaced + sum(refund.lines.values()) for refund in refunds if not refund.is_sum)
    sums = sorted((refund for refund in refunds if refund.is_sum), key=lambda refund: refund.unplaced)
    for refund in sums:
        single.append((refund.id, max(0, refund.unplaced - told)))
        told = max(told, refund.unplaced)
    return single


def _steps(unplaced: list[tuple[int, int]], left: dict[str, int], whole: int) -> dict[int, dict[str, int]]:
    """Cumulative shares, each refund taking the step from the one before: all of them sum to the share of the sum."""
    parts: dict[int, dict[str, int]] = {}
    so_far, before = 0, dict.fromkeys(left, 0)
    for refund_id, amount in unplaced:
        so_far += amount
        now = {line_id: _share(min(so_far, whole), value, whole) for line_id, value in left.items()}
        parts[refund_id] = {line_id: now[line_id] - before[line_id] for line_id in left if now[line_id]}
        before = now
    return parts


def _share(amount: int, value: int, whole: int) -> int:
    """Half to even, and never falling while `amount` grows."""
    if whole == 0:
        return 0
    quotient, remainder = divmod(amount * value, whole)
    return quotient + (remainder * 2 > whole or (remainder * 2 == whole and quotient % 2))
