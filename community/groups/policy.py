import asyncpg

from app import db
from app.auth import Viewer
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _

# The one place that says which groups a viewer may read. `$viewer` is a parameter number, so lists of any feature
# can join it: `f"... WHERE {readable_groups('g', '$2')}"`.
READABLE = """({alias}.visibility = 'public' OR EXISTS (
    SELECT 1 FROM membership ms WHERE ms.group_id = {alias}.id AND ms.member_id = {viewer} AND ms.state = 'active'))"""


def readable_groups(alias: str, viewer_parameter: str) -> str:
    """SQL: this group's contents may be read by the member in that parameter (null for a stranger)."""
    return READABLE.format(alias=alias, viewer=f"{viewer_parameter}::bigint")


# The same for rooms, of every kind: what its group lets read, what is open to all, and who has a place there; never
# somebody who was shown out. No role of the community's opens a room: direct messages are closed to its moderators too.
# Of those who could read a room that was shut, only who keeps order there still does.
READABLE_ROOM = """((({alias}.is_open
    OR EXISTS (SELECT 1 FROM groups rg WHERE rg.id = {alias}.group_id AND {in_group}))
      AND (NOT {alias}.is_shut OR {keeps_order})
    OR EXISTS (SELECT 1 FROM room_member rm
                WHERE rm.room_id = {alias}.id AND rm.member_id = {viewer} AND rm.state <> 'left'))
   AND NOT EXISTS (SELECT 1 FROM room_measure rx
                    WHERE rx.room_id = {alias}.id AND rx.member_id = {viewer} AND rx.kind IN ('kick', 'ban')
                      AND rx.lifted_at IS NULL AND (rx.until IS NULL OR rx.until > now())))"""
KEEPS_ORDER = """EXISTS (
    SELECT 1 FROM member rk
      LEFT JOIN membership rl ON rl.group_id = {alias}.group_id AND rl.member_id = rk.id AND rl.state = 'active'
     WHERE rk.id = {viewer} AND (rk.role <> 'member' OR rl.role IN ('owner', 'moderator')))"""


def readable_rooms(alias: str, viewer_parameter: str) -> str:
    """SQL: what is said in this room may be read by the member in that parameter (null for a stranger)."""
    viewer = f"{viewer_parameter}::bigint"
    return READABLE_ROOM.format(
        alias=alias,
        viewer=viewer,
        in_group=readable_groups("rg", viewer_parameter),
        keeps_order=KEEPS_ORDER.format(alias=alias, viewer=viewer),
    )


async def access_group(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The group with the viewer's membership, or NotFound. A secret group does not exist for outsiders."""
    row = await db.fetch_one(
        """SELECT g.*, ms.state AS membership, ms.role AS membership_role
             FROM groups g
             LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $2
            WHERE g.slug = lower($1) AND (g.visibility <> 'secret' OR ms.state = 'active')""",
        slug,
        viewer.member_id,
    )
    if row is None:
        raise NotFound()
    return row


def can_read(group: asyncpg.Record) -> bool:
    return group["visibility"] == "public" or group["membership"] == "active"


async def access_group_contents(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The group, if the viewer may read what is said in it."""
    group = await access_group(viewer, slug)
    if not can_read(group):
        raise Forbidden(_("This group is for its members. Ask to join to read along."))
    return group


def may_post(group: asyncpg.Record) -> bool:
    return group["membership"] == "active"


def may_moderate(viewer: Viewer, group: asyncpg.Record) -> bool:
    return viewer.is_moderator or group["membership_role"] in ("owner", "moderator")


async def is_shut_out(group_id: int, member_id: int) -> bool:
    """Whether those who run the group have shown this member out of its room for now."""
    return await db.fetch_val(
        """SELECT EXISTS (SELECT 1 FROM room r JOIN room_measure x ON x.room_id = r.id
                           WHERE r.group_id = $1 AND r.kind = 'group' AND x.member_id = $2
                             AND x.kind IN ('kick', 'ban') AND x.lifted_at IS NULL
                             AND (x.until IS NULL OR x.until > now()))""",
        group_id,
        member_id,
    )
