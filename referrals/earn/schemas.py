import msgspec

from app.money import Money
from referrals.earn.goals import Board, Goal
from referrals.objections.schemas import ObjectionView


class Summary(msgspec.Struct):
    """Balances by currency and bucket: {"USD": {"pending": …, "available": …}}. Currencies are never added up."""

    balances: dict[str, dict[str, Money]]
    clicks_30_days: int
    people_30_days: int
    """Visits of one browser within the hour (or the programme's window) are one person's."""
    people_brought: int


class CommissionView(msgspec.Struct):
    """One commission; `amount` is what stands after refunds, `granted` what it was at first."""

    id: str
    order: str
    product: str
    title: str
    amount: Money
    granted: Money
    state: str
    hold_until: str
    role: str
    why_url: str
    rule: str = ""
    """The rule that paid, as it was called then; empty: the plain rate."""
    rate_bps: int = 0
    cause: str = "order"
    """Or what came without one: bounty, milestone, volume, activation, conversion."""
    words: str = ""
    """How it came to be yours, for a person."""
    hold: str = ""
    """How long it waits, and why, for a person."""


class CommissionList(msgspec.Struct):
    items: list[CommissionView]
    next: str | None


class StepView(msgspec.Struct):
    """A step of a commission's state. `reason` is a stable word, `words` the same for a person."""

    at: str
    before: str
    to: str
    reason: str
    words: str


class FactView(msgspec.Struct):
    """Something an amount was worked out from: a sum, or words."""

    name: str
    label: str
    amount: Money | None = None
    words: str = ""


class CandidateView(msgspec.Struct):
    """One who may have led to the order. `reason` is a stable word, `words` the same for a person."""

    member: str | None
    is_you: bool
    via: str
    at: str
    won: bool
    reason: str
    words: str
    confidence: int = 100
    """Percent. An invitation, or a click that was only recognised, is less sure than others."""
    code: str = ""
    """The code, where it is your own."""
    live: str = ""
    """Where it is your own: the live event in which you held the product up."""


class EntryView(msgspec.Struct):
    at: str
    kind: str
    reason: str
    bucket: str
    amount: Money


class CommissionWhy(msgspec.Struct):
    """Why a commission is yours: what it came from, how much, by which version of the rules, and what became of it."""

    id: str
    store: str
    store_slug: str
    cause: str
    title: str
    words: str
    order: str
    """The store's order id; empty: it came without one."""
    order_why_url: str
    url: str
    """The bounty or campaign it was earned by."""
    link: str
    """The code of your link that led to it."""
    amount: Money
    granted: Money
    state: str
    created_at: str
    hold_until: str
    rule: str
    rules_version: int
    hold_days: int
    hold: str
    facts: list[FactView]
    steps: list[StepView]
    entries: list["EntryView"]


class RuleView(msgspec.Struct):
    name: str
    words: str
    model: str
    rate_bps: int
    window_days: int
    hold_days: int
    version: int


class ShareView(msgspec.Struct):
    """A part of the order's commission, in basis points; all parts are 10,000."""

    member: str | None
    is_you: bool
    role: str
    bps: int


class Why(msgspec.Struct):
    """Why a member did, or did not, earn from an order."""

    order: str
    store: str
    ordered_at: str
    you_won: bool
    winner: str | None
    rule: RuleView
    candidates: list[CandidateView]
    commissions: list[CommissionView]
    entries: list[EntryView]
    amount: Money
    """What stands for you."""
    shares: list[ShareView] = []
    note: str = ""
    """What the person of the store said who decided on this order."""
    store_slug: str = ""
    may_object: bool = False
    """You may say once why it should be yours; somebody who gains nothing by it answers."""
    objection: ObjectionView | None = None
    """What you said against how it was decided, and the answer."""
    in_doubt: bool = False
    """The store's figures of the order do not add up yet: nothing is earned from it until they do."""


class LinkFunnel(msgspec.Struct):
    """What came of one link. `leads` is what a store told of besides orders; `net` what your commissions stand at after
    refunds, for orders, leads and members who became active, by currency."""

    code: str
    clicks: int
    bots: int
    joined: int
    orders: int
    refunds: int
    net: list[Money]
    leads: int = 0


class FunnelList(msgspec.Struct):
    items: list[LinkFunnel]
    next: str | None


class GoalTold(msgspec.Struct):
    amount: int


class GoalList(msgspec.Struct):
    goals: list[Goal]


class BoardList(msgspec.Struct):
    boards: list[Board]


class SeatTaken(msgspec.Struct):
    has_seat: bool
