import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.gathered import gathered
from app.i18n import gettext as _
from community.groups.policy import readable_rooms

# `version` rises whenever fewer may read the room: who told it to its readers compares it, and asks again only then.
# Two who talk alone know their room by the other's name.
_READABLE_ROOMS = f"""
    SELECT asked.who, r.id, r.kind, r.seq, r.epoch, r.is_open, r.frozen_at, r.slow_seconds,
           r.access_version AS version,
           g.id AS group_id, g.slug, g.visibility, g.member_count,
           coalesce(
               CASE WHEN r.kind = 'group' THEN g.name WHEN r.kind = 'direct' AND r.name = '' THEN (
                   SELECT string_agg(m.name, ', ' ORDER BY o.id) FROM room_member o JOIN member m ON m.id = o.member_id
                    WHERE o.room_id = r.id AND o.member_id <> asked.who) END,
               r.name) AS name,
           coalesce(rm.state, ms.state, CASE WHEN r.is_open AND asked.who IS NOT NULL THEN 'active' END) AS membership,
           CASE WHEN rm.role <> 'member' THEN rm.role ELSE ms.role END AS membership_role,
           quiet.until AS silenced_until, quiet.id IS NOT NULL AS is_silenced, quiet.reason AS silenced_why,
           CASE WHEN r.frozen_at IS NOT NULL OR r.slow_seconds > 0 THEN (
               SELECT jsonb_object_agg(x.kind, jsonb_build_object('until', x.until, 'reason', x.reason))
                 FROM room_measure x WHERE x.room_id = r.id AND x.member_id IS NULL AND x.lifted_at IS NULL
           ) END AS measures
      FROM unnest($1::bigint[], $2::bigint[]) AS asked(room_id, who)
      JOIN room r ON r.id = asked.room_id
      LEFT JOIN groups g ON g.id = r.group_id
      LEFT JOIN membership ms ON ms.group_id = g.id AND ms.member_id = asked.who
      LEFT JOIN room_member rm ON rm.room_id = r.id AND rm.member_id = asked.who AND rm.state <> 'left'
      LEFT JOIN room_measure quiet ON quiet.room_id = r.id AND quiet.member_id = asked.who AND quiet.kind = 'silence'
                                  AND quiet.lifted_at IS NULL AND (quiet.until IS NULL OR quiet.until > now())
     WHERE {readable_rooms("r", "asked.who")}"""


MOST_ID = 2**63


async def access_room(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """The room with the viewer's place in it, or NotFound: a closed room and a missing one look the same."""
    row = await db.fetch_one(_READABLE_ROOMS, [room_id], [viewer.member_id]) if room_id < MOST_ID else None
    if row is None:
        raise NotFound()
    return row


async def rooms_to_read(viewer: Viewer, room_ids: list[int]) -> dict[int, asyncpg.Record]:
    """Those of these rooms the viewer may read; one query for all, and for all who ask at this moment."""
    return await _rooms_of_reader((viewer.member_id, tuple(room_ids))) or {}


@gathered(most=200)
async def _rooms_of_reader(
    asked: list[tuple[int | None, tuple[int, ...]]],
) -> dict[tuple[int | None, tuple[int, ...]], dict[int, asyncpg.Record]]:
    pairs = {(room_id, member_id) for member_id, room_ids in asked for room_id in room_ids}
    room_ids, member_ids = [room_id for room_id, _ in pairs], [member_id for _, member_id in pairs]
    found = {(row["id"], row["who"]): row for row in await db.fetch(_READABLE_ROOMS, room_ids, member_ids)}
    return {
        (member_id, ids): {room_id: found[room_id, member_id] for room_id in ids if (room_id, member_id) in found}
        for member_id, ids in asked
    }


async def readers_among(room_id: int, member_ids: list[int]) -> set[int]:
    """Those of these members who may (still) read the room."""
    rows = await db.fetch(
        f"""SELECT m.id FROM unnest($2::bigint[]) AS m(id), room r
             WHERE r.id = $1 AND {readable_rooms("r", "m.id")}""",
        room_id,
        member_ids,
    )
    return {row["id"] for row in rows}


async def members_among(room_id: int, member_ids: list[int]) -> set[int]:
    """Those of these members who have a place there from which to speak."""
    rows = await db.fetch(_READABLE_ROOMS, [room_id] * len(member_ids), member_ids)
    return {row["who"] for row in rows if belongs(row)}


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


async def access_message_to_mark(
    viewer: Viewer, room_id: int, message_id: int
) -> tuple[asyncpg.Record, asyncpg.Record]:
    """A message the viewer may put a sign on: who may say nothing there at the moment may not do that either."""
    require_member(viewer)
    room, message = await access_message(viewer, room_id, message_id)
    if not may_send(room):
        raise Forbidden(_("You cannot write here at the moment."))
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
