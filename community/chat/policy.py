import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _
from community.groups.policy import readable_groups

# `version` is the group's row version, which changes whenever someone joins or leaves: who told a room of its readers
# before compares it, and asks again only then.
_READABLE_ROOM = f"""
    SELECT r.id, r.seq, r.epoch, g.id AS group_id, g.slug, g.name, g.visibility, g.member_count,
           g.xmin::text AS version, ms.state AS membership, ms.role AS membership_role
      FROM room r JOIN groups g ON g.id = r.group_id
      LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $2
     WHERE r.id = ANY($1::bigint[]) AND {readable_groups("g", "$2")}"""


MOST_ID = 2**63


async def access_room(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """The room with the viewer's place in it, or NotFound: a closed room and a missing one look the same."""
    row = await db.fetch_one(_READABLE_ROOM, [room_id], viewer.member_id) if room_id < MOST_ID else None
    if row is None:
        raise NotFound()
    return row


async def rooms_to_read(viewer: Viewer, room_ids: list[int]) -> dict[int, asyncpg.Record]:
    """Those of these rooms the viewer may read; one query for all."""
    return {row["id"]: row for row in await db.fetch(_READABLE_ROOM, room_ids, viewer.member_id)}


async def readers_among(room_id: int, member_ids: list[int]) -> set[int]:
    """Those of these members who may (still) read the room."""
    rows = await db.fetch(
        f"""SELECT m.id FROM unnest($2::bigint[]) AS m(id), room r JOIN groups g ON g.id = r.group_id
             WHERE r.id = $1 AND {readable_groups("g", "m.id")}""",
        room_id,
        member_ids,
    )
    return {row["id"] for row in rows}


def may_send(room: asyncpg.Record) -> bool:
    return room["membership"] == "active"


def may_moderate(viewer: Viewer, room: asyncpg.Record) -> bool:
    return viewer.is_moderator or room["membership_role"] in ("owner", "moderator")


async def access_message(viewer: Viewer, room_id: int, message_id: int) -> tuple[asyncpg.Record, asyncpg.Record]:
    """The room and one of its messages that is still there."""
    room = await access_room(viewer, room_id)
    message = await db.fetch_one(
        "SELECT * FROM message WHERE id = $1 AND room_id = $2 AND body <> ''", message_id, room_id
    )
    if message is None:
        raise NotFound()
    return room, message


async def access_own_message(viewer: Viewer, room_id: int, message_id: int) -> asyncpg.Record:
    """A message the viewer wrote and, still being a member, may change."""
    member_id = require_member(viewer)
    room, message = await access_message(viewer, room_id, message_id)
    if message["author_id"] != member_id or not may_send(room):
        raise Forbidden(_("Only its author can change a message."))
    return message


async def access_deletable_message(viewer: Viewer, room_id: int, message_id: int) -> asyncpg.Record:
    """A message the viewer wrote, or may take away as a moderator."""
    member_id = require_member(viewer)
    room, message = await access_message(viewer, room_id, message_id)
    if message["author_id"] != member_id and not may_moderate(viewer, room):
        raise Forbidden(_("Only its author or a moderator can delete a message."))
    return message
