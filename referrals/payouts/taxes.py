"""Who is paid, as tax offices ask, and what a payout has to wait for. A hook with data behind it, not advice."""

import re
from typing import Annotated

import asyncpg
import msgspec
from msgspec import Meta

from app import clock, db
from app.auth import Viewer, require_member
from app.countries import COUNTRIES
from app.errors import Invalid
from app.i18n import gettext as _
from app.money import check_amount, check_currency, share_of
from app.text import clean
from community.members.confirming import confirm_person
from referrals.payouts.seal import seal, unseal
from referrals.payouts.thresholds import SHIPPED, Threshold, in_force


class NewTaxProfile(msgspec.Struct, rename={"password": "tax_password"}):
    """Its form stands on the page of the accounts', whose field is called `password`."""

    country: Annotated[str, Meta(max_length=2)]
    kind: Annotated[str, Meta(max_length=10)]
    legal_name: Annotated[str, Meta(max_length=200)]
    tax_id: Annotated[str, Meta(max_length=40)] = ""
    password: Annotated[str, Meta(max_length=1024)] = ""


class Verdict(msgspec.Struct, frozen=True):
    """What tax rules say about a payout: regimes that were reached, what is kept back, whether it must wait."""

    reached: list[str]
    withheld: int
    must_ask: bool


async def tell_tax_profile(viewer: Viewer, told: NewTaxProfile) -> None:
    member_id = require_member(viewer)
    country = told.country.strip().upper()
    if country not in COUNTRIES:
        raise Invalid("country", _("Please choose a country."))
    if told.kind not in ("person", "business"):
        raise Invalid("kind", _("A person or a business?"))
    name = clean(told.legal_name, "legal_name", least=2, most=200)
    tax_id = re.sub(r"[\s./-]", "", clean(told.tax_id, "tax_id", most=40)).upper()
    if tax_id and not re.fullmatch(r"[A-Z0-9]{5,25}", tax_id):
        raise Invalid("tax_id", _("A tax number is 5 to 25 letters and digits."))
    await confirm_person(viewer, told.password, field="tax_password")
    await db.execute(
        """INSERT INTO tax_profile (member_id, country, kind, sealed, last4, changed_at)
           VALUES ($1, $2, $3, $4, $5, $6)
           ON CONFLICT (member_id) DO UPDATE SET country = excluded.country, kind = excluded.kind,
               sealed = excluded.sealed, last4 = excluded.last4, changed_at = excluded.changed_at""",
        member_id,
        country,
        told.kind,
        seal("tax", member_id, {"legal_name": name, "tax_id": tax_id}),
        tax_id[-4:],
        clock.now(),
    )


async def tax_profile_of(member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT member_id, country, kind, sealed, last4, changed_at FROM tax_profile WHERE member_id = $1", member_id
    )


def legal_name_of(profile: asyncpg.Record | None) -> str:
    return unseal("tax", profile["member_id"], profile["sealed"]).get("legal_name", "") if profile else ""


def verdict_of(
    country: str, has_number: bool, paid: int, currency: str, earned: int, rows: tuple[Threshold, ...]
) -> Verdict:
    """What this year's thresholds ask of a payout of so much, after `paid`: all of the member's in this currency.

    Sums in other currencies are not turned into this one. An unknown country may be any.
    """
    reached = [row for row in in_force(rows, country, currency, clock.now().year) if paid + earned >= row.amount]
    withheld = 0 if has_number else sum(share_of(earned, row.withhold_bps) for row in reached if country)
    must_ask = not has_number and any(row.action == "ask" or (row.withhold_bps and not country) for row in reached)
    return Verdict(sorted({row.regime for row in reached}), min(withheld, earned), must_ask)


async def set_threshold(row: Threshold) -> None:
    """The operator's own, in place of a shipped one of the same regime, country and first year."""
    check_currency(row.currency)
    check_amount(row.amount)
    if row.country not in COUNTRIES | {"EU"}:
        raise Invalid("country", _("Please choose a country."))
    if not 0 <= row.withhold_bps <= 10_000 or bool(row.withhold_bps) != (row.action == "withhold"):
        raise Invalid(
            "withhold_bps", _("1 to 10,000 basis points are kept back by “withhold”, and none by the others.")
        )
    await db.execute(
        """INSERT INTO tax_threshold (regime, country, currency, amount, action, since_year, withhold_bps, created_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
           ON CONFLICT (regime, country, since_year) DO UPDATE SET currency = excluded.currency,
               amount = excluded.amount, action = excluded.action, withhold_bps = excluded.withhold_bps""",
        *msgspec.structs.astuple(row),
        clock.now(),
    )


async def thresholds() -> tuple[Threshold, ...]:
    """The shipped ones, with the operator's own in their place."""
    rows = await db.fetch(
        "SELECT regime, country, currency, amount, action, since_year, withhold_bps FROM tax_threshold ORDER BY id"
    )
    own = {(row["regime"], row["country"], row["since_year"]): Threshold(**row) for row in rows}
    shipped = {(row.regime, row.country, row.since_year): row for row in SHIPPED}
    return tuple((shipped | own).values())
