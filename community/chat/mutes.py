"""A member's own peace: a room that may not disturb them for a while, a conversation put out of their sight."""

from datetime import timedelta

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict
from app.i18n import gettext as _
from community.chat import policy, reads
from community.chat.list_schemas import MuteFor

LENGTHS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}


async def mute(viewer: Viewer, room_id: int, length: MuteFor) -> None:
    """No badge and no bell from this room for so long. What is said there is as much theirs as before."""
    member_id = require_member(viewer)
    await policy.access_room(viewer, room_id)
    await reads.mute(room_id, member_id, clock.now() + LENGTHS[length] if length in LENGTHS else reads.FOR_EVER)


async def unmute(viewer: Viewer, room_id: int) -> None:
    member_id = require_member(viewer)
    await policy.access_room(viewer, room_id)
    await reads.mute(room_id, member_id, None)


async def put_away(viewer: Viewer, room_id: int) -> None:
    """Take a conversation off the list until something new is said there. Nothing is lost, nobody is told."""
    member_id = require_member(viewer)
    room = await policy.access_room(viewer, room_id)
    if room["kind"] != "direct":
        raise Conflict(_("Only conversations can be put away. A group is left, or muted."))
    await reads.put_away(room_id, member_id)
