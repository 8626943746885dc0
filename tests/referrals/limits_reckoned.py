"""What budgets and caps should leave of made-up histories: purses that orders take turns at, kept by hand.

It knows nothing of the code it judges, only the promises of docs/MONEY.md. All orders are looked at after every fact,
in the order in which they were first heard of: a line asks once for all that it would earn, gets what is left, and
keeps its claim to no more than that; what was given back is there for whoever is next.
"""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import msgspec

Purse = tuple[str, ...]
"""A budget by its name, or what a cap is about: an order, a customer, a sharer's day or month."""


class Stake(msgspec.Struct):
    """What a line asked for, what it was granted for good, and what it has of that now."""

    asked: int
    purses: list[Purse]
    granted: int = 0
    has: int = 0
    is_over: bool = False


class Limits:
    def __init__(self) -> None:
        self.most: dict[Purse, int] = {}
        self.used: dict[Purse, int] = {}
        self.stakes: dict[tuple[int, str], Stake] = {}

    def fill(self, budget: str, most: int) -> None:
        """A budget is opened, or holds more or less from now on; what was granted from it stays."""
        purse = ("budget", budget)
        self.most[purse] = max(self.used.setdefault(purse, 0), most)

    def settle(self, orders: dict[int, Any]) -> None:
        for number, known in orders.items():
            if known.tellings and known.sharer is not None:
                self._grant(number, known)
                self._bring(number, known)

    def reject(self, number: int, line: str) -> None:
        """A person ends it for good: what it had is free."""
        stake = self.stakes[number, line]
        stake.is_over = True
        self._move(stake, 0)

    def standing(self) -> dict[tuple[int, str], int]:
        return {key: stake.has for key, stake in self.stakes.items()}

    def _grant(self, number: int, known: Any) -> None:
        budget = ("budget", known.budget)
        is_spent = bool(known.budget) and self.used.get(budget, 0) >= self.most.get(budget, 0)
        new: list[Stake] = []
        heights = self._heights(number, known)
        for line, price in known.lines().items():
            asked = 0 if is_spent else round(Fraction(price * known.rate, 10_000))
            if (number, line) not in self.stakes and price and (asked or is_spent):
                purses = [*heights, *([budget] if budget in self.most else [])]
                self.stakes[number, line] = stake = Stake(asked, purses)
                new.append(stake)
        if new:
            # The newest height of a cap counts, and what was granted under a higher one stays.
            for purse, height in heights.items():
                self.most[purse] = max(self.used.setdefault(purse, 0), height)
        for stake in new:
            self._move(stake, stake.asked)
            stake.granted = stake.has
            stake.is_over = stake.granted == 0

    def _bring(self, number: int, known: Any) -> None:
        prices, left, earns = known.lines(), known.left(), known.earns()
        theirs = [(line, stake) for (n, line), stake in self.stakes.items() if n == number and not stake.is_over]
        targets = []
        for line, stake in theirs:
            target = earns[line]
            if stake.granted < stake.asked:
                part = round(Fraction(stake.granted * left[line], prices[line])) if prices[line] else 0
                target = min(target, stake.granted, part)
            targets.append((stake, target))
        # Whoever gives back comes before whoever takes.
        for stake, target in sorted(targets, key=lambda one: one[1] > one[0].has):
            self._move(stake, target)

    def _heights(self, number: int, known: Any) -> dict[Purse, int]:
        about: dict[str, Callable[[], tuple[str, ...]]] = {
            "order": lambda: (str(number),),
            "customer": lambda: (known.customer,),
            "day": lambda: (str(known.sharer), known.day),
            "month": lambda: (str(known.sharer), known.day[:7]),
        }
        return {(kind, *about[kind]()): most for kind, most in known.caps.items() if most}

    def _move(self, stake: Stake, target: int) -> None:
        more = min([target - stake.has, *(self.most[purse] - self.used[purse] for purse in stake.purses)])
        if target < stake.has:
            more = target - stake.has
        for purse in stake.purses:
            self.used[purse] += more
        stake.has += more
