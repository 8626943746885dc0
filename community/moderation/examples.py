"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from community.moderation.schemas import Flagged, NewFlag

new_flag = NewFlag("post:41", "spam", "The same link in five topics.")
flagged = Flagged("4", "post:41", "open", datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC))
