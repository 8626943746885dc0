from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class NewGroup(msgspec.Struct, forbid_unknown_fields=True):
    slug: Annotated[str, Meta(min_length=2, max_length=40)]
    name: Annotated[str, Meta(min_length=1, max_length=80)]
    description: Annotated[str, Meta(max_length=2000)] = ""
    visibility: Literal["public", "closed", "secret"] = "public"


class NewGroupForm(NewGroup, forbid_unknown_fields=False):
    """The same from a page, where browsers add fields of their own."""


class GroupView(msgspec.Struct):
    id: str
    slug: str
    name: str
    description: str
    visibility: str
    member_count: int
    topic_count: int
    room_id: str | None
    membership: str | None
    """The viewer's own state: active, pending or null."""
    url: str


class GivenRole(msgspec.Struct, forbid_unknown_fields=True):
    role: Literal["owner", "moderator", "member"]


class RoleForm(GivenRole, forbid_unknown_fields=False):
    """The same from a page."""
