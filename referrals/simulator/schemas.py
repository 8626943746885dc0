from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money
from referrals.programs.policy import CLASSES, LeakRules

Days = Annotated[int, Meta(ge=0, le=3650)]


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """Who would be credited: the whole of a programme's crediting rules, members by their handles."""

    model: Annotated[str, Meta(pattern="^(last|first)$")] = "last"
    window_days: Annotated[int, Meta(ge=1, le=730)] = 30
    order: list[str] = msgspec.field(default_factory=lambda: list(CLASSES))
    new_customer_order: list[str] = []
    windows: dict[str, int] = {}
    bind: Annotated[str, Meta(pattern="^(register|first|override|none)$")] = "register"
    bind_days: Days = 0
    bind_idle_days: Days = 0
    min_confidence: Annotated[int, Meta(ge=0, le=100)] = 50
    stand_down_hours: Annotated[int, Meta(ge=0, le=720)] = 24
    partners: dict[str, str] = {}
    """By handle: "content", "staff", "coupon", "cashback" or "extension"."""
    assist_bps: dict[str, int] = {}
    second_approver_from: int | None = 10_000
    leak: LeakRules = LeakRules()
    house: Annotated[str, Meta(max_length=60)] = ""


class Rehearsal(msgspec.Struct, forbid_unknown_fields=True):
    """Replay the orders of the last `days` under a draft."""

    draft: Draft
    days: Annotated[int, Meta(ge=1, le=90)] = 30


class Publication(msgspec.Struct, forbid_unknown_fields=True):
    """`instead_of` is the version that the draft was made from: if another came meanwhile, nothing is published."""

    draft: Draft
    instead_of: int


class InForce(msgspec.Struct):
    version: int
    draft: Draft


class Mover(msgspec.Struct):
    """A member who would gain (or lose) in one currency."""

    member: str
    orders_won: int
    orders_lost: int
    before: Money
    after: Money
    change: Money


class Changed(msgspec.Struct):
    order: str
    before: str
    after: str
    rule: str
    amount: Money


class SimulationView(msgspec.Struct):
    """`state` is "queued", "running", "done" or "failed". Amounts are an estimate: what each order's commission stands
    at now, moved by share; for an order that nobody was credited for, the plain rate of what was kept of it."""

    id: str
    state: str
    days: int
    orders: int
    done: int
    changed: int
    cut_off: bool
    """There were more orders than are replayed; the newest were."""
    movers: list[Mover]
    examples: list[Changed]
    created_at: str
