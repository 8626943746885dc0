"""JSON doors to one message: signs, pins, former words, cards."""

from urllib.parse import unquote

from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid
from app.limits import limit
from app.openapi import door
from app.paging import Page, limit_of
from community.chat import cards, examples, pins, policy, queries, reactions, versions
from community.chat.parts import FormerWords
from community.chat.schemas import EventView, Reacted

MOST_SIGNS_A_MINUTE = 120


class MessageApi(Controller):
    path = "/rooms/{room_id:int}"
    tags = ["chat"]

    @get(
        "/messages/{message_id:int}",
        summary="One message as it stands now",
        opt=door(gives=examples.message, refuses=(Forbidden,)),
    )
    async def show(
        self, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]
    ) -> EventView:
        """Its `seq` leads to it in the room: `/chat/{room}?around={seq}`."""
        await policy.access_message(viewer, room_id, message_id)
        return queries.view(await queries.message_by_id(room_id, message_id))

    @put(
        "/messages/{message_id:int}/reactions/{emoji:str}",
        summary="Put a sign on a message",
        status_code=204,
        opt=door(scope="write", refuses=(Invalid,)),
    )
    async def react(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        emoji: FromPath[str],
    ) -> None:
        """Any one emoji, up to 20 kinds a message. Again changes nothing."""
        await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)
        await reactions.react(viewer, room_id, message_id, unquote(emoji))

    @delete(
        "/messages/{message_id:int}/reactions/{emoji:str}",
        summary="Take one's sign off a message",
        status_code=204,
        opt=door(scope="write", refuses=(Invalid,)),
    )
    async def take_back(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        emoji: FromPath[str],
    ) -> None:
        """Again changes nothing."""
        await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)
        await reactions.take_back(viewer, room_id, message_id, unquote(emoji))

    @get(
        "/messages/{message_id:int}/reactions",
        summary="Who put which sign on a message",
        opt=door(gives=examples.reacted, refuses=(Forbidden, Invalid)),
    )
    async def list_reactions(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        emoji: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[Reacted]:
        """In the order they did; of one `emoji`, when asked."""
        return await reactions.who_reacted(
            viewer, room_id, message_id, emoji=emoji, cursor=after, limit=limit_of(limit, 50)
        )

    @get(
        "/pins",
        summary="What is pinned in a room",
        opt=door(gives=examples.pins, refuses=(Forbidden,)),
    )
    async def list_pins(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[EventView]:
        """At most 50 messages, the newest pin first."""
        await policy.access_room(viewer, room_id)
        return await pins.page_of(room_id, cursor=after, limit=limit_of(limit, 50))

    @put(
        "/messages/{message_id:int}/pin",
        summary="Pin a message",
        status_code=204,
        opt=door(scope="write", refuses=(Conflict,)),
    )
    async def pin(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]) -> None:
        """Up to those who run the room. Again changes nothing."""
        await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)
        await pins.pin(viewer, room_id, message_id)

    @delete(
        "/messages/{message_id:int}/pin",
        summary="Take a pin down",
        status_code=204,
        opt=door(scope="write"),
    )
    async def unpin(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], message_id: FromPath[int]) -> None:
        await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)
        await pins.unpin(viewer, room_id, message_id)

    @get(
        "/messages/{message_id:int}/versions",
        summary="What a message said before it was changed",
        opt=door(gives=examples.versions, scope="read"),
    )
    async def list_versions(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[FormerWords]:
        """For its author and those who run the room; the last words first. A deletion takes them along."""
        _message, said = await versions.former_words(
            viewer, room_id, message_id, cursor=after, limit=limit_of(limit, 50)
        )
        return Page([FormerWords(row["body"], row["until"]) for row in said.items], said.next)

    @delete(
        "/messages/{message_id:int}/cards/{card_id:int}",
        summary="Take a card off a message",
        status_code=204,
        opt=door(scope="write"),
    )
    async def remove_card(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        message_id: FromPath[int],
        card_id: FromPath[int],
    ) -> None:
        """Its author or a moderator, for good. The link in the words stays."""
        await limit("chat-react", require_member(viewer), most=MOST_SIGNS_A_MINUTE, per=60)
        await cards.remove(viewer, room_id, message_id, card_id)
