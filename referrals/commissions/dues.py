"""What each share of each order line should earn as the facts stand now. Reads only; `service.settle` posts."""

import asyncpg
import msgspec

from app.money import share_of
from referrals.attribution.shares import WHOLE, Share, shares_of
from referrals.programs.queries import version


class Due(msgspec.Struct, frozen=True):
    """`granted` is what the line earns with nothing given back, `target` what it earns now; minor units."""

    line_id: int
    member_id: int
    role: str
    base: int
    rate_bps: int
    granted: int
    target: int


async def dues_of(
    order: asyncpg.Record,
    decision: asyncpg.Record,
    lines: list[asyncpg.Record],
    commissions: list[asyncpg.Record],
) -> list[Due]:
    """One for each line and share that can earn. What a commission was first granted by stays its own for ever."""
    shares = shares_of(decision)
    if not shares:
        return []
    rules = await version(decision["program_version_id"])
    frozen = {c["order_line_id"]: c["rate_bps"] for c in commissions}
    dues = []
    for line in lines:
        rate = frozen.get(line["id"], rules["rate_bps"])
        net = 0 if order["cancelled_at"] or order["doubt"] else max(0, line["base"] - line["refunded"])
        granted, targets = divide(line["base"], rate, shares), divide(net, rate, shares)
        for share, part, rest in zip(shares, granted, targets, strict=True):
            dues.append(Due(line["id"], share.member_id, share.role, line["base"], rate, part, rest))
    return dues


def divide(amount: int, rate_bps: int, shares: list[Share]) -> list[int]:
    """The commission on an amount in the parts of the shares, by largest remainder, so that they sum to it exactly."""
    whole = share_of(amount, rate_bps)
    parts = [whole * share.bps // WHOLE for share in shares]
    # The earlier share gets the odd unit when remainders are equal.
    by_remainder = sorted(range(len(shares)), key=lambda n: (-(whole * shares[n].bps % WHOLE), n))
    for n in by_remainder[: whole - sum(parts)]:
        parts[n] += 1
    return parts
