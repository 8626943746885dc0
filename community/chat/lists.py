"""A member's rooms of every kind in one list: what is new there, and whether it may disturb them."""

from datetime import datetime
from typing import Any

import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.paging import Page, cut, decode
from app.text import excerpt
from community.chat.list_schemas import LastWords, RoomLine
from community.chat.reads import FOR_EVER, is_loud
from community.chat.schemas import Author
from community.chat.seen import how_far
from community.groups.policy import readable_rooms
from community.members.queries import as_author
from community.privacy.queries import is_wanted

# Rooms beside the page of one room.
BESIDE = 100

# The rooms of the member's groups, and those where they have a place of their own. Requests stand in a box apart.
MINE = """SELECT r.id, 'active' AS state FROM membership ms JOIN room r ON r.group_id = ms.group_id AND r.kind = 'group'
           WHERE ms.member_id = {member} AND ms.state = 'active'
          UNION SELECT room_id, state FROM room_member WHERE member_id = {member} AND state IN ('active', 'blocked')"""
ASKING = """SELECT r.id FROM room_member rm JOIN room r ON r.id = rm.room_id AND r.kind = 'direct' AND r.said > 0
             WHERE rm.member_id = {member} AND rm.state = 'invited'"""
# A pointer and a counter each. Only for who blocked somebody it is counted what those said since; of the last hundred.
BLOCKED_LOOKED_AT = 100


def unread(member: str) -> str:
    """SQL: how many messages of a room (`r`, with the member's pointer `p`) are new to the member."""
    return f"""CASE WHEN r.said > coalesce(p.said, 0) THEN greatest(r.said - coalesce(p.said, 0) - (
          SELECT count(*) FROM (SELECT blocked_id FROM member_block WHERE member_id = {member}
                                 ORDER BY id DESC LIMIT {BLOCKED_LOOKED_AT}) unwanted
            JOIN message u ON u.room_id = r.id AND u.author_id = unwanted.blocked_id AND u.seq > coalesce(p.seq, 0)
          ), 0) ELSE 0 END"""


_ROOMS = f"""
    SELECT r.id, r.kind, r.seq, r.epoch, r.said, mine.state, g.id AS group_id, g.slug,
           coalesce(CASE WHEN r.kind = 'group' THEN g.name END, nullif(r.name, ''), others.names, '') AS name,
           others.first AS partner, r.kind = 'direct' AND coalesce(others.are_away, true) AS waits,
           {unread("$1")} AS unread, cardinality(coalesce(p.mentioned, '{{}}')) AS mentions,
           {is_loud("p")} AS is_loud, p.muted_until,
           CASE WHEN r.kind = 'direct' THEN {how_far("r.id", "$1")} END AS seen,
           last.id AS last_id, last.at, last.body, last.files, last.author, last.author_id,
           coalesce(last.at, r.created_at) AS moved_at
      FROM ({MINE.format(member="$1")}) mine
      JOIN room r ON r.id = mine.id
      LEFT JOIN groups g ON g.id = r.group_id
      LEFT JOIN read_pointer p ON p.room_id = r.id AND p.member_id = $1
      LEFT JOIN LATERAL (
          SELECT string_agg(m.name, ', ' ORDER BY o.id) AS names,
                 bool_and(o.state NOT IN ('active', 'blocked')) AS are_away,
                 CASE WHEN count(*) = 1 THEN min({as_author("m")}::text)::jsonb END AS first
            FROM room_member o JOIN member m ON m.id = o.member_id
           WHERE r.kind = 'direct' AND o.room_id = r.id AND o.member_id <> $1) others ON true
      LEFT JOIN LATERAL (
          SELECT m.id, e.at, m.body, m.extra #>> '{{files,0,name}}' AS files, a.name AS author, a.id AS author_id
            FROM room_event e JOIN message m ON m.id = e.message_id JOIN member a ON a.id = m.author_id
           WHERE e.room_id = r.id AND e.kind = 'message' AND m.deleted_at IS NULL
             AND NOT EXISTS (SELECT 1 FROM hiding h WHERE h.subject_kind = 'message' AND h.subject_id = m.id)
             AND (others.first IS NOT NULL OR {is_wanted("m.author_id", "$1")})
           ORDER BY e.seq DESC LIMIT 1) last ON true
     WHERE (r.kind <> 'direct' OR r.said > coalesce(p.put_away, 0)) AND {readable_rooms("r", "$1")}"""


async def rooms_of(viewer: Viewer, *, cursor: str | None = None, limit: int = BESIDE) -> Page[asyncpg.Record]:
    """The viewer's rooms, where something was said last first. One query, however many they are."""
    before: tuple[Any, ...] = decode(cursor, (datetime, int)) or (None, None)
    rows = await db.fetch(
        f"""SELECT * FROM ({_ROOMS}) listed
             WHERE $2::timestamptz IS NULL OR (moved_at, id) < ($2, $3::bigint)
             ORDER BY moved_at DESC, id DESC LIMIT $4""",
        require_member(viewer, "read"),
        *before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["moved_at"], row["id"]))


async def requests_waiting(viewer: Viewer) -> int:
    """How many ask to talk to the viewer."""
    return await db.fetch_val(
        f"SELECT count(*) FROM ({ASKING.format(member='$1')}) asking",
        require_member(viewer, "read"),
    )


def line(row: asyncpg.Record) -> RoomLine:
    """The room as the JSON list shows it."""
    partner = row["partner"]
    return RoomLine(
        id=str(row["id"]),
        kind=row["kind"],
        name=row["name"],
        url=f"/chat/{row['id']}",
        group=row["slug"] or "",
        seq=row["seq"],
        epoch=row["epoch"],
        unread=row["unread"],
        mentions=row["mentions"],
        muted=not row["is_loud"],
        muted_until=None if row["is_loud"] or row["muted_until"] >= FOR_EVER else row["muted_until"],
        waits=row["waits"],
        may_write=row["state"] == "active",
        partner=Author(str(partner["id"]), partner["handle"], partner["name"], partner["avatar_url"])
        if partner
        else None,
        seen=row["seen"],
        last=LastWords(str(row["author_id"]), row["author"], excerpt(row["body"] or row["files"] or "", 80), row["at"])
        if row["at"]
        else None,
    )
