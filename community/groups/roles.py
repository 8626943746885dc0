"""Who runs a group: its owner names moderators, and hands the group over to somebody else in it."""

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, NotFound
from app.events import publish
from app.i18n import gettext as _
from community.groups import policy
from community.groups.events import RoleGiven
from community.notifications.service import notify


async def give(viewer: Viewer, slug: str, member_id: int, role: str) -> None:
    """Make a member moderator, or plain member again, or owner in one's own place; the owner alone does so.

    The same role again changes nothing.
    """
    owner_id = require_member(viewer)
    group = await policy.access_group(viewer, slug)
    if group["membership_role"] != "owner":
        raise Forbidden(_("Only the owner of a group says who runs it."))
    if member_id == owner_id:
        if role != "owner":
            raise Conflict(_("You own this group. Make somebody else its owner first."))
        return
    async with db.transaction():
        # Who loses the race to hand over is not the owner any more.
        if not await db.fetch_val(
            "SELECT id FROM groups WHERE id = $1 AND owner_id = $2 FOR NO KEY UPDATE", group["id"], owner_id
        ):
            raise Forbidden(_("Only the owner of a group says who runs it."))
        was = await db.fetch_val(
            """SELECT ms.role FROM membership ms JOIN member m ON m.id = ms.member_id
                WHERE ms.group_id = $1 AND ms.member_id = $2 AND ms.state = 'active' AND m.kind = 'person'""",
            group["id"],
            member_id,
        )
        if was is None:
            raise NotFound()
        if was == role:
            return
        await _set(group["id"], member_id, role)
        if role == "owner":
            await _set(group["id"], owner_id, "moderator")
            await db.execute("UPDATE groups SET owner_id = $2 WHERE id = $1", group["id"], member_id)
        await notify(
            member_id,
            "group_role",
            source=f"role:{group['id']}:{clock.now().isoformat()}",
            url=f"/g/{slug}/members",
            data={"group": group["name"], "role": role},
        )
        await publish(RoleGiven(group_id=group["id"], member_id=member_id, role=role), actor_id=owner_id)


async def _set(group_id: int, member_id: int, role: str) -> None:
    await db.execute(
        "UPDATE membership SET role = $3 WHERE group_id = $1 AND member_id = $2", group_id, member_id, role
    )
