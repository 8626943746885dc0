from typing import Annotated

import msgspec
from msgspec import Meta

Handle = Annotated[str, Meta(min_length=3, max_length=30)]
Email = Annotated[str, Meta(max_length=254)]
Password = Annotated[str, Meta(min_length=1, max_length=1024)]


class NewMember(msgspec.Struct, forbid_unknown_fields=True):
    """A sign-up, from the page or the API. `gv` is the id of the click that led here."""

    handle: Handle
    email: Email
    password: Password
    display_name: Annotated[str, Meta(max_length=60)] = ""
    gv: Annotated[str, Meta(max_length=64)] = ""


class MemberMade(msgspec.Struct):
    id: str
    handle: str


class Profile(msgspec.Struct):
    """What a member may change about themselves."""

    name: Annotated[str, Meta(max_length=60)]
    bio: Annotated[str, Meta(max_length=2000)] = ""


class MemberCard(msgspec.Struct):
    """A member as others see them."""

    id: str
    handle: str
    name: str
    bio: str
    avatar_url: str
