"""What of a room crosses a border: the same structs for the socket, the API and the page."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from community.chat.parts import Answered, CardView, ChatFileView, Files, ReactionView

LONGEST_MESSAGE = 4000
MOST_ROOMS = 200
MOST_SEQ = 2**53

Seq = Annotated[int, Meta(ge=0, lt=MOST_SEQ)]
Body = Annotated[str, Meta(max_length=20_000)]
"""Roomier than a message, so that the sentence about its length is ours."""
RoomKey = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]


class Author(msgspec.Struct, omit_defaults=True):
    id: str
    handle: str
    name: str
    avatar_url: str = ""
    bot: bool = False
    """A program (see community.bots); it has no page."""


class Quote(msgspec.Struct):
    """What a message answers."""

    id: str
    name: str
    text: str
    author_id: str = ""


class EventView(msgspec.Struct, omit_defaults=True):
    """One thing that happened in a room. `id` names the message it is about."""

    seq: int
    kind: str
    at: datetime
    author: Author | None = None
    id: str = ""
    client_id: str = ""
    body: str = ""
    html: str = ""
    reply_to: Quote | None = None
    gone: bool = False
    """Deleted, or withheld by moderators: there is nothing to read any more."""
    edited: bool = False
    emoji: str = ""
    """Of a `react`: the sign that was put there, or (`off`) taken off."""
    off: bool = False
    """Of a `react` or `pin`: it was taken off."""
    pinned: bool = False
    reactions: list[ReactionView] = []
    files: list[ChatFileView] = []
    cards: list[CardView] = []
    replies: int = 0
    """How many messages answer this one."""
    answered: Answered | None = None
    """Of a `message` that answers another: that one's new number of `replies`."""
    data: dict[str, Any] | None = None
    """What this kind of event carries beside a message: which reaction, who was shown out, how slow the room is now."""


class Reacted(msgspec.Struct):
    """Somebody's sign on a message."""

    emoji: str
    author: Author
    at: datetime


class NewMessage(msgspec.Struct, forbid_unknown_fields=True):
    """Words, files brought in before, or both."""

    client_id: UUID
    body: Body = ""
    reply_to: RoomKey | None = None
    files: Files = []


class ChangedMessage(msgspec.Struct, forbid_unknown_fields=True):
    body: Body


class MessageForm(msgspec.Struct):
    client_id: UUID
    body: Body = ""
    reply_to: Annotated[str, Meta(pattern=r"^[0-9]{0,18}$")] = ""
    file_ids: list[RoomKey] = []
    """Files that were brought in before; a form without JavaScript brings them along itself."""


class ChangeForm(msgspec.Struct):
    body: Body


class Sent(msgspec.Struct):
    """The answer to a send, now and whenever the same client id comes again."""

    id: str
    seq: int


class ExportView(msgspec.Struct):
    """An export of a room: `waiting`, `running`, `done`, `failed`; `stale` when the room says something else since."""

    id: str
    state: str
    done: int
    total: int
    url: str
    asked_at: datetime


class Ticket(msgspec.Struct):
    ticket: str


class Order(msgspec.Struct, omit_defaults=True):
    """What keeps somebody from writing in a room as usual: `silence`, `freeze` or `slow`."""

    kind: str
    until: datetime | None = None
    """Left out: until somebody lifts it."""
    reason: str = ""
    seconds: int = 0


class RoomView(msgspec.Struct):
    id: str
    name: str
    seq: int
    epoch: str
    url: str
    group: str
    """The slug of its group; empty where a room has none."""
    kind: str = "group"
    """group, direct, product or live"""
    frozen: bool = False
    slow_seconds: int = 0
    may_send: bool = True
    orders: list[Order] = []
    """What keeps the viewer from writing as usual, what weighs most first."""


# --- frames from the client; unknown fields are let pass, so that newer clients can talk to us ---


class Since(msgspec.Struct):
    seq: Seq | None = None
    epoch: str | None = None


class Hello(msgspec.Struct):
    rooms: dict[RoomKey, Since] = {}


class Send(msgspec.Struct):
    room: RoomKey
    client_id: UUID
    body: Body = ""
    reply_to: RoomKey | None = None
    files: Files = []


class Read(msgspec.Struct):
    room: RoomKey
    seq: Seq


class Typing(msgspec.Struct):
    room: RoomKey
