"""Where a member's money goes. A change asks for the password again, waits 72 hours and tells the old channel."""

from datetime import timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.money import check_currency
from app.text import clean
from community.members.confirming import confirm_person
from referrals.payouts.events import PayoutMethodChanged, PayoutMethodShared
from referrals.payouts.rails import RAILS, Rail
from referrals.payouts.rails.shape import masked
from referrals.payouts.seal import fingerprint, seal, unseal

COOL_OFF = timedelta(hours=72)
VERIFIED_FOR = timedelta(days=30)
"""So long a provider's word counts; it is asked again every week."""
MOST_FAILURES = 2
"""After so many failures in a row a method rests until its owner looks at it."""


async def add_method(viewer: Viewer, rail_name: str, told: dict[str, str], *, password: str, currency: str = "") -> int:
    """Pay me here from now on. The one that stood there before is put away, and its owner hears of it.

    `currency`: what the account is kept in, where that is not what is earned.
    """
    member_id = require_member(viewer)
    rail = _rail(rail_name)
    fields = _checked(rail, told)
    if currency:
        check_currency(currency)
    await confirm_person(viewer, password)
    now = clock.now()
    account = fields[rail.account]
    async with db.transaction():
        await _lock(member_id)
        before = await db.fetch_one(
            """UPDATE payout_method SET removed_at = $3 WHERE member_id = $1 AND rail = $2 AND removed_at IS NULL
               RETURNING hint""",
            member_id,
            rail.name,
            now,
        )
        method_id: int = await db.fetch_val(
            """INSERT INTO payout_method (member_id, rail, sealed, hint, fingerprint, created_at, usable_at, failures,
                                          currency)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8) RETURNING id""",
            member_id,
            rail.name,
            seal("method", member_id, fields),
            masked(account),
            fingerprint(rail.name, account),
            now,
            now + COOL_OFF,
            currency,
        )
        await db.execute(
            """INSERT INTO payout_wish (member_id, rail, automatic) VALUES ($1, $2, true)
               ON CONFLICT (member_id) DO UPDATE SET rail = excluded.rail WHERE payout_wish.rail = ''""",
            member_id,
            rail.name,
        )
        await publish(
            PayoutMethodChanged(
                member_id=member_id,
                method_id=method_id,
                rail=rail.name,
                fingerprint=fingerprint(rail.name, account),
                replaced_hint=before["hint"] if before else "",
            ),
            actor_id=member_id,
        )
        await _announce_sharing(rail.name, fingerprint(rail.name, account))
    return method_id


async def remove_method(viewer: Viewer, method_id: int) -> None:
    """Pay nothing there any more. Needs no password: it only ever stops money."""
    member_id = require_member(viewer)
    async with db.transaction():
        row = await db.fetch_one(
            """UPDATE payout_method SET removed_at = $3 WHERE id = $1 AND member_id = $2 AND removed_at IS NULL
               RETURNING rail, fingerprint, hint""",
            method_id,
            member_id,
            clock.now(),
        )
        if row is None:
            raise NotFound()
        await publish(
            PayoutMethodChanged(
                member_id=member_id,
                method_id=method_id,
                rail=row["rail"],
                fingerprint=row["fingerprint"],
                is_removed=True,
                replaced_hint=row["hint"],
            ),
            actor_id=member_id,
        )


async def choose(viewer: Viewer, rail_name: str, *, automatic: bool) -> None:
    """By which rail the store's pay day pays me, and whether it does."""
    member_id = require_member(viewer)
    if rail_name != "store_credit":
        _rail(rail_name)
        if await live_method(member_id, rail_name) is None:
            raise Invalid("rail", _("Add this way of being paid first."))
    await db.execute(
        """INSERT INTO payout_wish (member_id, rail, automatic) VALUES ($1, $2, $3)
           ON CONFLICT (member_id) DO UPDATE SET rail = excluded.rail, automatic = excluded.automatic""",
        member_id,
        rail_name,
        automatic,
    )


async def live_method(member_id: int, rail_name: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT * FROM payout_method WHERE member_id = $1 AND rail = $2 AND removed_at IS NULL", member_id, rail_name
    )


async def methods_of(member_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT id, rail, hint, currency, created_at, usable_at, removed_at, failures FROM payout_method
            WHERE member_id = $1 AND removed_at IS NULL ORDER BY id""",
        member_id,
    )


async def wish_of(member_id: int) -> asyncpg.Record | None:
    return await db.fetch_one("SELECT rail, automatic FROM payout_wish WHERE member_id = $1", member_id)


async def forget(member_id: int) -> None:
    """An erased member's accounts, tax number and wishes. What was paid stays in the books, without them."""
    await db.execute(
        """UPDATE payout_method SET sealed = '', hint = '', fingerprint = '', removed_at = coalesce(removed_at, $2)
            WHERE member_id = $1""",
        member_id,
        clock.now(),
    )
    for table in ("payout_wish", "tax_profile"):
        await db.execute(f"DELETE FROM {table} WHERE member_id = $1", member_id)


def trouble_with(method: asyncpg.Record | None) -> str:
    """Why this method cannot be paid to now, in one stable word; empty when it can."""
    if method is None or method["removed_at"] is not None:
        return "no_method"
    if method["usable_at"] > clock.now():
        return "cooling_off"
    return "method_failed" if method["failures"] >= MOST_FAILURES else ""


def is_verified(method: asyncpg.Record | None) -> bool:
    """Whether the provider said lately that it knows whose account this is."""
    at = method["verified_at"] if method else None
    return at is not None and at > clock.now() - VERIFIED_FOR


def details_of(method: asyncpg.Record) -> dict[str, str]:
    return unseal("method", method["member_id"], method["sealed"])


def _rail(name: str) -> Rail:
    rail = RAILS.get(name)
    if rail is None or not rail.fields or not rail.is_ready():
        raise Invalid("rail", _("Nobody is paid this way here."))
    return rail


def _checked(rail: Rail, told: dict[str, str]) -> dict[str, str]:
    """What the rail needs to know, each field as it should be; every slip is told at once."""
    fields: dict[str, str] = {}
    slips: dict[str, str] = {}
    for field in rail.fields:
        try:
            value = clean(told.get(field.name, ""), field.name, most=field.most, least=1 if field.required else 0)
            fields[field.name] = field.check(value, field.name) if field.check and value else value
        except Invalid as problem:
            slips |= problem.fields
    if slips:
        name, sentence = next(iter(slips.items()))
        raise Invalid(name, sentence, slips)
    return fields


async def _lock(member_id: int) -> None:
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('payout method', $1))", member_id)


async def _announce_sharing(rail_name: str, print_: str) -> None:
    rows = await db.fetch("SELECT DISTINCT member_id FROM payout_method WHERE fingerprint = $1 ORDER BY 1", print_)
    if len(rows) > 1:
        # Also accounts that were put away: passing one on does not make two people of one.
        members = [row["member_id"] for row in rows]
        await publish(PayoutMethodShared(rail=rail_name, fingerprint=print_, member_ids=members))
