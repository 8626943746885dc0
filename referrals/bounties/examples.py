"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app import clock
from app.money import Money
from referrals.bounties.schemas import (
    BountyList,
    BountyOffer,
    BountyView,
    FileView,
    JumpView,
    NewSubmission,
    SeenFigure,
    SeenFigures,
    SubmissionList,
    SubmissionView,
    Verdict,
    WatchView,
)

_PAYS, _AT = Money(15_000, "USD"), datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
# An offer ends within two years, and the example can be sent as it stands in any of them.
_CLOSES = datetime(clock.now().year + 1, 12, 31, 23, 59, 59, tzinfo=UTC)
offer = BountyOffer(
    "A film on the trail", "One minute, outdoors, with the pack in it.", _PAYS, _CLOSES, 5, None, "month", "views", 1000
)
file = FileView("12", "insights.webp", "image/webp", 48_210, "/api/v1/earn/bounties/files/12")
work = NewSubmission("https://films.example/42", "Filmed in rain.", 1_200)
handed_in = SubmissionView(
    "7", "3", "mara", "2026-03", "waiting", work.proof_url, work.note, 1_200, None, None, [file], "", _AT, None
)
watch = WatchView("youtube", "watched", 1_180, _AT, 1_200, True, "", _AT, None, JumpView(40, 1_200, _AT), _AT)
figures = SeenFigures([SeenFigure("views", 1_180, "www.googleapis.com", _AT)], None)
verdict = Verdict("declined", "The label is missing. Please add it.")
decided = SubmissionView(
    "7",
    "3",
    "mara",
    "2026-03",
    "declined",
    work.proof_url,
    work.note,
    1_200,
    None,
    watch,
    [file],
    verdict.reason,
    _AT,
    _AT,
)
bounty = BountyView(
    "3", "north", "North", offer.title, offer.brief, _PAYS, 5, 2, None, _CLOSES, "month", "views", 1_000, False,
    False, "open", handed_in,
)  # fmt: skip
bounties = BountyList([bounty], None)
submissions = SubmissionList([handed_in], None)
