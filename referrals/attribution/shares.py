"""How the credit for an order is divided. One winner gets it all, unless the policy shares it with who helped."""

import asyncpg
import msgspec

WHOLE = 10_000
SHARER = "sharer"


class Share(msgspec.Struct, frozen=True):
    """A member's part of an order's commission, in basis points; the parts of a decision sum to 10,000."""

    member_id: int
    role: str
    bps: int


def shares_of(decision: asyncpg.Record) -> list[Share]:
    """The parts of a decision, the largest first; none when nobody is credited."""
    if decision["winner_id"] is None:
        return []
    kept = msgspec.convert(decision["shares"] or [], list[Share])
    return kept or [Share(decision["winner_id"], SHARER, WHOLE)]
