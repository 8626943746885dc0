from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

Url = Annotated[str, Meta(max_length=2000)]
Types = Annotated[list[Annotated[str, Meta(max_length=60)]], Meta(max_length=50)]

TEST = "endpoint.test"


class NewEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """`types`: what to tell; none at all means everything."""

    url: Url
    types: Types = []


class ChangedEndpoint(msgspec.Struct, forbid_unknown_fields=True):
    """`on` switches it on or off. `catch_up`: once it is on again, what it missed is sent, else it begins anew."""

    url: Url
    types: Types = []
    on: bool = True
    catch_up: bool = True


class EndpointForm(msgspec.Struct):
    """Either of them, from a page, where a box that is not ticked is not sent."""

    url: Url
    types: list[str] = []


class SwitchForm(msgspec.Struct):
    on: bool = False
    catch_up: bool = False


class SecretForm(msgspec.Struct):
    keep_old: bool = False


class NewSecret(msgspec.Struct):
    """`keep_old`: the one before signs as well for another day. Not after a leak."""

    keep_old: bool = True


class EndpointView(msgspec.Struct):
    """An address of yours that is told what happens."""

    id: str
    url: str
    types: list[str]
    on: bool
    off_reason: str
    """Why it is off: `by_hand`, `gone` (it said so), `unreachable` (tried for days), `keys_lost`,
    `maker_left` (who gave it to us runs the group or the room no longer). Else empty."""
    waiting: int
    """Messages still to be sent; counted up to a thousand."""
    resting_until: datetime | None
    """It did not answer and is asked again then; everything waits, in order."""
    created_at: datetime


class Endpoints(msgspec.Struct):
    items: list[EndpointView]
    types: list[str]
    """Everything that can be told here."""
    next: str | None = None


class EndpointMade(msgspec.Struct):
    endpoint: EndpointView
    secret: str
    """Shown once."""


class Secret(msgspec.Struct):
    secret: str
    """Shown once."""
    old_until: datetime | None


class AttemptView(msgspec.Struct):
    at: datetime
    status: int
    """What was answered; 0 when nothing was."""
    why: str
    """Why nothing was: `timeout`, `connection_failed`, `no_such_host`, `not_public`, `not_http`, `nothing_left`."""
    took_ms: int
    answer: str
    """How the answer began."""


class DeliveryView(msgspec.Struct):
    id: str
    message_id: str
    """The `webhook-id` it is sent with, however often."""
    type: str
    state: str
    """`waiting`, `delivered`, or `failed` after the last try."""
    tries: int
    occurred_at: datetime
    next_at: datetime | None
    attempts: list[AttemptView]


class Deliveries(msgspec.Struct):
    items: list[DeliveryView]
    next: str | None = None


class NewRedelivery(msgspec.Struct, forbid_unknown_fields=True):
    """One delivery by its id, or all since a time; those that were delivered only if `delivered_too`."""

    delivery: Annotated[str, Meta(pattern=r"^[0-9]{1,18}$")] | None = None
    since: datetime | None = None
    delivered_too: bool = False


class RedeliveryForm(msgspec.Struct):
    delivery: Annotated[str, Meta(pattern=r"^[0-9]{0,18}$")] = ""
    days: Annotated[int, Meta(ge=1, le=30)] = 1
    delivered_too: bool = False


class Queued(msgspec.Struct):
    queued: int


class Message(msgspec.Struct):
    """What goes out. The same shape as what shops send to us."""

    type: str
    timestamp: datetime
    data: Any
