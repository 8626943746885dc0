"""What the doors of a room's order take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app.paging import Page
from community.chat.measures_schemas import MeasureView, NewMeasure
from community.chat.schemas import Author

new_measure = NewMeasure("silence", "Three warnings about the same advertisement.", "carl-o", 60)
measure = MeasureView(
    id="12",
    kind="silence",
    member=Author("9", "carl-o", "Carl"),
    reason="Three warnings about the same advertisement.",
    seconds=0,
    until=datetime(2026, 3, 14, 10, 26, 53, tzinfo=UTC),
    by=Author("7", "ada", "Ada"),
    created_at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
    stands=True,
    lifted_at=None,
    lifted_by=None,
)
measures = Page([measure], None)
