from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money

Name = Annotated[str, Meta(max_length=200)]
FieldName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
FieldValue = bool | Annotated[int, Meta(ge=-(10**12), le=10**12)] | Name


class NewConversion(msgspec.Struct, forbid_unknown_fields=True):
    """What a store's server tells: `id` is its own, and makes telling twice harmless. `gv` is the click that led to it.

    With `order_id` the click belongs to that order; with `customer_id` alone, to every later order of that customer.
    """

    store: Annotated[str, Meta(min_length=1, max_length=40)]
    id: Annotated[str, Meta(min_length=1, max_length=200)]
    kind: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
    gv: Annotated[str, Meta(max_length=36)] = ""
    customer_id: Name = ""
    order_id: Name = ""
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    value: Money | None = None
    fields: Annotated[dict[FieldName, FieldValue], Meta(max_length=20)] = {}
    """What the programme's rules say that this kind carries; nothing that names a person."""
    occurred_at: datetime | None = None


class ConversionView(msgspec.Struct):
    id: str
    store: str
    kind: str
    click_is_known: bool
    """Whether the click exists and led to this store (or anywhere): only then does it count."""
    occurred_at: str
    fields: dict[str, bool | int | str] = {}
    is_known: bool = True
    """Whether the rules of then name this kind. What they do not name is kept and pays nothing."""
    words: str = ""


class Device(msgspec.Struct, forbid_unknown_fields=True):
    """What an app knows on its first start. `install_referrer` is what the app store handed over (Android), `browser`
    the User-Agent of the device's browser, as its web view names it."""

    install_referrer: Annotated[str, Meta(max_length=2000)] = ""
    browser: Annotated[str, Meta(max_length=1000)] = ""


class DeferredLink(msgspec.Struct):
    """Where whoever installed the app wanted to go. `gv` is to be sent with sign-up, sign-in and orders."""

    matched: bool
    gv: str
    target: str
    confidence: int
    """Percent: 100 when the app store carried the click, less when it was recognised."""


class NewInvite(msgspec.Struct, forbid_unknown_fields=True):
    email: Annotated[str, Meta(min_length=3, max_length=254)]


class InviteForm(NewInvite, forbid_unknown_fields=False):
    """The same from a page."""


class NewPhoneInvite(msgspec.Struct, forbid_unknown_fields=True):
    phone: Annotated[str, Meta(min_length=5, max_length=40)]


class PhoneForm(NewPhoneInvite, forbid_unknown_fields=False):
    """The same from a page."""


class ReadyMessage(msgspec.Struct):
    """What you send your friend, in whichever way; `whatsapp` and `sms` open it ready to go. We send nothing."""

    url: str
    text: str
    whatsapp: str
    sms: str


class OverrideView(msgspec.Struct):
    id: str
    order: str
    winner: str | None
    reason: str
    state: str
    proposed_by: str
    decided_by: str | None
    needs_second: bool
    at_stake: Money
    proposed_at: str


class OverrideList(msgspec.Struct):
    items: list[OverrideView]
    next: str | None
