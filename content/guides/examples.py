"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from content.guides.schemas import GuideView, Heading, NewGuide, Pick, Text

_at = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)

new_guide = NewGuide(
    title="Hand grinders under $100",
    summary="Three that do not clog.",
    blocks=[Heading("For a moka pot"), Text("Go **coarser** than you think."), Pick("5", "It never clogs.", ["Even"])],
)
guide = GuideView(
    id="2",
    slug="hand-grinders-under-100",
    url="/guides/hand-grinders-under-100",
    title="Hand grinders under $100",
    summary="Three that do not clog.",
    lang="en",
    author="ada",
    author_earns=True,
    blocks=[
        Heading("For a moka pot"),
        Text("Go **coarser** than you think.", "<p>Go <strong>coarser</strong> than you think.</p>"),
        Pick("5", "It never clogs.", ["Even"]),
    ],
    created_at=_at,
    checked_at=_at,
)
