"""Pins: what the room's moderators keep in sight, newest first."""

from typing import Any

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.i18n import gettext as _
from app.paging import Page, cut, decode
from community.chat import hanging, policy, queries, writer
from community.chat.schemas import EventView
from community.privacy.queries import is_wanted

MOST_PINS = 50
_PINNED = "JOIN message_pin pin ON pin.message_id = e.message_id AND e.kind = 'message'"


async def pin(viewer: Viewer, room_id: int, message_id: int) -> int | None:
    """Keep a message in sight; the seq of the event, None when it was pinned already."""
    member_id = await _moderator(viewer, room_id, message_id)
    async with db.transaction():
        await hanging.alone_in(room_id)
        won = await db.fetch_val(
            """INSERT INTO message_pin (room_id, message_id, pinned_by_id, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING RETURNING id""",
            room_id,
            message_id,
            member_id,
            clock.now(),
        )
        if not won:
            return None
        seq = await writer.append(room_id, "pin", message_id=message_id, author_id=member_id)
        await _moderator(viewer, room_id, message_id)
        if await db.fetch_val("SELECT count(*) FROM message_pin WHERE room_id = $1", room_id) > MOST_PINS:
            raise Conflict(_("%(n)s messages are pinned here already. Take one of them down first.", n=MOST_PINS))
        await hanging.fold_one(message_id)
    return seq


async def unpin(viewer: Viewer, room_id: int, message_id: int) -> int | None:
    """Take a pin down; the seq of the event, None when there was none."""
    member_id = await _moderator(viewer, room_id, message_id)
    async with db.transaction():
        await hanging.alone_in(room_id)
        if not await db.execute("DELETE FROM message_pin WHERE message_id = $1", message_id):
            return None
        seq = await writer.append(room_id, "pin", message_id=message_id, author_id=member_id, data={"off": True})
        await _moderator(viewer, room_id, message_id)
        await hanging.fold_one(message_id)
    return seq


async def pins_of(room_id: int) -> list[Any]:
    """What is pinned in the room, the newest pin first. A message that moderators withheld is left out."""
    return await queries.messages_where(
        room_id,
        _PINNED,
        f"h.id IS NULL ORDER BY pin.id DESC LIMIT {MOST_PINS}",
    )


async def page_of(room_id: int, *, cursor: str | None, limit: int) -> Page[EventView]:
    """The same, in pages. There are few enough to read them all each time."""
    (last,) = decode(cursor, (str,)) or ("",)
    pinned = [queries.view(row) for row in await pins_of(room_id)]
    start = next((place for place, event in enumerate(pinned, 1) if event.id == last), 0)
    return cut(pinned[start : start + limit + 1], limit, lambda event: (event.id,))


async def latest(viewer: Viewer, room_id: int) -> EventView | None:
    """What was pinned last and is still there; nothing of whom the viewer blocked."""
    rows = await queries.messages_where(
        room_id,
        _PINNED,
        f"h.id IS NULL AND {is_wanted('a.id', '$2')} ORDER BY pin.id DESC LIMIT 1",
        viewer.member_id,
    )
    return queries.view(rows[0]) if rows else None


def may_pin(viewer: Viewer, room: asyncpg.Record) -> bool:
    """Who runs the room; two who talk alone keep in sight what they like."""
    return policy.may_moderate(viewer, room) or (room["kind"] == "direct" and policy.belongs(room))


async def _moderator(viewer: Viewer, room_id: int, message_id: int) -> int:
    member_id = require_member(viewer)
    room, _message = await policy.access_message(viewer, room_id, message_id)
    if not may_pin(viewer, room):
        raise Forbidden(_("Pinning is up to those who run the room."))
    return member_id
