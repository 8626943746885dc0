from litestar import Controller, Request, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict
from app.limits import limit as allow
from app.openapi import door
from app.paging import Page, limit_of
from app.web import json_body
from community.chat import list_examples, lists, mutes, service
from community.chat.list_schemas import Mute, ReadUpTo, RoomLine

MOST_READS_A_MINUTE = 600


class RoomListApi(Controller):
    """A member's rooms, how far they have read, and which may not disturb them."""

    path = "/rooms"
    tags = ["chat"]

    @get(summary="One's rooms of every kind, with what is new there", opt=door(gives=list_examples.rooms, scope="read"))
    async def list_rooms(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[RoomLine]:
        """Where something was said last comes first. Direct messages from who is not known stand in `/requests`."""
        found = await lists.rooms_of(viewer, cursor=after, limit=limit_of(limit, 50))
        return Page([lists.line(row) for row in found.items], found.next)

    @put(
        "/{room_id:int}/read",
        summary="Say how far one has read",
        status_code=204,
        opt=door(takes=list_examples.read_up_to, scope="write"),
    )
    async def read(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> None:
        """It only ever moves forward. The member's other devices hear of it within a second."""
        await allow("chat-read", require_member(viewer), most=MOST_READS_A_MINUTE, per=60)
        await service.mark_read(viewer, room_id, (await json_body(request, ReadUpTo)).seq)

    @put(
        "/{room_id:int}/mute",
        summary="Have peace from a room",
        status_code=204,
        opt=door(takes=list_examples.mute, scope="write"),
    )
    async def mute(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> None:
        """No badge and no bell `for` an hour, a day, a week or ever."""
        await mutes.mute(viewer, room_id, (await json_body(request, Mute)).for_)

    @put(
        "/{room_id:int}/away",
        summary="Put a conversation away until something new is said",
        status_code=204,
        opt=door(refuses=(Conflict,), scope="write"),
    )
    async def put_away(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> None:
        """Direct messages only. Nothing is lost and nobody is told."""
        await mutes.put_away(viewer, room_id)

    @delete("/{room_id:int}/mute", summary="Let a room disturb again", status_code=204, opt=door(scope="write"))
    async def unmute(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> None:
        await mutes.unmute(viewer, room_id)
