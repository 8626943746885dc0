from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Protocol

import asyncpg
import msgspec
from msgspec import Meta

from app.errors import Problem
from app.signed import BadSignature as BadSignature
from app.signed import SameIdOtherBody as SameIdOtherBody
from app.signed import TooSlow as TooSlow
from storefront.catalog.schemas import ProductDetails
from storefront.orders.schemas import CustomerTold, OrderTold, RefundTold


class NotUnderstood(Exception):
    """A message we have no use for (yet); it is kept."""


class KeysUnavailable(Problem):
    """The keys that this store signs with could not be read just now. Nothing was kept; send it again in a minute."""

    status = 503
    type = "keys-unavailable"
    title = "The signature cannot be checked now"
    retry_after = 60


class Access(msgspec.Struct, frozen=True):
    """Where a shop answers and with which keys; `secret` is what it signs its webhooks with."""

    url: str
    keys: str
    secret: str


class Received(msgspec.Struct):
    """It is durable here."""

    received: bool


class HeldOrder(msgspec.Struct):
    """An order whose amounts do not add up, and why; an empty `doubt` when they do, or somebody said so."""

    ref: str
    number: str
    doubt: str
    placed_at: datetime | None


class HeldOrders(msgspec.Struct):
    items: list[HeldOrder]
    next: str | None = None


class NewClearance(msgspec.Struct, forbid_unknown_fields=True):
    note: Annotated[str, Meta(max_length=500)] = ""


class KeptMessage(msgspec.Struct):
    """A message that counts for nothing so far: `flagged` for a person, or `kept` because it was not understood."""

    id: str
    event_id: str
    topic: str
    state: str
    note: str
    received_at: datetime


class KeptMessages(msgspec.Struct):
    items: list[KeptMessage]
    next: str | None = None


class Refused(msgspec.Struct):
    """Messages that came in a store's name and were refused: `signature` (its `reason` unsigned, stale, wrong, or
    unchecked while the keys could not be read), `conflict` (a known id with another body: the id) or `oversize` (the
    size, where it was told)."""

    kind: str
    many: int
    reason: str
    first_at: datetime
    last_at: datetime


class RefusedList(msgspec.Struct):
    """All of them: there are three kinds."""

    items: list[Refused]
    next: str | None = None


class Pull(msgspec.Struct):
    """One look at what the store says it sold. `missed`, `stale`, `extra`: orders that we had never heard of, that
    differed, and that we know and the store does not name. `error`: why it ended early."""

    id: str
    since: datetime
    started_at: datetime
    ended_at: datetime | None
    seen: int
    missed: int
    stale: int
    extra: int
    error: str


class Pulls(msgspec.Struct):
    items: list[Pull]
    next: str | None = None


class Find(msgspec.Struct):
    """An order that a look found: `missing` or `differs` (made up for), or `extra` (for a person to look at)."""

    ref: str
    number: str
    kind: str
    found_at: datetime


class Finds(msgspec.Struct):
    items: list[Find]
    next: str | None = None


class Asked(msgspec.Struct):
    """The store will be asked in a moment."""

    asked: bool


class NewReplay(msgspec.Struct, forbid_unknown_fields=True):
    since: Annotated[datetime, Meta(tz=True)]


class Replayed(msgspec.Struct):
    """How many messages will be read again."""

    queued: int


class Signed(msgspec.Struct, frozen=True):
    """A message the store vouches for: its id, for ever, and its topic where the headers name it."""

    event_id: str
    topic: str = ""


class ProductTold(msgspec.Struct, frozen=True):
    external_id: str
    details: ProductDetails
    told_at: datetime


class ProductDropped(msgspec.Struct, frozen=True):
    external_id: str
    told_at: datetime


class Doubt(msgspec.Struct, frozen=True):
    """Something in a message that a person must look at, while the rest of it counts."""

    reason: str


class Offer(msgspec.Struct, frozen=True):
    """What a code of ours gives its user in the shop. Shopify: `discount_id` of a discount that stands there."""

    discount_id: str = ""
    percent_bps: int = 0
    most_uses: int | None = None
    most_uses_per_buyer: int | None = None
    is_alone: bool = False
    note: str = ""


Fact = OrderTold | RefundTold | CustomerTold | ProductTold | ProductDropped | Doubt


class Connector(Protocol):
    """What a provider's folder must offer. Nothing in it touches the database."""

    @property
    def verify(self) -> Callable[[Sequence[str], Mapping[str, str], bytes], Signed | None]:
        """Who signed with one of these secrets; None for a greeting that is answered and forgotten; BadSignature."""

    @property
    def topic_of(self) -> Callable[[str, bytes], str]:
        """What the message is about, given what its headers said; NotUnderstood."""

    @property
    def facts(self) -> Callable[[asyncpg.Record, str, bytes, datetime], list[Fact]]:
        """What the message says, as of its own times (else of this one); NotUnderstood, Flagged."""

    @property
    def pull(self) -> Callable[[asyncpg.Record, Access, datetime], AsyncIterator[tuple[str, bytes]]]:
        """What the shop says that it sold since then, as (topic, body) of its own messages; ask.Refused."""
