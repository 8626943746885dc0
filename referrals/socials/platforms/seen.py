"""What a platform shows of a post or an account, in the same words whichever platform it is."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Kind = Literal["post", "account"]
# No post was ever seen by more people than this; a figure beyond it is no figure.
Figure = Annotated[int, Meta(ge=0, le=1_000_000_000_000)]
Moment = Annotated[datetime, Meta(tz=True)]


class Place(msgspec.Struct, frozen=True):
    """What an address names: a post or an account of a platform that we can ask. `key` is the platform's own word."""

    platform: str
    kind: Kind
    key: str


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One answer. `account` is whose it is and `post` which it is, both as they stay when names change; `text` is what
    its owner alone can write there; `source` is the host that was asked."""

    source: str
    account: str
    name: str
    url: str
    text: str
    post: str = ""
    published_at: datetime | None = None
    figures: Mapping[str, int] = {}


class Address(msgspec.Struct, frozen=True):
    """An address as an adapter reads it: its host without `www.`, the parts of its path, its parameters."""

    host: str
    parts: tuple[str, ...]
    query: Mapping[str, str]


class Platform(msgspec.Struct, frozen=True):
    """How one platform is asked. `hosts`: where its posts are seen; `kept_days`: for how long its terms let a figure be
    kept."""

    name: str
    title: str
    figures: frozenset[str]
    hosts: Callable[[], tuple[str, ...]]
    is_on: Callable[[], bool]
    find: Callable[[Address], tuple[Kind, str] | None]
    look: Callable[[Kind, str], Awaitable[Seen]]
    kept_days: int | None = None


class CannotSee(Exception):
    """Nothing to be read. `why` is a stable word: `gone` (deleted, private, never there), `too_fast` (come again in
    `wait` seconds), `refused`, `redirected`, `too_large`, `unreadable`, `unreachable`."""

    def __init__(self, why: str, wait: int = 0) -> None:
        self.why, self.wait = why, wait
        super().__init__(why)
