"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime
from uuid import UUID

from app.money import Money
from app.paging import Page
from content.live_events.schemas import (
    DraftMade,
    GuideFrom,
    LiveChange,
    LiveLine,
    LiveView,
    Made,
    MarkView,
    NewHost,
    NewLive,
    NewPin,
    NewPoll,
    NewQuestion,
    NewSegment,
    NewState,
    NewTranscript,
    OptionView,
    PersonView,
    PinView,
    PollChoice,
    PollView,
    QuestionView,
    SegmentView,
    Transcript,
)

_at = datetime(2026, 3, 14, 18, 0, 0, tzinfo=UTC)
_later = datetime(2026, 3, 14, 18, 12, 4, tzinfo=UTC)
_ada, _bob = PersonView("7", "ada", "Ada"), PersonView("8", "bob", "Bob")

new_live = NewLive("Moka night", _at, summary="Three grinders, side by side.", watch_url="https://video.example/moka")
live_change = LiveChange("Moka night, again", _at, summary="Four grinders.")
new_state = NewState("live")
new_pin = NewPin("hand-grinder-38-mm", "The one I kept")
new_question = NewQuestion(UUID("0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e60"), "Does it clog?")
new_host = NewHost("kai-o")
new_poll = NewPoll("Which one next?", ["The hand grinder", "The electric one"])
choice = PollChoice(1)
new_segment = NewSegment("This one never clogged.")
new_transcript = NewTranscript("0:00 Good evening and welcome.")
guide_from = GuideFrom(["3"])
made = Made("5")
draft = DraftMade("4", "/guides/new?draft=4", "Moka night", "This one never clogged.")

_line = {
    "id": "2",
    "slug": "moka-night",
    "url": "/live/moka-night",
    "title": "Moka night",
    "state": "live",
    "starts_at": _at,
    "went_live_at": _at,
    "ended_at": None,
    "host": _ada,
    "group": "",
    "room": "12",
}
line = LiveLine(**_line)  # type: ignore[arg-type]
lines = Page([line], None)
pin = PinView(
    id="5",
    product="hand-grinder-38-mm",
    title="Hand grinder 38 mm",
    price=Money(8900, "USD"),
    stock=12,
    available=True,
    note="The one I kept",
    pinned_at=_later,
    unpinned_at=None,
    url="/r/k7m2p9x",
    disclosure="#ad",
    credited="ada",
)
question = QuestionView("6", "905", "Does it clog?", _bob, 3, False, _later, None)
poll = PollView(
    "1", "Which one next?", [OptionView(1, "The hand grinder", 2), OptionView(2, "None", 0)], 1, _later, None
)
live = LiveView(
    **_line,  # type: ignore[arg-type]
    summary="Three grinders, side by side.",
    lang="en",
    store="",
    watch_url="https://video.example/moka",
    reminders=4,
    reminded=False,
    pins=[pin],
    questions=[question],
    poll=poll,
    cohosts=[_bob],
    invited=False,
)
marks = Page(
    [
        MarkView(0, "said", text="Good evening and welcome."),
        MarkView(724, "pin", id="5", text="Hand grinder 38 mm", product="hand-grinder-38-mm"),
        MarkView(730, "question", id="905", author=_bob, text="Does it clog?", html="<p>Does it clog?</p>"),
    ],
    None,
)
transcript = Transcript([SegmentView("3", 724, "This one never clogged.")])
