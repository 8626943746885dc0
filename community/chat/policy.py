import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _
from community.groups.policy import readable_rooms

# `version` rises whenever fewer may read the room: who told it to its readers compares it, and asks again only then.
# Two who talk alone know their room by the other's name.
_READABLE_ROOM = f"""
    SELECT r.id, r.kind, r.seq, r.epoch, r.is_open, r.frozen_at, r.slow_seconds, r.access_version AS version,
           g.id AS group_id, g.slug, g.visibility, g.member_count,
           coalesce(
               CASE r.kind WHEN 'group' THEN g.name WHEN 'direct' THEN (
                   SELECT string_agg(m.name, ', ' ORDER BY o.id) FROM room_member o JOIN member m ON m.id = o.member_id
                    WHERE o.room_id = r.id AND o.member_id <> $2) END,
               r.name) AS name,
           coalesce(rm.state, ms.state, CASE WHEN r.is_open AND $2::bigint IS NOT NULL THEN 'active' END) AS membership,
           CASE WHEN rm.role <> 'member' THEN rm.role ELSE ms.role END AS membership_role,
           quiet.until AS silenced_until, quiet.id IS NOT NULL AS is_silenced
      FROM room r
      LEFT JOIN groups g ON g.id = r.group_id
      LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = $2
      LEFT JOIN room_member rm ON rm.room_id = r.id AND rm.member_id = $2 AND rm.state <> 'left'
      LEFT JOIN room_measure quiet ON quiet.room_id = r.id AND quiet.member_id = $2 AND quiet.kind = 'silence'
                                  AND quiet.lifted_at IS NULL AND (quiet.until IS NULL OR quiet.until > now())
     WHERE r.id = ANY($1::bigint[]) AND {readable_rooms("r", "$2")}"""


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
        f"""SELECT m.id FROM unnest($2::bigint[]) AS m(id), room r
             WHERE r.id = $1 AND {readable_rooms("r", "m.id")}""",
        room_id,
        member_ids,
    )
    return {row["id"] for row in rows}


def belongs(room: asyncpg.Record) -> bool:
    """Whether the viewer has a place there from which to speak, whatever moderators say about it at the moment."""
    return room["membership"] == "active"


def may_send(room: asyncpg.Record) -> bool:
    """Whether the viewer may say something there now. The writer judges again, with the room locked."""
    return belongs(room) and not room["is_silenced"] and (room["frozen_at"] is None or runs_it(room))


def runs_it(room: asyncpg.Record) -> bool:
    return room["membership_role"] in ("owner", "moderator", "host")


def may_moderate(viewer: Viewer, room: asyncpg.Record) -> bool:
    """Who runs the room; the community's moderators too, but of direct messages they see only what is flagged."""
    return runs_it(room) or (viewer.is_moderator and room["kind"] != "direct")


async def access_message(viewer: Viewer, room_id: int, message_id: int) -> tuple[asyncpg.Record, asyncpg.Record]:
    """The room and one of its messages that is still there."""
    room = await access_room(viewer, room_id)
    message = await db.fetch_one(
        "SELECT * FROM message WHERE id = $1 AND room_id = $2 AND deleted_at IS NULL", message_id, room_id
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
