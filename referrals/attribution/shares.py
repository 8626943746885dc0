"""How the credit for an order is divided. One winner gets it all, unless the policy shares it with who helped."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from referrals.programs.policy import Policy

WHOLE = 10_000
SHARER = "sharer"
# What a person decided, and what the house keeps, is not divided.
_UNDIVIDED = ("override", "house")
_STEPS = ("carried", "claimed", "placement")


class Share(msgspec.Struct, frozen=True):
    """A member's part of an order's commission, in basis points; the parts of a decision sum to 10,000."""

    member_id: int
    role: str
    bps: int


class Step(Protocol):
    """What the division needs to know of a touch."""

    @property
    def member_id(self) -> int: ...
    @property
    def at(self) -> datetime: ...
    @property
    def cls(self) -> str: ...
    @property
    def click_id(self) -> str | None: ...
    @property
    def helper_id(self) -> int | None: ...
    @property
    def helper_role(self) -> str: ...


def shares_of(decision: Mapping[str, Any]) -> list[Share]:
    """The parts of a decision, the largest first; none when nobody is credited."""
    if decision["winner_id"] is None:
        return []
    kept = msgspec.convert(decision["shares"] or [], list[Share])
    return kept or [Share(decision["winner_id"], SHARER, WHOLE)]


def divide_credit(winner: Step, eligible: Sequence[Step], policy: Policy) -> list[Share]:
    """The winner's credit shared with who wrote the content the path began with, and who introduced the buyer.

    Empty when nobody helped, or nobody but the winner did. Whoever has two parts has them as one.
    """
    if not any(policy.assist_bps.values()) or winner.cls in _UNDIVIDED:
        return []
    path = sorted((one for one in eligible if one.cls in _STEPS), key=lambda one: (one.at, one.click_id or ""))
    content = next((one for one in path if one.helper_id is not None), None)
    parts: dict[int, tuple[str, int]] = {}
    if content is not None and content.helper_id is not None:
        _add(parts, content.helper_id, content.helper_role, policy.assist_bps.get(content.helper_role, 0))
    if path:
        _add(parts, path[0].member_id, "introducer", policy.assist_bps.get("introducer", 0))
    parts.pop(winner.member_id, None)
    if not parts:
        return []
    rest = WHOLE - sum(bps for _role, bps in parts.values())
    helpers = [Share(member_id, role, bps) for member_id, (role, bps) in parts.items()]
    return [Share(winner.member_id, SHARER, rest), *sorted(helpers, key=lambda one: (-one.bps, one.member_id))]


def _add(parts: dict[int, tuple[str, int]], member_id: int, role: str, bps: int) -> None:
    if bps:
        first_role, so_far = parts.get(member_id, (role, 0))
        parts[member_id] = (first_role, so_far + bps)
