from typing import Literal

import msgspec


class Rules(msgspec.Struct, frozen=True):
    """What a programme pays and when: basis points of the net, days on hold, days a click counts, which click wins."""

    rate_bps: int
    hold_days: int = 14
    window_days: int = 30
    model: Literal["last", "first"] = "last"
