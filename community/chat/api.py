from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import limits, live_tickets
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.openapi import door
from app.paging import Page, limit_of
from app.web import json_body
from community.chat import examples, measures_queries, policy, queries, service
from community.chat.schemas import MOST_SEQ, ChangedMessage, EventView, NewMessage, RoomView, Sent, Ticket

MOST_SENDS_A_MINUTE = 6000
MOST_CHANGES_A_MINUTE = 60


class ChatApi(Controller):
    tags = ["chat"]

    @get(
        "/rooms/{room_id:int}",
        summary="A chat room and where its history stands",
        opt=door(gives=examples.room, refuses=(Forbidden,)),
    )
    async def show(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> RoomView:
        room = await policy.access_room(viewer, room_id)
        return RoomView(
            id=str(room["id"]),
            name=room["name"],
            seq=room["seq"],
            epoch=room["epoch"],
            url=f"/chat/{room['id']}",
            group=room["slug"] or "",
            kind=room["kind"],
            frozen=room["frozen_at"] is not None,
            slow_seconds=room["slow_seconds"],
            may_send=policy.may_send(room),
            orders=measures_queries.orders_on(room),
        )

    @get(
        "/rooms/{room_id:int}/messages",
        summary="What was said in a room",
        opt=door(gives=examples.messages, refuses=(Forbidden,)),
    )
    async def list_messages(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        after: FromQuery[int | None] = None,
        before: FromQuery[int | None] = None,
        thread: FromQuery[int | None] = None,
        kinds: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[EventView]:
        """Forward from `after` (a seq, at first 0), or backward from `before`; `next` goes on there. `thread`: a
        message's id, for it and all that answers it. `kinds=all`: everything that happened after `after` (edits,
        deletions, reactions, pins, who came), as the live socket tells it: whoever cannot hold a socket polls this."""
        await policy.access_room(viewer, room_id)
        most = limit_of(limit, 50)
        if thread is not None:
            await policy.access_message(viewer, room_id, thread)
            rows = await queries.thread_of(room_id, thread, after=min(after or 0, MOST_SEQ), limit=most + 1)
        elif kinds == "all":
            rows = await queries.events_after(room_id, min(after or 0, MOST_SEQ), limit=most + 1)
        elif before is not None:
            rows = await queries.messages_before(room_id, min(before, MOST_SEQ), limit=most + 1)
        else:
            rows = await queries.messages_after(room_id, min(after or 0, MOST_SEQ), limit=most + 1)
        items = [queries.view(row) for row in rows[:most]]
        return Page(items, str(items[-1].seq) if len(rows) > most else None)

    @post(
        "/rooms/{room_id:int}/messages",
        summary="Say something",
        status_code=201,
        opt=door(takes=examples.new_message, gives=examples.sent, refuses=(Conflict,), scope="write", also=200),
    )
    async def send(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response[Sent]:
        """The same `client_id` again is answered with 200 and says nothing twice; with other words it is a 409."""
        await limits.limit("chat-send", require_member(viewer), most=MOST_SENDS_A_MINUTE, per=60)
        new = await json_body(request, NewMessage)
        said = await service.send(
            viewer,
            room_id,
            new.client_id,
            new.body,
            int(new.reply_to) if new.reply_to else None,
            [int(file_id) for file_id in new.files],
        )
        return Response(Sent(str(said.id), said.seq), status_code=201 if said.is_new else 200)

    @put(
        "/rooms/{room_id:int}/messages/{message_id:int}",
        summary="Change one's own words",
        opt=door(takes=examples.changed_message, gives=examples.sent, scope="write"),
    )
    async def edit(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Sent:
        # Each change is told to everybody and kept, and slow mode does not see it.
        await limits.limit("chat-change", require_member(viewer), most=MOST_CHANGES_A_MINUTE, per=60)
        changed = await json_body(request, ChangedMessage)
        return Sent(str(message_id), await service.edit(viewer, room_id, message_id, changed.body))

    @delete(
        "/rooms/{room_id:int}/messages/{message_id:int}",
        summary="Take a message away",
        status_code=204,
        opt=door(scope="write"),
    )
    async def take_away(
        self, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> None:
        """Its author or a moderator; the words are gone from the database too."""
        await service.delete(viewer, room_id, message_id)

    @post(
        "/live/ticket",
        summary="A ticket to the live socket",
        status_code=201,
        opt=door(gives=examples.ticket, scope="read"),
    )
    async def issue_ticket(self, viewer: NamedDependency[Viewer]) -> Ticket:
        """Good once, for 30 seconds: `wss://…/live?ticket=`."""
        await limits.limit("live-ticket", require_member(viewer, "read"), most=MOST_SENDS_A_MINUTE, per=60)
        return Ticket(live_tickets.issue(viewer))
