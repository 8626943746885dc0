from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money

Slug = Annotated[str, Meta(min_length=1, max_length=40)]
Currency = Annotated[str, Meta(min_length=3, max_length=3)]
RailName = Annotated[str, Meta(min_length=1, max_length=20)]
Password = Annotated[str, Meta(max_length=1024)]


class NewPayout(msgspec.Struct, forbid_unknown_fields=True):
    """Take everything available at a store. `amount` and `receives` are what the quote said: if they are no longer
    true, nothing happens and the answer is 409. `arrives` is asked for where the account is in another currency."""

    store: Slug
    currency: Currency
    rail: RailName
    amount: Annotated[int, Meta(ge=0, le=10**14)]
    receives: Annotated[int, Meta(ge=0, le=10**14)]
    arrives: Annotated[int, Meta(ge=0, le=10**14)] = 0


class RateUsed(msgspec.Struct):
    """The rate by which a payout is reckoned: whole units, as a decimal."""

    id: str
    rate: str
    source: str
    taken_at: str


class QuoteView(msgspec.Struct):
    """One payout as it would be. `trouble` is a stable word, empty when it can be asked for; `words` the same for a
    person. `pays_on` is the store's next pay day, or null when it pays by hand. `arrives` is what comes to the account:
    `receives` itself, or in the account's own currency by `rate`; null while the store has no rate for it. Above
    `identity_from` in a calendar year the store asks who you are (null: never); `asks_identity`: for this one."""

    store: str
    rail: str
    account: str
    available: Money
    owed: Money
    fee: Money
    bonus: Money
    withheld: Money
    amount: Money
    receives: Money
    is_early: bool
    minimum: Money
    least: Money
    pays_on: str | None
    trouble: str
    words: str
    arrives: Money | None = None
    rate: RateUsed | None = None
    identity_from: Money | None = None
    asks_identity: bool = False


class QuoteList(msgspec.Struct):
    quotes: list[QuoteView]


class PayoutView(msgspec.Struct):
    """A payout. `amount` is the commission in it, `receives` what is sent, `netted` what went to a debt before,
    `arrives` the same as `receives`, or what the account gets in its own currency by `rate`."""

    id: str
    number: str
    store: str
    rail: str
    account: str
    state: str
    reason: str
    amount: Money
    netted: Money
    fee: Money
    withheld: Money
    bonus: Money
    receives: Money
    asked_at: str
    changed_at: str
    credit_code: str | None
    advice_url: str
    arrives: Money | None = None
    rate: RateUsed | None = None


class PayoutList(msgspec.Struct):
    items: list[PayoutView]
    next: str | None


class NewMethod(msgspec.Struct, forbid_unknown_fields=True):
    """Where money goes. `details` by rail: bank holder, account, bic; paypal account; wise holder, account; alipay
    holder, account; stripe account. `currency` is what the account is kept in, empty for whatever is earned."""

    rail: RailName
    details: dict[Annotated[str, Meta(max_length=20)], Annotated[str, Meta(max_length=254)]]
    password: Password
    currency: Annotated[str, Meta(max_length=3)] = ""


class MethodView(msgspec.Struct):
    """An account; of its number only the end is shown. Nothing is paid to it before `usable_at`."""

    id: str
    rail: str
    account: str
    usable_at: str
    trouble: str
    currency: str = ""


class MethodList(msgspec.Struct):
    methods: list[MethodView]


class NewRateTold(msgspec.Struct, forbid_unknown_fields=True):
    """One whole unit of `base` is `rate` of `quote`: a decimal in a string, so that nothing rounds it on its way.
    `taken_at` lies within the last seven days; left out, it is now."""

    base: Currency
    quote: Currency
    rate: Annotated[str, Meta(max_length=20)]
    source: Annotated[str, Meta(min_length=2, max_length=100)]
    taken_at: Annotated[datetime, Meta(tz=True)] | None = None


class RateView(msgspec.Struct):
    """A rate that a store told, for ever. `in_force`: a payout would be reckoned by it now."""

    id: str
    base: str
    quote: str
    rate: str
    source: str
    taken_at: str
    entered_by: str
    in_force: bool


class RateList(msgspec.Struct):
    items: list[RateView]
    next: str | None
