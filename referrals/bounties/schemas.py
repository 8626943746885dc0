from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from app.money import Money

Period = Literal["", "week", "month"]
Metric = Literal["", "views", "likes", "comments", "clicks", "orders"]
# What the store's own figures tell; the others a member says, with proof.
COUNTED_HERE = ("clicks", "orders")


class NewBounty(msgspec.Struct):
    """The form, as people write it."""

    title: str = ""
    brief: str = ""
    amount: str = ""
    currency: str = ""
    most_awards: int = 1
    opens_on: str = ""
    closes_on: str = ""
    period: str = ""
    metric: str = ""
    least: int = 0
    needs_proof: bool = False
    awards_itself: bool = False
    jump_times: int = 10


class BountyOffer(msgspec.Struct, forbid_unknown_fields=True):
    """Paid `most_awards` times in all; with a `period`, once a week or month to the same member. `metric` is what the
    work must reach, `least` how much of it: clicks and orders are counted here; views, likes and comments are fetched
    where we can ask for them, and told by the member where not. `awards_itself`: it is paid without a person once the
    fetched figure reaches `least` and nothing is odd, as growing `jump_times` faster than before (0: never)."""

    title: Annotated[str, Meta(max_length=120)]
    brief: Annotated[str, Meta(max_length=4000)]
    pays: Money
    closes_at: datetime
    most_awards: Annotated[int, Meta(ge=1, le=10_000)] = 1
    opens_at: datetime | None = None
    period: Period = ""
    metric: Metric = ""
    least: Annotated[int, Meta(ge=0, le=2_000_000_000)] = 0
    needs_proof: bool = False
    awards_itself: bool = False
    jump_times: Annotated[int, Meta(ge=0, le=1000)] = 10


class WorkForm(msgspec.Struct):
    """The form; its files come beside it."""

    proof_url: str = ""
    note: str = ""
    reach: int = 0


class NewSubmission(msgspec.Struct, forbid_unknown_fields=True):
    """`files` are ids of what was brought in for this bounty. `reach` is the figure of its metric, as you tell it;
    where we fetch it ourselves yours is not looked at."""

    proof_url: Annotated[str, Meta(max_length=2000)] = ""
    note: Annotated[str, Meta(max_length=1000)] = ""
    reach: Annotated[int, Meta(ge=0, le=2_000_000_000)] = 0
    files: Annotated[list[str], Meta(max_length=6)] = []


class Verdict(msgspec.Struct):
    verdict: str = ""
    reason: str = ""


class FileView(msgspec.Struct):
    """`url` answers with the bytes, to the member and the store's people alone."""

    id: str
    name: str
    media_type: str
    bytes: int
    url: str


class JumpView(msgspec.Struct):
    """A sudden jump, seen from one look to the next; its figures are null once we may keep them no
    more."""

    before: int | None
    after: int | None
    at: datetime


class WatchView(msgspec.Struct):
    """What we saw of the post. `state` is `new` (not looked at yet), `watched`, `ended`, `refused` or `dropped`.
    `figure` is the last one seen, `at` when; `top` the highest. `ready`: it has reached what was asked for. `why` says
    why it was refused (`not_yours`, `too_old`, `taken`, `gone`) or what kept the last look from seeing. `changed_at`:
    when its words were first seen to have changed. `next_at`, when we look again, is told to the store alone."""

    platform: str
    state: str
    figure: int | None
    at: datetime | None
    top: int | None
    ready: bool
    why: str
    published_at: datetime | None
    changed_at: datetime | None
    jump: JumpView | None
    next_at: datetime | None


class SeenFigure(msgspec.Struct):
    metric: str
    figure: int
    source: str
    at: datetime


class SeenFigures(msgspec.Struct):
    items: list[SeenFigure]
    next: str | None


class SubmissionView(msgspec.Struct):
    """`reach` is what was told (or counted) when it was handed in, or last fetched; `counted` what is counted here
    now, if anything; `watch` what we see of the post ourselves, if we can."""

    id: str
    bounty: str
    member: str
    period: str
    state: str
    proof_url: str
    note: str
    reach: int
    counted: int | None
    watch: WatchView | None
    files: list[FileView]
    reason: str
    created_at: datetime
    decided_at: datetime | None


class BountyView(msgspec.Struct):
    """`state` is `to_come`, `open` or `closed`; `mine` what you handed in this period."""

    id: str
    store: str
    store_name: str
    title: str
    brief: str
    pays: Money
    most_awards: int
    awarded: int
    opens_at: datetime | None
    closes_at: datetime
    period: str
    metric: str
    least: int
    needs_proof: bool
    awards_itself: bool
    state: str
    mine: SubmissionView | None


class BountyList(msgspec.Struct):
    items: list[BountyView]
    next: str | None


class SubmissionList(msgspec.Struct):
    items: list[SubmissionView]
    next: str | None
