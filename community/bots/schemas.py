from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from community.chat.schemas import Body, RoomKey


class NewBot(msgspec.Struct, forbid_unknown_fields=True):
    name: Annotated[str, Meta(max_length=200)]


class NewBotForm(NewBot, forbid_unknown_fields=False):
    """The same from a page."""


class BotView(msgspec.Struct):
    """A program that may speak in a room."""

    id: str
    name: str
    avatar_url: str
    author_id: str
    """The `author.id` of its messages."""
    room_id: str
    url: str
    """Where it sends what it says."""
    made_by: str
    created_at: datetime
    said_at: datetime | None
    may_speak: bool
    """False when somebody who runs the room has shown it out."""


class BotMade(msgspec.Struct):
    bot: BotView
    secret: str
    """Shown once."""


class NewSecret(msgspec.Struct):
    """`keep_old`: the one before is taken for another day. Not after a leak."""

    keep_old: bool = True


class Secret(msgspec.Struct):
    secret: str
    """Shown once."""
    old_until: datetime | None


class BotSays(msgspec.Struct):
    """What a bot sends. Fields that we do not know are let pass, as many programs send the same to several places."""

    text: Body = ""
    """Markdown."""
    reply_to: RoomKey | None = None
    """The id of a message in the room, for example of its own, as the first answer told it."""
    edit: RoomKey | None = None
    """The id of a message of its own that says `text` from now on."""
    delete: RoomKey | None = None
    """The id of a message of its own that is taken back; then without `text`."""
