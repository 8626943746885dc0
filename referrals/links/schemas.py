from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from referrals.links.routing import MOST_BRANCHES, MOST_RULES, Moment, When

Target = Annotated[str, Meta(min_length=1, max_length=2000)]
PLACES = ("shelf", "packaging", "event", "poster", "flyer", "other")
MOST_AT_ONCE = 100


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """What to share: `product:slug`, `guide:slug`, `topic:7`, `review:7`, `group:slug`, `room:7`, `page:/path` or a
    URL at a store. `placement` tells several links to one thing apart ("newsletter", "poster at the fair")."""

    target: Target
    code: Annotated[str, Meta(max_length=40)] = ""
    placement: Annotated[str, Meta(max_length=60)] = ""


class ShareForm(NewLink, forbid_unknown_fields=False):
    """The same from a page, where browsers add fields of their own."""


class NewRule(msgspec.Struct, forbid_unknown_fields=True):
    """`when` all of this holds, the link leads `to` another target. The first rule that holds decides."""

    when: When
    to: Target


class NewBranch(msgspec.Struct, forbid_unknown_fields=True):
    """One side of an A/B split: its name is kept on each click, so orders can be counted by side."""

    name: Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[A-Za-z0-9_-]+$")]
    weight: Annotated[int, Meta(ge=1, le=1000)]
    to: Target


Rules = Annotated[list[NewRule], Meta(max_length=MOST_RULES)]
Split = Annotated[list[NewBranch], Meta(max_length=MOST_BRANCHES)]
Visits = Annotated[int, Meta(ge=1, le=1_000_000_000)]
Password = Annotated[str, Meta(max_length=100)]


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """Where a printed link is, and what that cost in minor units."""

    kind: Literal[PLACES]  # type: ignore[valid-type]
    location: Annotated[str, Meta(max_length=120)] = ""
    cost: Annotated[int, Meta(ge=0, le=1_000_000_000_000)] = 0
    currency: Annotated[str, Meta(max_length=3)] = "USD"


class LinkChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is given is changed, the rest stays. `null` takes a limit away, an empty password the password."""

    target: Target | UnsetType = UNSET
    code: Annotated[str, Meta(max_length=40)] | UnsetType = UNSET
    placement: Annotated[str, Meta(max_length=60)] | UnsetType = UNSET
    starts_at: Moment | UnsetType | None = UNSET
    ends_at: Moment | UnsetType | None = UNSET
    most_visits: Visits | UnsetType | None = UNSET
    password: Password | UnsetType = UNSET
    rules: Rules | UnsetType = UNSET
    split: Split | UnsetType = UNSET
    place: Place | UnsetType | None = UNSET


class WholeLink(NewLink, kw_only=True):
    """All of a link, as a program that keeps its own list of links has it. What is left out is plain."""

    starts_at: Moment | None = None
    ends_at: Moment | None = None
    most_visits: Visits | None = None
    password: Password | UnsetType = UNSET
    """Left out, the password stays as it is: nobody can read it back to send it again."""
    rules: Rules = []
    split: Split = []
    place: Place | None = None


class NamedLink(WholeLink, kw_only=True):
    external_id: Annotated[str, Meta(min_length=1, max_length=100)]


class ManyLinks(msgspec.Struct, forbid_unknown_fields=True):
    links: Annotated[list[NamedLink], Meta(min_length=1, max_length=MOST_AT_ONCE)]


class RuleView(msgspec.Struct):
    when: When
    to: str
    destination: str


class BranchView(msgspec.Struct):
    name: str
    weight: int
    to: str
    destination: str


class LinkView(msgspec.Struct):
    code: str
    url: str
    qr_svg_url: str
    """Also as .png and .pdf. The QR holds a code of its own, so that scans are counted apart."""
    target: str
    """The kind of thing shared, and its id where it has one: "product:12"."""
    destination: str
    placement: str
    label: str
    """The mark that belongs right beside the link wherever it is shown: “#ad”, “广告”."""
    disclosure: str
    """What stands beside the link wherever it is shown."""
    clicks: int
    """People; bots, previews and prefetches are counted apart."""
    bots: int
    created_at: str
    disabled: bool
    external_id: str
    starts_at: str | None
    ends_at: str | None
    most_visits: int | None
    visits_left: int | None
    has_password: bool
    rules: list[RuleView]
    split: list[BranchView]
    place: Place | None


class LinkList(msgspec.Struct):
    items: list[LinkView]
    next: str | None


class UpsertedLinks(msgspec.Struct):
    items: list[LinkView]
    created: int
    changed: int


class CheckView(msgspec.Struct):
    part: str
    wanted: str
    seen: str
    holds: bool


class RuleTried(msgspec.Struct):
    rule: int
    holds: bool
    checks: list[CheckView]
    destination: str


class Tried(msgspec.Struct):
    """Where one visit would go and why; nothing is counted."""

    destination: str
    """Empty when nobody is sent on; then `blocked` says why."""
    blocked: str
    rule: int
    """The number of the rule that decided; 0: none."""
    variant: str
    """The side of a split it might get: each visitor is given one and keeps it."""
    device: str
    os: str
    browser: str
    in_app: str
    language: str
    country: str
    rules: list[RuleTried]


class HostView(msgspec.Struct):
    host: str


class HostList(msgspec.Struct):
    items: list[HostView]
    next: str | None = None


class DomainView(msgspec.Struct):
    host: str
    txt_name: str
    txt_value: str
    """The DNS record that proves the domain is yours."""
    proven: bool
    in_use: bool
    blocked: bool
    problem: str


class DomainList(msgspec.Struct):
    items: list[DomainView]
    next: str | None = None
