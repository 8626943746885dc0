"""A new version of a programme that differs in who is credited; what it pays stays as it is."""

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from referrals.programs.events import ProgramPublished
from referrals.programs.policy import Policy, check_policy, policy_of
from referrals.programs.queries import version_at
from referrals.programs.service import LONGEST_WINDOW
from referrals.programs.tables import ProgramVersion
from storefront.stores.policy import access_own_store

_OWN = {"id", "version", "policy", "model", "window_days", "published_at"}


class Crediting(msgspec.Struct, frozen=True):
    """Everything a version says about who is credited."""

    model: str
    window_days: int
    policy: Policy


def check_crediting(crediting: Crediting) -> None:
    if crediting.model not in ("last", "first"):
        raise Invalid("model", _("The model is “last” or “first”."))
    if not 1 <= crediting.window_days <= LONGEST_WINDOW.days:
        raise Invalid("window_days", _("A click counts for 1 to %(most)s days.", most=LONGEST_WINDOW.days))
    check_policy(crediting.policy)


async def publish_crediting(viewer: Viewer, slug: str, crediting: Crediting, *, instead_of: int) -> int:
    """Put it in force for orders from now on; the number of the new version.

    `instead_of` is the version that was looked at: when another came meanwhile, nothing is published.
    """
    store = await access_own_store(viewer, slug)
    actor_id = require_member(viewer)
    check_crediting(crediting)
    await _check_people(crediting.policy)
    await _check_house(actor_id, store, crediting.policy)
    kept = [c._meta.db_column_name for c in ProgramVersion._meta.columns if c._meta.db_column_name not in _OWN]
    async with db.transaction():
        # The programme's row is the lock: two versions at once get two numbers.
        program_id = await db.fetch_val("SELECT id FROM program WHERE store_id = $1 FOR UPDATE", store["id"])
        if program_id is None:
            raise NotFound(_("This store has no programme yet."))
        newest: int = await db.fetch_val("SELECT max(version) FROM program_version WHERE program_id = $1", program_id)
        if newest != instead_of:
            raise Conflict(_("The rules were changed meanwhile. Look at them again, please."))
        names = ", ".join(kept)
        row = await db.fetch_one(
            f"""INSERT INTO program_version ({names}, version, policy, model, window_days, published_at)
                SELECT {names}, version + 1, $3::jsonb, $4, $5, $6
                  FROM program_version WHERE program_id = $1 AND version = $2 RETURNING id, version""",
            program_id,
            newest,
            msgspec.json.encode(crediting.policy).decode(),
            crediting.model,
            crediting.window_days,
            clock.now(),
        )
        assert row is not None
        event = ProgramPublished(store_id=store["id"], program_version_id=row["id"])
        await publish(event, actor_id=actor_id)
        number: int = row["version"]
    return number


async def _check_house(actor_id: int, store: asyncpg.Record, policy: Policy) -> None:
    """An admin does not give themselves what nobody else is credited for; the store's owner is its house."""
    if policy.house_id != actor_id or store["owner_id"] == actor_id:
        return
    version = await version_at(store["id"], clock.now())
    if version is None or policy_of(version).house_id != actor_id:
        raise Forbidden(_("Somebody else has to make you the house."))


async def _check_people(policy: Policy) -> None:
    named = {int(member_id) for member_id in policy.partner_classes} | {policy.house_id or 0} - {0}
    known = await db.fetch("SELECT id FROM member WHERE id = ANY($1::bigint[])", sorted(named - {0}))
    if len(known) != len(named - {0}):
        raise Invalid("partner_classes", _("Nobody here is called so."))
