from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from community.chat.schemas import Author, Seq


class LastWords(msgspec.Struct):
    """What was said last in a room, in few words."""

    author_id: str
    author: str
    text: str
    at: datetime


class RoomLine(msgspec.Struct):
    """One of a member's rooms, with what is new there."""

    id: str
    kind: str
    """group, direct, product or live"""
    name: str
    url: str
    group: str
    """The slug of its group; empty where a room has none."""
    seq: int
    epoch: str
    unread: int
    """Messages since the member's last look."""
    mentions: int
    """How many of them name the member."""
    muted: bool
    muted_until: datetime | None
    """Null while muted: for ever."""
    waits: bool
    """A direct message nobody has answered yet: one can say no more until then."""
    may_write: bool
    partner: Author | None
    """The other one, where two talk alone."""
    last: LastWords | None
    seen: int | None = None
    """Up to which `seq` the other one has read, where two talk alone and neither hides it."""


MuteFor = Literal["hour", "day", "week", "ever"]


class Mute(msgspec.Struct, forbid_unknown_fields=True):
    """For how long a room shows no badge and rings no bell."""

    for_: Annotated[MuteFor, Meta(description="hour, day, week or ever")] = msgspec.field(name="for")


class MuteForm(msgspec.Struct):
    for_: MuteFor = msgspec.field(name="for")


class ReadUpTo(msgspec.Struct, forbid_unknown_fields=True):
    seq: Seq
