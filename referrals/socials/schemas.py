from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta


class AccountForm(msgspec.Struct):
    address: str = ""


class NewAccount(msgspec.Struct, forbid_unknown_fields=True):
    """The address of a channel or profile, or of a post by it."""

    address: Annotated[str, Meta(max_length=2000)]


class AccountView(msgspec.Struct):
    """`code` has to stand in the words of what `kind` says: the `account`'s description, or the `post`'s own text.
    `state` is `asked`, `looking`, `failed` or `proven`. `why` is `no_code`, `too_late` (a code lasts a week), `taken`
    (another member has proven it), or what kept us from looking: `gone`, `too_fast`, `refused`, `redirected`,
    `too_large`, `unreadable`, `unreachable`."""

    id: str
    platform: str
    kind: str
    key: str
    code: str
    state: str
    why: str
    name: str
    url: str
    asked_at: datetime
    looked_at: datetime | None
    proven_at: datetime | None


class AccountList(msgspec.Struct):
    """All of them, there are at most twenty. `platforms` are those that this server asks."""

    items: list[AccountView]
    platforms: list[str]
    next: str | None = None
