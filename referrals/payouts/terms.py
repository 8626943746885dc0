"""How a store pays out: from which sum, what it costs, by which rails, on which day."""

from datetime import datetime, timedelta

import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS, check_amount, check_currency
from referrals.payouts.rails import RAILS
from storefront.stores.policy import access_own_store

# Twenty of the usual kind of coin; a yen is a hundredth of it.
USUAL_MINIMUM = 20


class Terms(msgspec.Struct, frozen=True):
    """Amounts in minor units. `least` 0: nothing before the minimum. `pay_day` 0: batches are made by hand only."""

    currency: str
    minimum: int
    least: int = 0
    early_fee: int = 0
    fees: dict[str, int] = {}
    credit_bonus_bps: int = 0
    pay_day: int = 1
    rails: tuple[str, ...] = ("bank", "store_credit")
    identity_from: int = 0
    """Above this sum of money in a calendar year: only to whom the store has looked at. 0: never asked."""
    by_id: int | None = None
    """Who put them in force."""
    once_asked_from: int = 0
    """The lowest limit that ever held: also that of before anything was said of this currency (see `_unsaid`)."""

    def fee(self, rail: str, *, early: bool) -> int:
        return self.fees.get(rail, 0) + (self.early_fee if early and rail != "store_credit" else 0)

    def for_batch(self, minimum: int) -> "Terms":
        """A batch has a minimum of its own, and whom it reaches pays nothing for being early."""
        return msgspec.structs.replace(self, minimum=minimum, least=0)

    def for_payee(self, member_id: int) -> "Terms":
        """Nobody lifts the limit that stands in their own way: by their own word the lowest that ever held goes on."""
        if self.by_id != member_id or not self.once_asked_from:
            return self
        return msgspec.structs.replace(self, identity_from=self.once_asked_from)

    @property
    def next_pay_day(self) -> datetime | None:
        if not self.pay_day:
            return None
        today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        if today.day < self.pay_day:
            return today.replace(day=self.pay_day)
        return (today.replace(day=1) + timedelta(days=32)).replace(day=self.pay_day)


def usual_terms(currency: str) -> Terms:
    """What holds until a store says otherwise."""
    exponent = EXPONENTS[currency]
    return Terms(currency, USUAL_MINIMUM * 10**exponent if exponent else USUAL_MINIMUM * 100)


async def terms_of(store_id: int, currency: str) -> Terms:
    row = await db.fetch_one(
        """SELECT currency, minimum, least, early_fee, fees, credit_bonus_bps, pay_day, rails, identity_from, by_id,
                  (SELECT coalesce(min(CASE WHEN currency = $2 THEN identity_from ELSE 1 END), 0)
                     FROM payout_terms WHERE store_id = $1 AND identity_from > 0 AND (currency = $2 OR id <
                          (SELECT min(id) FROM payout_terms WHERE store_id = $1 AND currency = $2))
                  ) AS once_asked_from
             FROM payout_terms
            WHERE store_id = $1 AND currency = $2 ORDER BY id DESC LIMIT 1""",
        store_id,
        currency,
    )
    return msgspec.convert(dict(row), Terms) if row else await _unsaid(store_id, currency)


async def _unsaid(store_id: int, currency: str) -> Terms:
    """In a currency that nothing was said about. Where the store asks in any other, it asks for every sum in this one:
    else who earns in two takes the one that was forgotten."""
    terms = usual_terms(currency)
    rows = await db.fetch(
        """SELECT * FROM (SELECT DISTINCT ON (currency) id, identity_from, by_id,
                                 max(identity_from) OVER (PARTITION BY currency) > 0 AS has_asked
                            FROM payout_terms WHERE store_id = $1 ORDER BY currency, id DESC) newest
            WHERE has_asked ORDER BY id DESC""",
        store_id,
    )
    if any(row["identity_from"] for row in rows):
        return msgspec.structs.replace(terms, identity_from=1)
    return msgspec.structs.replace(terms, by_id=rows[0]["by_id"], once_asked_from=1) if rows else terms


async def publish_terms(viewer: Viewer, slug: str, terms: Terms) -> None:
    """Put them in force for payouts from now on; what is on its way keeps what it was shown."""
    store = await access_own_store(viewer, slug)
    _check(terms)
    await db.execute(
        """INSERT INTO payout_terms (store_id, currency, minimum, least, early_fee, fees, credit_bonus_bps, pay_day,
                                     rails, by_id, created_at, identity_from)
           VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9::jsonb, $10, $11, $12)""",
        store["id"],
        terms.currency,
        terms.minimum,
        terms.least,
        terms.early_fee,
        msgspec.json.encode(terms.fees).decode(),
        terms.credit_bonus_bps,
        terms.pay_day,
        msgspec.json.encode(terms.rails).decode(),
        require_member(viewer),
        clock.now(),
        terms.identity_from,
    )


def _check(terms: Terms) -> None:
    check_currency(terms.currency)
    for name in ("minimum", "least", "early_fee", "identity_from"):
        check_amount(getattr(terms, name), name)
    for fee in terms.fees.values():
        check_amount(fee, "fees")
    if terms.least and terms.least >= terms.minimum:
        raise Invalid("least", _("The early minimum lies below the usual one."))
    if terms.least and terms.least <= terms.early_fee + max(terms.fees.values(), default=0):
        raise Invalid("early_fee", _("Whoever takes the least must still get something after the fees."))
    if max(terms.fees.values(), default=0) >= max(terms.minimum, 1):
        raise Invalid("fees", _("A fee as high as the minimum leaves nothing."))
    if not 0 <= terms.credit_bonus_bps <= 10_000:
        raise Invalid("credit_bonus_bps", _("The bonus is 0 to 10,000 basis points; 1,000 is ten percent."))
    if not 0 <= terms.pay_day <= 28:
        raise Invalid("pay_day", _("A day of the month from 1 to 28, or 0 for none."))
    if not terms.rails or any(name not in RAILS for name in terms.rails):
        raise Invalid("rails", _("Choose at least one way of paying."))
