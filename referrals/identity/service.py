"""Who somebody is, as a store's people saw it: outside, by a document they looked at, and never by oneself."""

from datetime import UTC, datetime, timedelta

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.countries import COUNTRIES
from app.errors import Conflict, Forbidden, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from community.members.confirming import confirm_person
from community.members.queries import member_by_handle
from referrals.identity import queries
from referrals.identity.events import IdentityAsked, IdentityDecided
from referrals.identity.schemas import NewCheck
from storefront.stores.policy import access_own_store
from storefront.stores.queries import store_by_slug

LONGEST = timedelta(days=365 * 15 + 5)
"""No document is valid for longer; a year typed wrong is."""


async def ask(viewer: Viewer, slug: str, said: str) -> None:
    """Ask a store where one earns to look. Announces IdentityAsked."""
    member_id = require_member(viewer)
    store = await store_by_slug(slug)
    await limit("identity-ask", member_id, most=10, per=86_400)
    said = clean(said, "said", most=500, lines=True)
    if not await queries.earns_at(store["id"], member_id):
        raise Conflict(_("You have earned nothing at this store yet, so nobody there has to know who you are."))
    if not (await queries.standing_of(store, member_id)).may_ask:
        raise Conflict(_("You are checked already."))
    async with db.transaction():
        row = await db.fetch_one(
            """INSERT INTO identity_request AS r (store_id, member_id, said, asked_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (store_id, member_id) DO UPDATE SET said = excluded.said, closed_at = NULL,
                   asked_at = CASE WHEN r.closed_at IS NULL THEN r.asked_at ELSE excluded.asked_at END
               RETURNING id, asked_at = $4 AS is_new""",
            store["id"],
            member_id,
            said,
            clock.now(),
        )
        assert row is not None
        if row["is_new"]:
            asked = IdentityAsked(store_id=store["id"], member_id=member_id, request_id=row["id"])
            await publish(asked, actor_id=member_id)


async def decide(viewer: Viewer, slug: str, told: NewCheck) -> int:
    """Write down what was seen; its id. The event with who did it is what stands in the log."""
    store = await access_own_store(viewer, slug)
    actor_id = require_member(viewer)
    member = await member_by_handle(told.member.strip().removeprefix("@"))
    if member["id"] == actor_id:
        raise Forbidden(_("Somebody else has to look at who you are."))
    if not await queries.is_known_at(store["id"], member["id"]):
        raise Invalid("member", _("They have neither asked nor earned anything here."))
    is_checked = told.result == "checked"
    note = clean(told.note, "note", most=500, lines=True)
    if is_checked and not told.document:
        raise Invalid("document", _("What did they show?"))
    country = told.country.strip().upper()
    if is_checked and country not in COUNTRIES:
        raise Invalid("country", _("Please choose a country."))
    valid_until = _end_of(told.expires_on) if is_checked else None
    await confirm_person(viewer, told.password)
    async with db.transaction():
        check_id: int = await db.fetch_val(
            """INSERT INTO identity_check (store_id, member_id, by_id, result, document, country, valid_until, note, at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING id""",
            store["id"],
            member["id"],
            actor_id,
            told.result,
            told.document if is_checked else "",
            country if is_checked else "",
            valid_until,
            note,
            clock.now(),
        )
        await db.execute(
            """UPDATE identity_request SET closed_at = $3, said = ''
                WHERE store_id = $1 AND member_id = $2 AND closed_at IS NULL""",
            store["id"],
            member["id"],
            clock.now(),
        )
        decided = IdentityDecided(store_id=store["id"], member_id=member["id"], check_id=check_id, result=told.result)
        await publish(decided, actor_id=actor_id)
    return check_id


async def close_request(store: asyncpg.Record, member_id: int) -> None:
    """The member takes it back. How they could be met is nobody's business any more."""
    await db.execute(
        """UPDATE identity_request SET closed_at = $3, said = ''
            WHERE store_id = $1 AND member_id = $2 AND closed_at IS NULL""",
        store["id"],
        member_id,
        clock.now(),
    )


def _end_of(day: str) -> datetime:
    """The end of the last day on which the document is valid."""
    try:
        end = datetime.strptime(day.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1, seconds=-1)
    except (ValueError, OverflowError) as error:
        raise Invalid("expires_on", _("The last day it is valid, like 2031-03-31.")) from error
    if end <= clock.now():
        raise Invalid("expires_on", _("This document is no longer valid."))
    if end > clock.now() + LONGEST:
        raise Invalid("expires_on", _("No document is valid for so long."))
    return end
