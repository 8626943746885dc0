import uuid

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.limits import limit
from app.web import form, form_again, fragment, page, redirect
from community.chat import files, keepers, lists, measures_queries, pins, policy, reads, seats, service
from community.chat.api import MOST_CHANGES_A_MINUTE, MOST_SENDS_A_MINUTE
from community.chat.schemas import LONGEST_MESSAGE, ChangeForm, EventView, MessageForm, Sent
from community.chat.stretch import stretch_of
from community.webhooks.queries import count_on

# Without JavaScript a message comes together with its files.
MOST_FORM_BYTES = 64 * 1024 * 1024
MOST_WORDS_BYTES = 128 * 1024


class ChatPages(Controller):
    """Rooms as pages that work without JavaScript; <chat-room> makes them live. See also the socket in live.py."""

    path = "/chat"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer, "read")
        found = await lists.rooms_of(viewer, cursor=request.query_params.get("after"))
        asking = await lists.requests_waiting(viewer)
        return page(
            request, viewer, "community/chat/index.html", rooms=found.items, next=found.next, requests_waiting=asking
        )

    @get("/{room_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        room = await room_context(request, viewer, room_id)
        return page(request, viewer, "community/chat/room.html", values={}, problem=None, **room)

    @post("/{room_id:int}/messages", request_max_body_size=MOST_FORM_BYTES)
    async def send(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        """From the form, or from <chat-room> while no socket can be had: then the answer is JSON.

        Without JavaScript the form brings its files along; <chat-room> names those it brought in before.
        """
        await limit("chat-send", require_member(viewer), most=MOST_SENDS_A_MINUTE, per=60)
        if int(request.headers.get("content-length") or 0) > MOST_WORDS_BYTES:
            await files.let_in(viewer, room_id)
        wants_json = request.headers.get("accept", "").startswith("application/json")
        try:
            new = await form(request, MessageForm)
            reply_to = int(new.reply_to) if new.reply_to else None
            brought = await files.given_in(request, "files")
            # The same form again would bring its files again, under other ids.
            said = await service.said_before(viewer, room_id, new.client_id) if brought else None
            if said is None:
                held = [int(file_id) for file_id in new.file_ids]
                held += [int((await files.keep(viewer, room_id, *one)).id) for one in brought]
                said = await service.send(viewer, room_id, new.client_id, new.body, reply_to, held)
        except Problem as problem:
            if wants_json or problem.status == 404:
                raise
            # With a new client id: these words were not said yet, whatever the old one was used for.
            room = await room_context(request, viewer, room_id)
            return await form_again(request, viewer, "community/chat/room.html", problem, **room)
        if wants_json:
            return Response(Sent(str(said.id), said.seq))
        return redirect(f"/chat/{room_id}#message-{said.id}")

    @get("/{room_id:int}/order")
    async def show_order(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        """What keeps the viewer from writing, for <chat-order>: why one is silenced is told to nobody else."""
        room = await policy.access_room(viewer, room_id)
        notice = measures_queries.notice_of(room)
        return fragment(request, viewer, "community/chat/_order.html", room=room, **notice)

    @post("/{room_id:int}/messages/{message_id:int}/edit")
    async def edit(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        try:
            await limit("chat-change", require_member(viewer), most=MOST_CHANGES_A_MINUTE, per=60)
            await service.edit(viewer, room_id, message_id, (await form(request, ChangeForm)).body)
        except Problem as problem:
            if problem.status in (403, 404):
                raise
            room = await room_context(request, viewer, room_id, editing=message_id)
            return await form_again(request, viewer, "community/chat/room.html", problem, **room)
        return redirect(f"/chat/{room_id}#message-{message_id}")

    @post("/{room_id:int}/messages/{message_id:int}/delete")
    async def take_away(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        await service.delete(viewer, room_id, message_id)
        return redirect(f"/chat/{room_id}#message-{message_id}")


async def room_context(request: Request, viewer: Viewer, room_id: int, *, editing: int | None = None) -> dict:
    """What the page of a room shows: a stretch of its history and, beside it, the viewer's other rooms."""
    room = await policy.access_room(viewer, room_id)
    part = await stretch_of(request, viewer, room_id)
    seat = await seats.seat_of(viewer, room_id)
    seen = seat["read_seq"] if seat else room["seq"]
    if viewer.is_member and not part.is_past:
        reads.note(room_id, require_member(viewer, "read"), room["seq"])
    return {
        "room": room,
        "rooms": (await lists.rooms_of(viewer)).items if viewer.is_member else [],
        "requests_waiting": seat["requests_waiting"] if seat else 0,
        "seat": seat,
        "events": part.events,
        "older": part.older,
        "newer": part.newer,
        "thread": part.thread,
        "is_past": part.is_past,
        "seen": seen,
        "may_send": policy.may_send(room) and not (seat and seat["waits"]),
        "may_moderate": policy.may_moderate(viewer, room),
        "may_keep": await keepers.may_keep(viewer, room),
        "told_outside": await count_on("room", room_id) if room["kind"] in keepers.KINDS else 0,
        "may_pin": pins.may_pin(viewer, room),
        "pinned": await pins.latest(viewer, room_id),
        **measures_queries.notice_of(room),
        "client_id": uuid.uuid4(),
        "changed": _pick(part.events, str(editing or request.query_params.get("edit")), author_id=viewer.member_id),
        "replying": _pick(part.events, request.query_params.get("reply") or part.thread),
        "longest": LONGEST_MESSAGE,
    }


def _pick(events: list[EventView], message_id: str | None, *, author_id: int | None = None) -> EventView | None:
    """The message on this page that is to be answered or changed, if it still can be."""
    for event in events:
        if event.id and event.id == message_id and not event.gone and event.author:
            return event if author_id is None or event.author.id == str(author_id) else None
    return None
