"""What can be done with one message without JavaScript, and the lists behind it: who reacted, pins, former words."""

from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app.auth import Viewer, require_member
from app.limits import limit
from app.web import form, fragment, page, redirect
from community.chat import cards, pins, policy, queries, reactions, seats, versions
from community.chat.message_api import MOST_SIGNS_A_MINUTE


class Sign(msgspec.Struct):
    emoji: Annotated[str, Meta(max_length=60)]


class MessagePages(Controller):
    path = "/chat/{room_id:int}"
    include_in_schema = False

    @get("/messages/{message_id:int}")
    async def find(
        self, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        """The permalink: where the message stands among the others, however long ago that was."""
        _room, message = await policy.access_message(viewer, room_id, message_id)
        return redirect(f"/chat/{room_id}?around={message['seq']}#message-{message_id}", status=302)

    @post("/messages/{message_id:int}/reactions")
    async def react(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        await _slowly(viewer)
        await reactions.react(viewer, room_id, message_id, (await form(request, Sign)).emoji)
        return _done(request, room_id, message_id)

    @post("/messages/{message_id:int}/reactions/end")
    async def take_back(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        await _slowly(viewer)
        await reactions.take_back(viewer, room_id, message_id, (await form(request, Sign)).emoji)
        return _done(request, room_id, message_id)

    @get("/messages/{message_id:int}/reactions")
    async def list_reactions(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        room, message = await policy.access_message(viewer, room_id, message_id)
        shown = await reactions.who_reacted(
            viewer, room_id, message_id, emoji=None, cursor=request.query_params.get("after")
        )
        return page(
            request, viewer, "community/chat/reactions.html", room=room, message=message, reacted=shown, current=room_id
        )

    @post("/messages/{message_id:int}/pin")
    async def pin(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        await _slowly(viewer)
        await pins.pin(viewer, room_id, message_id)
        return _done(request, room_id, message_id)

    @post("/messages/{message_id:int}/pin/end")
    async def unpin(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        await _slowly(viewer)
        await pins.unpin(viewer, room_id, message_id)
        return _done(request, room_id, message_id)

    @get("/pins")
    async def list_pins(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        room = await policy.access_room(viewer, room_id)
        return page(
            request,
            viewer,
            "community/chat/pins.html",
            room=room,
            pinned=[queries.view(row) for row in await pins.pins_of(room_id)],
            may_pin=pins.may_pin(viewer, room),
            seat=await seats.seat_of(viewer, room_id),
        )

    @get("/pins/latest")
    async def show_latest_pin(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]
    ) -> Response:
        """The line above the room, for <chat-pins>."""
        room = await policy.access_room(viewer, room_id)
        pinned = await pins.latest(viewer, room_id)
        return fragment(request, viewer, "community/chat/_pins.html", room=room, pinned=pinned)

    @get("/messages/{message_id:int}/versions")
    async def list_versions(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> Response:
        after = request.query_params.get("after")
        message, said = await versions.former_words(viewer, room_id, message_id, cursor=after)
        room = await policy.access_room(viewer, room_id)
        return page(request, viewer, "community/chat/versions.html", room=room, message=message, versions=said)

    @post("/messages/{message_id:int}/cards/{card_id:int}/delete")
    async def remove_card(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        card_id: FromPath[int],
    ) -> Response:
        await _slowly(viewer)
        await cards.remove(viewer, room_id, message_id, card_id)
        return _done(request, room_id, message_id)


async def _slowly(viewer: Viewer) -> None:
    await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)


def _done(request: Request, room_id: int, message_id: int) -> Response:
    """Back to the message; <chat-room> asks for JSON and hears of the change by its event."""
    if request.headers.get("accept", "").startswith("application/json"):
        return Response(None, status_code=204)
    return redirect(f"/chat/{room_id}/messages/{message_id}")
