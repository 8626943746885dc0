from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class NewNumber(msgspec.Struct, forbid_unknown_fields=True):
    number: Annotated[str, Meta(min_length=1, max_length=40)]
    """With its country, as +49 171 1234567, however it is spelt."""


class TypedCode(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=20)]


class CodeView(msgspec.Struct):
    """A code on its way. `failed`: it could not be sent; ask again."""

    sent_to: str
    state: Literal["asked", "sent", "failed"]
    expires_at: datetime
    again_at: datetime
    """From when on another may be asked for."""
    demo_code: str = ""
    """The code itself, in a demo that sends no messages."""


class PhoneView(msgspec.Struct):
    """`number` is masked. `is_on`: whether a number can be proven here at all."""

    number: str | None
    proven_at: datetime | None
    is_on: bool
    code: CodeView | None = None
