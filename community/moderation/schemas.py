from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

KINDS = ("post", "topic", "message", "review", "guide", "question", "answer", "member", "live")
REASONS = ("spam", "abuse", "misleading", "off_topic", "illegal", "other")

Reason = Annotated[str, Meta(min_length=2, max_length=200)]
Note = Annotated[str, Meta(max_length=2000)]


class Subject(msgspec.Struct, frozen=True):
    """Something that can be reported, as the reporter could read it."""

    kind: str
    id: int
    author_id: int | None
    url: str
    excerpt: str
    around: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.id}"


class NewFlag(msgspec.Struct, forbid_unknown_fields=True):
    subject: Annotated[str, Meta(max_length=40)]
    reason: Reason
    note: Note = ""


class NewFlagForm(NewFlag, forbid_unknown_fields=False):
    """The same from a page."""


class Flagged(msgspec.Struct):
    id: str
    subject: str
    state: str
    created_at: datetime


class Verdict(msgspec.Struct):
    verdict: Literal["hide", "keep"]
    reason: Annotated[str, Meta(max_length=500)] = ""


class Restoration(msgspec.Struct):
    reason: Annotated[str, Meta(max_length=500)] = ""
