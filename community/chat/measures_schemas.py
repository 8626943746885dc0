from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from community.chat.schemas import Author

Kind = Literal["kick", "ban", "silence", "freeze", "slow"]
LONGEST_MINUTES = 60 * 24 * 366
SLOWEST_SECONDS = 6 * 3600

Minutes = Annotated[int, Meta(ge=0, le=LONGEST_MINUTES)]
"""How long; 0 is until it is lifted."""
Seconds = Annotated[int, Meta(ge=0, le=SLOWEST_SECONDS)]
Reason = Annotated[str, Meta(max_length=500)]


class NewMeasure(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    kind: Kind
    reason: Reason
    member: Annotated[str, Meta(max_length=60)] = ""
    """The handle of whom it is about: kick, ban and silence are about somebody."""
    minutes: Minutes = 0
    seconds: Seconds = 0
    """In slow mode: how long each member waits between two messages."""


class MeasureForm(NewMeasure, forbid_unknown_fields=False):
    """The same from a page."""


class MeasureView(msgspec.Struct):
    id: str
    kind: Kind
    member: Author | None
    reason: str
    seconds: int
    until: datetime | None
    by: Author
    created_at: datetime
    stands: bool
    lifted_at: datetime | None
    lifted_by: Author | None
    """Who undid it; null when its time ran out."""
