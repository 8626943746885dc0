from datetime import timedelta

import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from referrals.links import closures, names, queries
from referrals.links.events import LinkClosed, LinkMade, LinkReopened
from referrals.links.schemas import NewLink
from referrals.links.targets import Target, address_at, resolve

TRIES = 5
UNDO = timedelta(days=7)
"""How long a link that was switched off may be switched on again; after that people rely on its being gone."""


async def share(viewer: Viewer, new: NewLink) -> tuple[asyncpg.Record, bool]:
    """The viewer's link to a thing, and whether it is new: the same thing and placement again give the same link."""
    owner_id = require_member(viewer)
    await limit("share", owner_id, most=300, per=3600)
    target = await resolve(viewer, new.target)
    placement = clean(new.placement, "placement", most=60)
    code = names.checked_code(new.code) if new.code.strip() else ""
    found = await _find(owner_id, target, placement)
    link = found or await _make(owner_id, target, placement, code)
    if code and link["code"] != code:
        raise Conflict(
            _("You already share this as /r/%(code)s. Give the second link a placement.", code=link["code"]),
            fields={"placement": _("A placement tells the two links apart.")},
        )
    return link, found is None


async def make_personal_link(member_id: int, handle: str) -> asyncpg.Record:
    """The link every member has from the start: their handle as its code, the community as its destination."""
    welcome = Target("member", member_id, None, "/")
    if found := await _find(member_id, welcome, ""):
        return found
    try:
        return await _make(member_id, welcome, "", names.checked_code(handle))
    except (Conflict, Invalid):  # Somebody's link is called so, or reads like it, or no link may be: a code of chance.
        return await _make(member_id, welcome, "", "")


async def make_named(owner_id: int, target: Target, placement: str, code: str, external_id: str) -> asyncpg.Record:
    """A link that its owner's program knows by a name of its own. The caller saw that there is none so far."""
    return await _make(owner_id, target, placement, code, external_id)


async def close(viewer: Viewer, code: str) -> str:
    """Switch a link off; a later click gets a page that says so. Closing twice changes nothing. Its code."""
    owner_id = require_member(viewer)
    async with db.transaction():
        link = await queries.access_own_link(owner_id, code)
        if await closures.close([link["id"]], owner_id):
            await publish(LinkClosed(link_id=link["id"], owner_id=owner_id), actor_id=owner_id)
    return link["code"]


async def reopen(viewer: Viewer, code: str) -> str:
    """Undo the switching off, for a week. Its code."""
    owner_id = require_member(viewer)
    async with db.transaction():
        link = await queries.access_own_link(owner_id, code)
        off_since = await db.fetch_val("SELECT disabled_at FROM link WHERE id = $1 FOR UPDATE", link["id"])
        if off_since is not None and off_since > clock.now() - UNDO:
            await closures.reopen(link["id"], owner_id)
            await publish(LinkReopened(link_id=link["id"], owner_id=owner_id), actor_id=owner_id)
        elif off_since is not None:
            raise Conflict(_("This link has been off for more than a week and stays off. Make a new one."))
    return link["code"]


def may_reopen(link: asyncpg.Record) -> bool:
    return link["disabled_at"] is not None and link["disabled_at"] > clock.now() - UNDO


async def follow_product(product_id: int) -> None:
    """The links to a product lead to its new address, unless its store does not vouch for that."""
    row = await db.fetch_one("SELECT url, store_id FROM product WHERE id = $1", product_id)
    if row is None:
        return
    try:
        destination = await address_at(row["store_id"], row["url"])
    except Invalid:
        return
    await db.execute(
        """UPDATE link SET destination = $2
            WHERE target_kind = 'product' AND target_id = $1 AND destination <> $2""",
        product_id,
        destination,
    )


async def _find(owner_id: int, target: Target, placement: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT * FROM link
            WHERE owner_id = $1 AND target_kind = $2 AND coalesce(target_id, 0) = coalesce($3::bigint, 0)
              AND (CASE WHEN target_id IS NULL THEN destination ELSE '' END) = $4 AND placement = $5
              AND external_id = ''""",
        owner_id,
        target.kind,
        target.id,
        "" if target.id is not None else target.destination,
        placement,
    )


async def _make(owner_id: int, target: Target, placement: str, code: str, external_id: str = "") -> asyncpg.Record:
    """Insert the link; whoever makes the same one at the same moment finds it instead."""
    for _try in range(TRIES):
        async with db.transaction():
            if code:
                await names.take(code, owner_id)
            made = await _insert(owner_id, target, placement, code or names.new_code(), external_id)
            if made is not None:
                await publish(LinkMade(link_id=made["id"], owner_id=owner_id), actor_id=owner_id)
                return made
        if not external_id and (twin := await _find(owner_id, target, placement)):
            return twin
        if code:
            raise names.code_taken()
    raise Conflict(_("No free code was found. Please try again."))


async def _insert(owner_id: int, target: Target, placement: str, code: str, external_id: str) -> asyncpg.Record | None:
    """The new link; None when a code, the target or the external id was there already."""
    return await db.fetch_one(
        """INSERT INTO link (code, scan_code, owner_id, store_id, target_kind, target_id, destination, placement,
                             external_id, created_at)
           SELECT $1, $2, $3::bigint, $4::bigint, $5, $6::bigint, $7, $8, $9, $10::timestamptz
            WHERE NOT EXISTS (SELECT 1 FROM link_former_code WHERE code IN ($1, $2))
              AND NOT EXISTS (SELECT 1 FROM link WHERE code = $2 OR scan_code = $1)
               ON CONFLICT DO NOTHING RETURNING *""",
        code,
        ids.new_code(9),
        owner_id,
        target.store_id,
        target.kind,
        target.id,
        target.destination,
        placement,
        external_id,
        clock.now(),
    )
