"""What a programme pays, as data. A version's terms never change; no terms at all: its plain rate for every line."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Bps = Annotated[int, Meta(ge=0, le=10_000)]
Amount = Annotated[int, Meta(ge=0, le=10**12)]
Name = Annotated[str, Meta(max_length=80)]
Code = Annotated[str, Meta(min_length=1, max_length=60)]
EventName = Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]
Scope = Literal["product", "category", "brand", "store"]
"""What a rule is about. `value` is a product's external id or slug, a category ("Bags / Packs"), a brand, nothing."""


class _Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    pass


class Rule(_Part):
    """A rate of its own for a part of the shop, a tier of partners or a time. The most specific one wins."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    scope: Scope = "store"
    value: Annotated[str, Meta(max_length=200)] = ""
    kind: Literal["percent", "flat"] = "percent"
    rate_bps: Bps = 0
    amount: Amount = 0
    """For each unit sold, in minor units of the terms' currency."""
    tier: Name = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    budget: Name = ""


class Exclusion(_Part):
    """What earns nothing: gift cards, a brand that forbids it."""

    scope: Scope
    value: Annotated[str, Meta(min_length=1, max_length=200)]


class CodeRate(_Part):
    """The rate of orders that used a code: `at_most` lowers any other rate to it, `instead` takes its place."""

    code: Code
    rate_bps: Bps
    mode: Literal["at_most", "instead"] = "at_most"


class Margin(_Part):
    """What the shop keeps of a sale of this part of it: a line never pays more than `margin_share_bps` of that."""

    margin_bps: Bps
    scope: Scope = "store"
    value: Annotated[str, Meta(max_length=200)] = ""


class Caps(_Part):
    """The most that is granted: by an order, for a customer's orders, to a member in a day and in a month (UTC)."""

    order: Amount = 0
    customer: Amount = 0
    day: Amount = 0
    month: Amount = 0


class Step(_Part):
    above: Amount
    rate_bps: Bps


class Volume(_Part):
    """A higher rate from a certain net in a month on: for what is above the step, or for the whole month."""

    mode: Literal["marginal", "retroactive"]
    steps: Annotated[list[Step], Meta(min_length=1, max_length=10)]


class Friend(_Part):
    """What the buyer gets, as credit at the store: a part of the net, or an amount once an order.

    It counts after `wait_days` and ends `days` after that; 0: at once, and never.
    """

    kind: Literal["percent", "flat"]
    rate_bps: Bps = 0
    amount: Amount = 0
    wait_days: Annotated[int, Meta(ge=0, le=365)] = 0
    days: Annotated[int, Meta(ge=0, le=3_650)] = 0


class Recruiting(_Part):
    """A share of what a recruit earns by real sales, for whoever brought them; for so many months, one level up."""

    share_bps: Annotated[int, Meta(ge=0, le=5_000)]
    months: Annotated[int, Meta(ge=1, le=60)] = 12


class EventPay(_Part):
    """What a conversion of this name pays ("trial_started"): an amount for each, or a part of its value."""

    name: Annotated[str, Meta(min_length=1, max_length=60)]
    kind: Literal["percent", "flat"] = "flat"
    rate_bps: Bps = 0
    amount: Amount = 0


class Release(_Part):
    """When the hold ends: so many days after delivery, or after payment when nobody told of a delivery by then."""

    after: Literal["paid", "delivered"] = "paid"
    days: Annotated[int, Meta(ge=0, le=365)] = 0
    fallback_days: Annotated[int, Meta(ge=0, le=365)] = 60


class Wait(_Part):
    """A hold of its own for a part of the shop or a tier of partners, in days. The most specific one counts."""

    days: Annotated[int, Meta(ge=0, le=365)]
    scope: Scope = "store"
    value: Annotated[str, Meta(max_length=200)] = ""
    tier: Name = ""


class EventField(_Part):
    """What a conversion of a kind carries beside its click, its customer and its value."""

    name: EventName
    kind: Literal["text", "whole", "yes_no", "day"] = "text"
    one_of: Annotated[list[Annotated[str, Meta(min_length=1, max_length=60)]], Meta(max_length=30)] = []
    required: bool = False


class EventKind(_Part):
    """A kind of conversion the programme expects; `needs` is what it cannot go without."""

    name: EventName
    needs: Annotated[list[Literal["value", "customer_id", "gv"]], Meta(max_length=3)] = []
    fields: Annotated[list[EventField], Meta(max_length=20)] = []


class Terms(_Part):
    currency: Annotated[str, Meta(max_length=3)] = ""
    """Of every amount below. What has amounts says nothing about orders in another currency."""
    rules: Annotated[list[Rule], Meta(max_length=200)] = []
    deny: Annotated[list[Exclusion], Meta(max_length=200)] = []
    sale_bps: Bps = 0
    """A line discounted by more than this earns nothing; 0: sales earn like anything else."""
    codes: Annotated[list[CodeRate], Meta(max_length=200)] = []
    margins: Annotated[list[Margin], Meta(max_length=200)] = []
    margin_share_bps: Bps = 0
    pays_for: Literal["every_order", "first_order", "new_customer", "first_orders", "first_months"] = "every_order"
    pays_for_n: Annotated[int, Meta(ge=0, le=120)] = 0
    caps: Caps = Caps()
    budget: Name = ""
    """Everything the programme pays comes out of it."""
    volume: Volume | None = None
    friend: Friend | None = None
    recruiting: Recruiting | None = None
    market: Annotated[str, Meta(max_length=2)] = ""
    """The country whose law the programme is under, as two letters."""
    activation: Amount = 0
    """For bringing a member, once they have done something useful and proven what `activation_needs` names."""
    activation_needs: Literal["email", "phone", "both"] = "email"
    events: Annotated[list[EventPay], Meta(max_length=50)] = []
    release: Release | None = None
    waits: Annotated[list[Wait], Meta(max_length=100)] = []
    kinds: Annotated[list[EventKind], Meta(max_length=50)] = []
    unknown_kinds: Literal["keep", "refuse"] = "keep"
    """Conversions of kinds that are neither declared nor paid for: kept without pay, or refused."""


def terms_of(version: Any) -> Terms:
    """The terms of a row of `program_version`."""
    return msgspec.convert(version["terms"] or {}, Terms)


def kinds_in(terms: Terms) -> list[str]:
    """The names of the conversions that are declared or paid for."""
    return sorted({one.name for one in terms.kinds} | {one.name for one in terms.events})


def as_json(terms: Terms) -> str:
    return msgspec.json.encode(terms).decode()
