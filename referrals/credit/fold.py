"""What is left of each lot of credit: a pure function of grants, uses and the time, so any order of refunds, expiries
and uses that are given back comes to the same.

Uses take the oldest lot first (by when it began to count). What a refund took back of a lot that was spent is missing
then: other lots that had not ended by the time of the use fill it, the oldest first, and what none fills is owed.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec


class Lot(msgspec.Struct, frozen=True):
    """`amount` is what was granted less what was taken back."""

    id: int
    amount: int
    active_at: datetime
    expires_at: datetime | None = None

    def counts_at(self, at: datetime) -> bool:
        return self.active_at <= at and not self.is_over(at)

    def is_over(self, at: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= at


class Use(msgspec.Struct, frozen=True):
    id: int
    amount: int
    at: datetime


class Folded(msgspec.Struct):
    remaining: dict[int, int]
    expired: dict[int, int]
    spent: dict[tuple[int, int], int]
    """By lot and use."""
    owed: int = 0


def fold(lots: Sequence[Lot], uses: Sequence[Use], now: datetime) -> Folded:
    lots = sorted(lots, key=lambda lot: (lot.active_at, lot.id))
    left = {lot.id: lot.amount for lot in lots}
    spent: dict[tuple[int, int], int] = {}

    def take(use: Use, wanted: int, from_lots: Sequence[Lot]) -> int:
        """What could not be taken."""
        for lot in from_lots:
            part = min(wanted, left[lot.id])
            if part:
                left[lot.id] -= part
                spent[lot.id, use.id] = spent.get((lot.id, use.id), 0) + part
                wanted -= part
        return wanted

    missing = []
    for use in sorted(uses, key=lambda use: (use.at, use.id)):
        short = take(use, use.amount, [lot for lot in lots if lot.counts_at(use.at)])
        if short:
            missing.append((use, short))
    owed = 0
    for use, short in missing:
        owed += take(use, short, [lot for lot in lots if lot.active_at <= now and not lot.is_over(use.at)])
    return Folded(
        remaining={lot.id: 0 if lot.is_over(now) else left[lot.id] for lot in lots},
        expired={lot.id: left[lot.id] if lot.is_over(now) else 0 for lot in lots},
        spent=spent,
        owed=owed,
    )
