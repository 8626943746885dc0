import re

import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish
from app.i18n import current
from app.i18n import gettext as _
from app.text import clean
from community.groups import policy
from community.groups.events import GroupFounded, GroupJoined, GroupLeft
from community.groups.schemas import NewGroup
from community.groups.tables import Group, Membership, Room

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38})[a-z0-9]")
RESERVED = {"new", "all", "mine"}


async def found(viewer: Viewer, new: NewGroup) -> str:
    """Make a group with its founder as owner and its chat room; its slug."""
    member_id = require_member(viewer)
    slug = new.slug.strip().lower()
    if not _SLUG.fullmatch(slug) or slug in RESERVED:
        raise Invalid("slug", _("2 to 40 of a–z, 0–9 and -, starting and ending with a letter or digit."))
    name = clean(new.name, "name", least=2, most=80)
    description = clean(new.description, "description", most=2000, lines=True)
    now = clock.now()
    try:
        async with db.transaction():
            group = Group(
                slug=slug,
                name=name,
                description=description,
                visibility=new.visibility,
                lang=current(),
                owner_id=member_id,
                member_count=1,
                created_at=now,
                active_at=now,
            )
            await group.save()
            await Membership(group_id=group.id, member_id=member_id, role="owner", state="active", joined_at=now).save()
            await Room(kind="group", group_id=group.id, name=name, seq=0, epoch=ids.new_code(), created_at=now).save()
            await publish(GroupFounded(group_id=group.id), actor_id=member_id)
    except asyncpg.UniqueViolationError as lost:
        raise Conflict(_("There is already a group at this address."), fields={"slug": _("Already taken.")}) from lost
    return slug


async def join(viewer: Viewer, slug: str) -> str:
    """Join a public group, or ask to join a closed one; the resulting state. Joining twice changes nothing."""
    member_id = require_member(viewer)
    group = await policy.access_group(viewer, slug)
    if group["membership"]:
        return group["membership"]
    state = "active" if group["visibility"] == "public" else "pending"
    async with db.transaction():
        # Who shows somebody out holds the room: they are out before this, or in and shown out after it.
        await db.execute("SELECT 1 FROM room WHERE group_id = $1 AND kind = 'group' FOR SHARE", group["id"])
        if await policy.is_shut_out(group["id"], member_id):
            raise Forbidden(_("You were shown out of this group. Come back when the time its moderators set is over."))
        joined = await db.fetch_val(
            """INSERT INTO membership (group_id, member_id, role, state, joined_at)
               VALUES ($1, $2, 'member', $3, $4) ON CONFLICT DO NOTHING RETURNING id""",
            group["id"],
            member_id,
            state,
            clock.now(),
        )
        if joined and state == "active":
            await _count_member(group["id"], member_id)
    return state


async def admit(viewer: Viewer, slug: str, member_id: int) -> None:
    """Let a waiting member into a closed group."""
    group = await policy.access_group(viewer, slug)
    if not policy.may_moderate(viewer, group):
        raise Forbidden()
    async with db.transaction():
        admitted = await db.execute(
            """UPDATE membership SET state = 'active', joined_at = $3
                WHERE group_id = $1 AND member_id = $2 AND state = 'pending'""",
            group["id"],
            member_id,
            clock.now(),
        )
        if not admitted:
            raise NotFound()
        await _count_member(group["id"], member_id)


async def leave(viewer: Viewer, slug: str) -> None:
    """Leave a group. Its owner hands it over first. Leaving twice changes nothing."""
    member_id = require_member(viewer)
    group = await policy.access_group(viewer, slug)
    if group["membership_role"] == "owner":
        raise Forbidden(_("You own this group. Hand it over before you leave."))
    async with db.transaction():
        left = await db.fetch_val(
            "DELETE FROM membership WHERE group_id = $1 AND member_id = $2 RETURNING state", group["id"], member_id
        )
        if left == "active":
            await db.execute("UPDATE groups SET member_count = member_count - 1 WHERE id = $1", group["id"])
            await publish(GroupLeft(group_id=group["id"], member_id=member_id), actor_id=member_id)


async def _count_member(group_id: int, member_id: int) -> None:
    await db.execute("UPDATE groups SET member_count = member_count + 1 WHERE id = $1", group_id)
    await publish(GroupJoined(group_id=group_id, member_id=member_id), actor_id=member_id)
