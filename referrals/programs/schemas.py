from typing import Literal

import msgspec

from referrals.programs.terms import Terms


class Rules(msgspec.Struct, frozen=True):
    """What a programme pays and when: basis points of the net, days on hold, days a click counts, which click wins."""

    rate_bps: int
    hold_days: int = 14
    window_days: int = 30
    model: Literal["last", "first"] = "last"


class Draft(msgspec.Struct, frozen=True):
    """Rules that are not in force yet."""

    rules: Rules
    terms: Terms


class ProgramTold(msgspec.Struct, frozen=True):
    """Rules to put in force. `base_version`: the version they were made from; another one in force by now is 409."""

    rate_bps: int
    hold_days: int = 14
    window_days: int = 30
    model: Literal["last", "first"] = "last"
    terms: Terms = Terms()
    base_version: int | None = None


class ProgramView(msgspec.Struct, frozen=True):
    """The rules in force, as data and as sentences."""

    store: str
    version: int
    published_at: str
    rate_bps: int
    hold_days: int
    window_days: int
    model: str
    terms: Terms
    words: list[str]
