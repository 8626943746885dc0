from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Words = Annotated[str, Meta(max_length=4_000)]


class Said(msgspec.Struct):
    """What a member answers, or a person notes."""

    words: Words = ""


class Verdict(msgspec.Struct):
    """A person's decision, with what the member is told."""

    verdict: Literal["confirm", "clear", "uphold", "dismiss"]
    words: Words = ""


class ThresholdForm(msgspec.Struct):
    """The limits as a page has them: lists one to a line; `strikes` names the rules that are on."""

    sla_hours: int
    appeal_days: int
    ring_customers: int
    orders_per_hour: int
    signups_per_hour: int
    flood_clicks: int
    flood_spread_percent: int
    flood_one_browser_percent: int
    flood_orders_percent: int
    stuffing_visits: int
    stuffing_percent: int
    cold_uses: int
    refund_orders: int
    refund_percent: int
    odd_orders: int
    odd_distance_percent: int
    fleeting_visits: int = 30
    fleeting_percent: int = 90
    circle_orders: int = 2
    cluster_members: int = 3
    cluster_orders: int = 4
    flood_data_centre_percent: int = 60
    new_sites: int = 5
    new_sites_known_visits: int = 20
    path_orders: int = 20
    path_distance_percent: int = 40
    paid_params: str = ""
    paid_allowed: str = ""
    banned_referrers: str = ""
    open_sites: str | None = None
    checkout_paths: str | None = None
    """Left out, these two lists stay as we begin with."""
    strikes: list[str] = []


class CheckView(msgspec.Struct):
    """A check of a member's commissions, as the member sees it. `reason` is a stable word."""

    id: str
    store: str
    state: str
    reason: str
    words: str
    opened_at: str
    due_at: str
    decision: str
    """What whoever decided said; empty before."""
    commissions: list[str]


class CheckList(msgspec.Struct):
    items: list[CheckView]
    next: str | None


class EvidenceView(msgspec.Struct):
    at: str
    words: str


class CaseView(msgspec.Struct):
    """A case as whoever decides sees it. Nothing in it names a buyer."""

    id: str
    member: str
    rule: str
    state: str
    opened_at: str
    due_at: str
    is_late: bool
    commissions: list[str]
    evidence: list[EvidenceView]


class CaseList(msgspec.Struct):
    items: list[CaseView]
    next: str | None
