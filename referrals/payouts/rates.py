"""What one currency is worth in another: told by a store's people, kept for ever, used at a payout and nowhere else."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.i18n import gettext as _
from app.limits import limit
from app.money import EXPONENTS, check_currency
from app.paging import Page, cut, decode
from app.text import clean
from storefront.stores.policy import access_own_store

MOST_AGE = timedelta(days=7)
"""An older rate pays nobody: they wait until somebody has looked again."""
_DECIMAL = re.compile(r"([0-9]{1,7})(?:\.([0-9]{1,10}))?")


class Rate(msgspec.Struct, frozen=True):
    """One whole unit of `base` is `rate` of `quote`: dollars, not cents."""

    id: int
    base: str
    quote: str
    rate: Decimal
    source: str
    taken_at: datetime
    by_id: int


class NewRate(msgspec.Struct, frozen=True):
    base: str
    quote: str
    rate: str
    source: str
    taken_at: datetime


def convert(amount: int, base: str, quote: str, rate: Decimal) -> int:
    """Minor units of one currency as those of another, the half to the even one."""
    return round(_exactly(amount, base, quote, rate))


def rest_of(amount: int, base: str, quote: str, rate: Decimal) -> Decimal:
    """What rounding took away (above zero) or gave, as a part of the other currency's minor unit: exact, and at most
    a half."""
    exact = _exactly(amount, base, quote, rate)
    rest = exact - round(exact)
    return Decimal(rest.numerator) / Decimal(rest.denominator)


def _exactly(amount: int, base: str, quote: str, rate: Decimal) -> Fraction:
    return amount * Fraction(rate) * Fraction(10) ** (EXPONENTS[quote] - EXPONENTS[base])


async def rates_from(store_id: int, base: str) -> dict[str, Rate]:
    """The store's newest rate out of a currency into each other one, unless even that is too old."""
    rows = await db.fetch(
        """SELECT DISTINCT ON (quote) id, base, quote, rate, source, taken_at, by_id FROM fx_rate
            WHERE store_id = $1 AND base = $2 ORDER BY quote, taken_at DESC, id DESC""",
        store_id,
        base,
    )
    oldest = clock.now() - MOST_AGE
    return {row["quote"]: Rate(**row) for row in rows if row["taken_at"] >= oldest}


async def tell_rate(viewer: Viewer, slug: str, told: NewRate) -> int:
    """From now on payouts are reckoned by it; those that were asked for keep theirs. A slip is told anew."""
    store = await access_own_store(viewer, slug)
    member_id = require_member(viewer)
    await limit("payout-rate", store["id"], most=120, per=3600)
    check_currency(told.base)
    if told.quote not in EXPONENTS:
        raise Invalid("quote", _("Choose a currency from the list."))
    if told.base == told.quote:
        raise Invalid("quote", _("A rate leads from one currency into another."))
    now = clock.now()
    if not now - MOST_AGE <= told.taken_at <= now:
        raise Invalid("taken_at", _("A rate was taken within the last seven days, and not in the future."))
    rate_id: int = await db.fetch_val(
        """INSERT INTO fx_rate (store_id, base, quote, rate, source, taken_at, by_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id""",
        store["id"],
        told.base,
        told.quote,
        _decimal(told.rate),
        clean(told.source, "source", least=2, most=100),
        told.taken_at,
        member_id,
        now,
    )
    return rate_id


async def rates_of(
    store_id: int, *, cursor: str | None, limit: int = 50, rate_id: int | None = None
) -> Page[asyncpg.Record]:
    """All rates a store ever told, the newest first; `in_force` is what a payout would be reckoned by now."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT r.*, m.handle, r.taken_at >= $4 AND NOT EXISTS (
                     SELECT 1 FROM fx_rate n WHERE n.store_id = r.store_id AND n.base = r.base AND n.quote = r.quote
                        AND (n.taken_at, n.id) > (r.taken_at, r.id)) AS in_force
             FROM fx_rate r JOIN member m ON m.id = r.by_id
            WHERE r.store_id = $1 AND ($2::bigint IS NULL OR r.id < $2) AND ($5::bigint IS NULL OR r.id = $5)
            ORDER BY r.id DESC LIMIT $3""",
        store_id,
        before,
        limit + 1,
        clock.now() - MOST_AGE,
        rate_id,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def used_in(batch_id: int) -> list[asyncpg.Record]:
    """The rates a batch is reckoned by, with what each turns into what: for the two who approve it."""
    return await db.fetch(
        """SELECT r.*, m.handle, count(*) AS many, sum(p.sends)::bigint AS sends, sum(p.pays)::bigint AS pays
             FROM payout p JOIN fx_rate r ON r.id = p.rate_id JOIN member m ON m.id = r.by_id
            WHERE p.batch_id = $1 GROUP BY r.id, m.handle ORDER BY r.id""",
        batch_id,
    )


def _decimal(text: str) -> Decimal:
    if not _DECIMAL.fullmatch(text.strip()) or not (rate := Decimal(text.strip())):
        raise Invalid("rate", _("A number above zero like 0.9215, with at most ten decimals."))
    return rate
