"""For pages that are told nothing by themselves, as no socket passes or one only looks in: they ask what happened."""

from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import db
from app.auth import Viewer, require_member
from app.errors import NotFound
from app.limits import limit
from app.web import address_of, form
from community.chat import policy, queries, service
from community.chat.policy import MOST_ID
from community.chat.schemas import MOST_SEQ, EventView
from community.chat.seen import read_by_other
from community.chat.stretch import number_in

EVENTS_AT_ONCE = 200
MOST_READS_A_MINUTE = 600
# A page asks every three seconds at most. A member has a few of them open; behind one address sits a whole office.
MOST_LOOKS_A_MINUTE, MOST_LOOKS_OF_AN_ADDRESS = 240, 1200


class Since(msgspec.Struct, omit_defaults=True):
    """What happened after a seq, and where the room stands now."""

    seq: int
    epoch: str
    events: list[EventView]
    read: int | None = None
    """How far the member has read, perhaps on another device; nothing for who only looks in."""
    seen: int | None = None
    """How far the other one has read, where two talk alone."""


class ReadForm(msgspec.Struct):
    seq: Annotated[int, Meta(ge=0, lt=MOST_SEQ)]


class PollingPages(Controller):
    path = "/chat/{room_id:int}"
    include_in_schema = False

    @get("/events")
    async def look(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response[Since]:
        """The same question as the room's page asks decides who may look, every time."""
        if viewer.member_id:
            await limit("chat-look", viewer.member_id, most=MOST_LOOKS_A_MINUTE, per=60)
        else:
            address = address_of(request)
            await limit("chat-look", address, most=MOST_LOOKS_OF_AN_ADDRESS, per=60)
        after = number_in(request, "after") or 0
        since = await happened_since(viewer, room_id, after)
        return Response(since, headers={"Cache-Control": "private, no-store"})

    @post("/read")
    async def read(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await limit("chat-read", require_member(viewer), most=MOST_READS_A_MINUTE, per=60)
        await service.mark_read(viewer, room_id, (await form(request, ReadForm)).seq)
        return Response(None, status_code=204)


async def happened_since(viewer: Viewer, room_id: int, after: int) -> Since:
    # Many look at the same room at the same time: they share the query.
    rooms = await policy.rooms_to_read(viewer, [room_id]) if room_id < MOST_ID else {}
    room = rooms.get(room_id)
    if room is None:
        raise NotFound()
    # Nothing new is the usual answer, and needs no second look.
    rows = await queries.events_after(room_id, after, limit=EVENTS_AT_ONCE) if after < room["seq"] else []
    read = viewer.member_id and await db.fetch_val(
        "SELECT seq FROM read_pointer WHERE room_id = $1 AND member_id = $2", room_id, viewer.member_id
    )
    talks = viewer.member_id is not None and room["kind"] == "direct"
    seen = await read_by_other((room_id, require_member(viewer, "read"))) if talks else None
    return Since(room["seq"], room["epoch"], [queries.view(row) for row in rows], read or None, seen)
