"""A block and what it does to the room of the two: nobody writes there any more, both keep what was said."""

from app import clock, db
from app.auth import Viewer, require_member
from app.live import notify_member
from community.chat import presence, writer
from community.direct.policy import alone_with, room_of_two
from community.members.queries import member_by_handle
from community.privacy import service as privacy
from community.privacy.schemas import PrivacyView


async def block(viewer: Viewer, handle: str) -> None:
    """Neither writes to, calls or sees the other from now on. They are not told, but can find out."""
    member_id = require_member(viewer)
    other_id = (await member_by_handle(handle))["id"]
    async with db.transaction():
        await alone_with(member_id, other_id)
        if await privacy.block(viewer, other_id) and (room_id := await room_of_two(member_id, other_id)):
            await _close(room_id)
    await notify_member(member_id, kind="block", member=str(other_id), on=True)
    await _look_again(member_id, other_id)


async def unblock(viewer: Viewer, handle: str) -> None:
    """They may write again, unless they have blocked the viewer too."""
    member_id = require_member(viewer)
    other_id = (await member_by_handle(handle))["id"]
    async with db.transaction():
        if await privacy.unblock(viewer, other_id) and (room_id := await room_of_two(member_id, other_id)):
            await _open_again(room_id, other_id, member_id)
    await notify_member(member_id, kind="block", member=str(other_id), on=False)
    await _look_again(member_id, other_id)


async def change_privacy(viewer: Viewer, wanted: PrivacyView) -> None:
    """Who may begin to write to the viewer, and whether they are seen; open pages learn of it."""
    await privacy.change(viewer, wanted)
    await presence.look_again(require_member(viewer))


async def _close(room_id: int) -> None:
    """Who talks there is stopped; a request that waits is gone, and who asked sees it wait for ever."""
    declined = await db.execute(
        "UPDATE room_member SET state = 'left' WHERE room_id = $1 AND state = 'invited'", room_id
    )
    if declined:
        await db.execute(
            "UPDATE direct_pair SET answer = 'declined', answered_at = $2 WHERE room_id = $1", room_id, clock.now()
        )
        return
    closed = await db.execute(
        "UPDATE room_member SET state = 'blocked' WHERE room_id = $1 AND state = 'active'", room_id
    )
    if closed:
        await writer.append(room_id, "room", data={"is": "closed"})


async def _open_again(room_id: int, other_id: int, member_id: int) -> None:
    opened = await db.execute(
        """UPDATE room_member SET state = 'active'
            WHERE room_id = $1 AND state = 'blocked'
              AND NOT EXISTS (SELECT 1 FROM member_block WHERE member_id = $2 AND blocked_id = $3)""",
        room_id,
        other_id,
        member_id,
    )
    if opened:
        await writer.append(room_id, "room", data={"is": "open"})


async def _look_again(member_id: int, other_id: int) -> None:
    await presence.look_again(member_id)
    await presence.look_again(other_id)
