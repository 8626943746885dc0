import re

import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.limits import limit
from app.text import clean
from referrals.links import queries
from referrals.links.destinations import at_store
from referrals.links.events import LinkClosed, LinkMade
from referrals.links.schemas import NewLink
from referrals.links.targets import Target, resolve

_CODE = re.compile(r"[a-z0-9](?:[a-z0-9_-]{1,38})[a-z0-9]")
RESERVED = {"admin", "api", "join", "login", "logout", "new", "null", "qr", "support", "undefined"}
TRIES = 5


async def share(viewer: Viewer, new: NewLink) -> tuple[asyncpg.Record, bool]:
    """The viewer's link to a thing, and whether it is new: the same thing and placement again give the same link."""
    owner_id = require_member(viewer)
    await limit("share", owner_id, most=300, per=3600)
    target = await resolve(viewer, new.target)
    placement = clean(new.placement, "placement", most=60)
    code = await _wanted_code(new.code, owner_id) if new.code.strip() else ""
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
    found = await _find(member_id, welcome, "")
    return found or await _make(member_id, welcome, "", handle.lower())


async def close(viewer: Viewer, code: str) -> str:
    """Switch a link off for good; a later click gets a page that says so. Closing twice changes nothing. Its code."""
    owner_id = require_member(viewer)
    async with db.transaction():
        link = await queries.own_link(owner_id, code)
        if link is None:
            raise NotFound()
        code = link["code"]
        closed = await db.execute(
            "UPDATE link SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL", link["id"], clock.now()
        )
        if closed:
            await publish(LinkClosed(link_id=link["id"], owner_id=owner_id), actor_id=owner_id)
    return code


async def follow_product(product_id: int) -> None:
    """The links to a product lead to its new address, unless that is no longer at the store."""
    row = await db.fetch_one(
        "SELECT p.url, s.origin FROM product p JOIN store s ON s.id = p.store_id WHERE p.id = $1", product_id
    )
    if row is None:
        return
    try:
        destination = at_store(row["url"], row["origin"])
    except Invalid:
        return
    await db.execute(
        """UPDATE link SET destination = $2
            WHERE target_kind = 'product' AND target_id = $1 AND destination <> $2""",
        product_id,
        destination,
    )


async def _wanted_code(wanted: str, owner_id: int) -> str:
    code = wanted.strip().lower()
    if not _CODE.fullmatch(code) or code in RESERVED:
        raise Invalid("code", _("3 to 40 of a–z, 0–9, - and _, starting and ending with a letter or digit."))
    somebody = await db.fetch_val("SELECT 1 FROM member WHERE lower(handle) = $1 AND id <> $2", code, owner_id)
    if somebody:
        raise Conflict(_("That code is taken."), fields={"code": _("That code is taken.")})
    return code


async def _find(owner_id: int, target: Target, placement: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT * FROM link
            WHERE owner_id = $1 AND target_kind = $2 AND coalesce(target_id, 0) = coalesce($3::bigint, 0)
              AND (CASE WHEN target_id IS NULL THEN destination ELSE '' END) = $4 AND placement = $5""",
        owner_id,
        target.kind,
        target.id,
        "" if target.id is not None else target.destination,
        placement,
    )


async def _make(owner_id: int, target: Target, placement: str, code: str) -> asyncpg.Record:
    """Insert the link; whoever makes the same one at the same moment finds it instead."""
    wanted = code
    for _try in range(TRIES):
        async with db.transaction():
            made = await db.fetch_one(
                """INSERT INTO link
                          (code, owner_id, store_id, target_kind, target_id, destination, placement, created_at)
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *""",
                wanted or ids.new_code(),
                owner_id,
                target.store_id,
                target.kind,
                target.id,
                target.destination,
                placement,
                clock.now(),
            )
            if made is not None:
                await publish(LinkMade(link_id=made["id"], owner_id=owner_id), actor_id=owner_id)
                return made
        if twin := await _find(owner_id, target, placement):
            return twin
        if wanted and target.kind != "member":
            raise Conflict(_("That code is taken."), fields={"code": _("That code is taken.")})
        wanted = ""  # A handle that somebody already uses as a code, or a random code that hit another: take a new one.
    raise Conflict(_("No free code was found. Please try again."))
