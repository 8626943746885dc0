"""What a member's own page of a room says beside its history: whose it is, how loud, and whether one may write."""

import asyncpg

from app import db
from app.auth import Viewer
from community.chat.lists import ASKING
from community.chat.reads import is_loud
from community.chat.seen import how_far
from community.members.queries import as_author

# As many as a page is told of: whose words it folds.
MOST_BLOCKED = 2000

_SEAT = f"""
    SELECT {is_loud("p")} AS is_loud, p.muted_until, coalesce(p.seq, 0) AS read_seq, mine.state, mine.role,
           CASE WHEN r.kind = 'direct' THEN {how_far("r.id", "$2")} END AS seen, blocked.ids AS blocked,
           -- Who blocked the only other one has nothing else to read there.
           CASE WHEN jsonb_array_length(others.people) = 1 THEN '{{}}' ELSE blocked.ids END AS unwanted,
           (SELECT count(*) FROM ({ASKING.format(member="$2")}) asking) AS requests_waiting,
           r.kind = 'direct' AND mine.state = 'active' AND r.seq > 0 AND NOT EXISTS (
               SELECT 1 FROM room_member o
                WHERE o.room_id = r.id AND o.member_id <> $2 AND o.state = 'active') AS waits,
           others.people, EXISTS (
               SELECT 1 FROM member_block b
                WHERE b.member_id = $2 AND b.blocked_id = (others.people -> 0 ->> 'id')::bigint
           ) AND jsonb_array_length(others.people) = 1 AS has_blocked
      FROM room r
      LEFT JOIN read_pointer p ON p.room_id = r.id AND p.member_id = $2
      LEFT JOIN room_member mine ON mine.room_id = r.id AND mine.member_id = $2
      LEFT JOIN LATERAL (
          SELECT coalesce(jsonb_agg({as_author("m")} ORDER BY o.id), '[]') AS people
            FROM room_member o JOIN member m ON m.id = o.member_id
           WHERE r.kind = 'direct' AND o.room_id = r.id AND o.member_id <> $2) others ON true
      LEFT JOIN LATERAL (SELECT ARRAY(
          SELECT b.blocked_id::text FROM member_block b WHERE b.member_id = $2 ORDER BY b.id DESC LIMIT {MOST_BLOCKED}
      ) AS ids) blocked ON true
     WHERE r.id = $1"""


async def seat_of(viewer: Viewer, room_id: int) -> asyncpg.Record | None:
    """The viewer's seat in the room; `people` are the others, where few talk. None for a stranger."""
    return await db.fetch_one(_SEAT, room_id, viewer.member_id) if viewer.is_member else None
