from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal["discussion", "question", "event"]
KINDS: tuple[Kind, ...] = ("discussion", "question", "event")
EMOJIS = ("👍", "❤️", "😂", "🎉", "👀", "😮", "😢", "🍇")

LONGEST_POST = 40_000
LONGEST_TITLE = 160

# Looser than the service's own limits, so that the service's sentence is the one people read.
Body = Annotated[str, Meta(max_length=1_000_000)]
Title = Annotated[str, Meta(max_length=10_000)]


class NewTopic(msgspec.Struct, forbid_unknown_fields=True):
    title: Title
    body: Body
    kind: Kind = "discussion"


class NewTopicForm(NewTopic, forbid_unknown_fields=False):
    """The same from a page, where browsers add fields of their own."""


class NewPost(msgspec.Struct, forbid_unknown_fields=True):
    body: Body
    reply_to: str | int | None = None
    """The id of the post this one answers."""


class NewPostForm(msgspec.Struct):
    body: Body = ""
    reply_to: int | None = None
    shown: Annotated[int, Meta(ge=0, le=2**31 - 1)] = 0
    """The last post the page showed, so that htmx appends exactly what is missing."""


class Edit(msgspec.Struct):
    body: Body
    title: Title = ""
    """Only asked for with the first post."""


class Sign(msgspec.Struct):
    emoji: Annotated[str, Meta(max_length=16)]


class TopicMade(msgspec.Struct):
    id: str
    slug: str
    url: str


class PostMade(msgspec.Struct):
    id: str
    number: int
    html: str


class Author(msgspec.Struct):
    id: str
    handle: str
    name: str


class TopicView(msgspec.Struct):
    id: str
    slug: str
    url: str
    group: str
    kind: str
    title: str
    author: Author
    post_count: int
    reaction_count: int
    created_at: datetime
    active_at: datetime


class Topics(msgspec.Struct):
    items: list[TopicView]
    next: str | None


class ReactionCount(msgspec.Struct):
    emoji: str
    count: int
    mine: bool


class PostView(msgspec.Struct):
    """A post; one that moderators hid carries their reason instead of its words."""

    id: str
    number: int
    author: Author
    body: str | None
    html: str | None
    reply_to: str | None
    reactions: list[ReactionCount]
    hidden: str | None
    url: str
    created_at: datetime
    edited_at: datetime | None


class Posts(msgspec.Struct):
    items: list[PostView]
    next: str | None


class Reactions(msgspec.Struct):
    reactions: list[ReactionCount]
