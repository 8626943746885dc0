"""What of live events crosses a border."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from app.money import Money

MOST_OPTIONS = 6
MOST_SEGMENTS = 2000

Id = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]
Moment = Annotated[datetime, Meta(tz=True)]
Title = Annotated[str, Meta(max_length=200)]


class NewLive(msgspec.Struct, forbid_unknown_fields=True):
    """`group`: a group's slug; only who may read it sees the event. `store`: one's own store. `watch_url`: where the
    picture is."""

    title: Title
    starts_at: Moment
    summary: Annotated[str, Meta(max_length=4000)] = ""
    lang: Literal["en", "zh-Hans"] = "en"
    group: Annotated[str, Meta(max_length=100)] = ""
    store: Annotated[str, Meta(max_length=100)] = ""
    watch_url: Annotated[str, Meta(max_length=2000)] = ""


class LiveChange(msgspec.Struct, forbid_unknown_fields=True):
    """The event as it shall stand; its group and store stay."""

    title: Title
    starts_at: Moment
    summary: Annotated[str, Meta(max_length=4000)] = ""
    lang: Literal["en", "zh-Hans"] = "en"
    watch_url: Annotated[str, Meta(max_length=2000)] = ""


class NewState(msgspec.Struct, forbid_unknown_fields=True):
    """planned goes to live or cancelled, live to ended."""

    state: Literal["live", "ended", "cancelled"]


class NewPin(msgspec.Struct, forbid_unknown_fields=True):
    product: Annotated[str, Meta(min_length=1, max_length=200)]
    """The last part of its address."""
    note: Annotated[str, Meta(max_length=400)] = ""


class NewQuestion(msgspec.Struct, forbid_unknown_fields=True):
    """It is said in the room as well. The same `client_id` raises it once, for ever."""

    client_id: UUID
    body: Annotated[str, Meta(max_length=4000)]


class NewPoll(msgspec.Struct, forbid_unknown_fields=True):
    question: Annotated[str, Meta(max_length=400)]
    options: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=20)]


class PollChoice(msgspec.Struct, forbid_unknown_fields=True):
    option: Annotated[int, Meta(ge=1, le=MOST_OPTIONS)]
    """Its place, from 1."""


class NewSegment(msgspec.Struct, forbid_unknown_fields=True):
    """What the host said. Without `offset`: now."""

    body: Annotated[str, Meta(max_length=4000)]
    offset: Annotated[int, Meta(ge=0, le=86_400)] | None = None


class NewHost(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody to host along, by their handle."""

    handle: Annotated[str, Meta(min_length=1, max_length=60)]


class NewTranscript(msgspec.Struct, forbid_unknown_fields=True):
    """WebVTT, SRT, or lines that begin with a time like 12:04. It takes the place of the one before."""

    text: Annotated[str, Meta(max_length=1_000_000)]


class GuideFrom(msgspec.Struct, forbid_unknown_fields=True):
    segments: Annotated[list[Id], Meta(max_length=MOST_SEGMENTS)]


class Made(msgspec.Struct):
    id: str


class PersonView(msgspec.Struct):
    id: str
    handle: str
    name: str


class PinView(msgspec.Struct):
    """`url` is the way to the shop by the link of `credited`, the host who earns by it as `disclosure` says."""

    id: str
    product: str
    title: str
    price: Money | None
    stock: int | None
    available: bool
    note: str
    pinned_at: datetime
    unpinned_at: datetime | None
    url: str
    disclosure: str
    credited: str


class QuestionView(msgspec.Struct):
    id: str
    message: str
    body: str
    asker: PersonView
    votes: int
    voted: bool
    raised_at: datetime
    answered_at: datetime | None


class OptionView(msgspec.Struct):
    option: int
    text: str
    votes: int


class PollView(msgspec.Struct):
    id: str
    question: str
    options: list[OptionView]
    chosen: int | None
    opened_at: datetime
    closed_at: datetime | None


class LiveLine(msgspec.Struct):
    """An event in a list."""

    id: str
    slug: str
    url: str
    title: str
    state: str
    starts_at: datetime
    went_live_at: datetime | None
    ended_at: datetime | None
    host: PersonView
    group: str
    room: str


class LiveView(LiveLine, kw_only=True):
    summary: str
    lang: str
    store: str
    watch_url: str
    reminders: int
    reminded: bool
    pins: list[PinView]
    questions: list[QuestionView]
    poll: PollView | None
    cohosts: list[PersonView]
    """Who hosts along: they hold products up and run the desk."""
    invited: bool
    """Whether the viewer was asked to host along, and has not answered."""


class SegmentView(msgspec.Struct):
    id: str
    offset: int
    body: str


class Transcript(msgspec.Struct):
    segments: list[SegmentView]


class MarkView(msgspec.Struct, omit_defaults=True):
    """One thing of the replay, `offset` seconds after it went live: message, question, answer, pin, unpin, poll,
    result or said (the transcript)."""

    offset: int
    kind: str
    id: str = ""
    author: PersonView | None = None
    text: str = ""
    html: str = ""
    product: str = ""


class DraftMade(msgspec.Struct):
    id: str
    url: str
    title: str
    source: str
