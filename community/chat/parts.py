"""What hangs on a message, as it crosses a border: signs, files, cards; and what of it is taken in."""

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money

Id = Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")]
MOST_FILES = 10
Files = Annotated[list[Id], Meta(max_length=MOST_FILES)]


class ReactionView(msgspec.Struct):
    """One sign on a message: how many put it there, and who of them, the first 50."""

    emoji: str
    n: int
    by: list[str]


class ChatFileView(msgspec.Struct, omit_defaults=True):
    """A picture or a file. Its address opens for those who may read the room then, and for nobody else."""

    id: str
    kind: str
    """`picture` or `file`."""
    name: str
    media_type: str
    bytes: int
    url: str
    small_url: str = ""
    width: int = 0
    height: int = 0


class CardView(msgspec.Struct, omit_defaults=True):
    """A link, shown: a page of the web (`link`) or something a shop sells (`product`)."""

    id: str
    kind: str
    url: str
    title: str = ""
    text: str = ""
    site: str = ""
    picture: str = ""
    """A path on this site, or empty."""
    price: Money | None = None
    stock: int | None = None
    rating: float | None = None
    review_count: int = 0
    gone: bool = False
    """The shop sells it no longer."""
    earns: bool = False
    """Whoever shared the link may earn from it: say so beside it."""


class Answered(msgspec.Struct):
    """What a message answers, and how many answer that by now."""

    id: str
    n: int


class FormerWords(msgspec.Struct):
    """What a message said before it was changed, and until when."""

    body: str
    until: datetime
