from typing import Annotated

import msgspec
from msgspec import Meta


class Login(msgspec.Struct, forbid_unknown_fields=True):
    login: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class Token(msgspec.Struct):
    token: str
