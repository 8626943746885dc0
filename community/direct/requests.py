"""The box of requests: who does not know you yet says one thing, and hears nothing until you answer."""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.paging import Page, cut, decode
from community.chat import presence, writer
from community.direct import policy
from community.notifications.service import notify


async def requests_to(viewer: Viewer, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """Who asks to talk, the latest first, with the one thing they said, unless it was taken back or hidden."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT r.id AS room_id, m.id AS message_id, m.body, m.html, m.created_at,
                  a.id, a.handle, a.name, a.avatar_key, a.created_at AS here_since
             FROM room_member mine
             JOIN room r ON r.id = mine.room_id AND r.kind = 'direct'
             JOIN direct_pair pair ON pair.room_id = r.id
             JOIN member a ON a.id = pair.asked_by_id
             JOIN message m ON m.room_id = r.id AND m.author_id = a.id AND m.seq = 1 AND m.deleted_at IS NULL
            WHERE mine.member_id = $1 AND mine.state = 'invited'
              AND NOT EXISTS (SELECT 1 FROM hiding h WHERE h.subject_kind = 'message' AND h.subject_id = m.id)
              AND NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = a.id AND s.lifted_at IS NULL
                                                           AND (s.until IS NULL OR s.until > now()))
              AND ($2::bigint IS NULL OR r.id < $2)
            ORDER BY r.id DESC LIMIT $3""",
        require_member(viewer, "read"),
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["room_id"],))


async def accept(viewer: Viewer, room_id: int) -> None:
    """Let them in: from now on both write. They hear of it."""
    member_id = require_member(viewer)
    async with db.transaction():
        asker_id = await _answer(room_id, member_id, "accepted", "active")
        await writer.append(room_id, "room", author_id=member_id, data={"is": "accepted"})
        data = {"name": viewer.name, "handle": viewer.handle}
        source = f"direct:{room_id}:accepted"
        await notify(asker_id, "direct_accepted", source=source, url=f"/chat/{room_id}#latest", data=data, by=member_id)
    await presence.look_again(member_id)


async def decline(viewer: Viewer, room_id: int) -> None:
    """Not now: it leaves the box, and who asked is not told."""
    async with db.transaction():
        await _answer(room_id, require_member(viewer), "declined", "left")


async def _answer(room_id: int, member_id: int, answer: str, state: str) -> int:
    """Win the request that waits; who asked."""
    place = await policy.access_place(Viewer(member_id=member_id), room_id)
    seated = await db.execute(
        "UPDATE room_member SET state = $3 WHERE room_id = $1 AND member_id = $2 AND state = 'invited'",
        room_id,
        member_id,
        state,
    )
    if not seated:
        raise NotFound()
    await db.execute(
        "UPDATE direct_pair SET answer = $2, answered_at = $3 WHERE id = $1", place["pair_id"], answer, clock.now()
    )
    return place["asked_by_id"]
