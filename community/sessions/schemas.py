from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

Scopes = Annotated[list[Annotated[str, Meta(max_length=20)]], Meta(max_length=4)]


class Login(msgspec.Struct, forbid_unknown_fields=True):
    login: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]
    name: Annotated[str, Meta(max_length=60)] = ""
    """What its owner knows the token by, among others."""
    scopes: Scopes = msgspec.field(default_factory=lambda: ["read", "write"])
    """Of `read`, `write` and, for those who are one, `moderate` and `admin`."""


class Token(msgspec.Struct):
    token: str


class TokenView(msgspec.Struct):
    """A token that holds. What it is, nobody sees again."""

    id: str
    name: str
    scopes: list[str]
    created_at: datetime
    used_at: datetime | None
    """To a few minutes."""
    used_from: str
    """The network it was last used from, such as `203.0.113.0/24`."""
    is_this: bool
    """The one that asks."""


class NewToken(msgspec.Struct):
    """From a page."""

    name: Annotated[str, Meta(max_length=60)] = ""
    scopes: list[Annotated[str, Meta(max_length=20)]] = []
    password: Annotated[str, Meta(max_length=1024)] = ""
