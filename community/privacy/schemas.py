from datetime import datetime
from typing import Literal

import msgspec

MayWrite = Literal["everyone", "groups", "nobody"]


class PrivacyView(msgspec.Struct, forbid_unknown_fields=True):
    """Who may begin to write to a member, and whether nobody sees that they are here, or have read."""

    may_write: MayWrite
    is_hidden: bool
    hides_reading: bool = False
    """Where two talk alone neither sees then how far the other has read."""


class PrivacyForm(msgspec.Struct):
    may_write: MayWrite
    is_hidden: bool = False
    hides_reading: bool = False


class Blocked(msgspec.Struct):
    """Somebody a member blocked."""

    id: str
    handle: str
    name: str
    since: datetime
