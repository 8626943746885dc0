"""Direct messages as they cross a border."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from community.chat.schemas import LONGEST_MESSAGE, Author, Body

MOST_IN_A_CIRCLE = 8
"""The one who begins it counted."""

OneHandle = Annotated[str, Meta(max_length=40)]


class NewDirect(msgspec.Struct, forbid_unknown_fields=True):
    """The first words to a member, or to a few: then they get a room of their own, with a name if it has one."""

    to: Annotated[list[OneHandle], Meta(min_length=1, max_length=MOST_IN_A_CIRCLE - 1)]
    client_id: UUID
    body: Annotated[Body, Meta(description=f"At most {LONGEST_MESSAGE} characters.")]
    name: Annotated[str, Meta(max_length=80)] = ""


class DirectForm(msgspec.Struct):
    client_id: UUID
    to: Annotated[str, Meta(max_length=400)]
    body: Body = ""
    name: Annotated[str, Meta(max_length=80)] = ""


class Begun(msgspec.Struct):
    """Where the first words were said. `waits`: nobody there knew the writer; they answer first."""

    room: str
    id: str
    seq: int
    waits: bool


class RequestLine(msgspec.Struct):
    """Somebody not known to the member asks to talk."""

    room: str
    by: Author
    text: str
    message: str
    at: datetime


Answer = Literal["accept", "decline"]


class AnswerBody(msgspec.Struct, forbid_unknown_fields=True):
    answer: Answer


class AnswerForm(msgspec.Struct):
    answer: Literal["accept", "decline", "block"]


class HandleForm(msgspec.Struct):
    handle: OneHandle


class CircleForm(msgspec.Struct):
    handle: OneHandle = ""
    name: Annotated[str, Meta(max_length=80)] = ""
