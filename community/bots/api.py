from collections.abc import Callable

from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict
from app.limits import limit
from app.openapi import door
from app.paging import Page, limit_of
from app.web import json_body
from community.bots import examples, queries, service
from community.bots.policy import Home, home_of_group, home_of_room
from community.bots.schemas import BotMade, BotView, NewBot, NewSecret, Secret

MOST_CHANGES_AN_HOUR = 60


def bot_api(path_of_room: str, home_of: Callable) -> type[Controller]:
    """The JSON doors to the bots of one kind of room: a group's, or a product's and a live event's."""

    class BotApi(Controller):
        path = f"{path_of_room}/bots"
        tags = ["chat"]
        dependencies = {"home": Provide(home_of)}

        @get(summary="The bots of a room", opt=door(gives=examples.bots, scope="write"))
        async def list(
            self,
            home: NamedDependency[Home],
            after: FromQuery[str | None] = None,
            limit: FromQuery[int | None] = None,
        ) -> Page[BotView]:
            """For those who run it. Secrets are never shown again."""
            return await queries.bots_of_room(home.room_id, cursor=after, limit=limit_of(limit, 50))

        @post(
            summary="Make a bot",
            status_code=201,
            opt=door(takes=examples.new_bot, gives=examples.bot_made, refuses=(Conflict,), scope="write"),
        )
        async def make(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home]
        ) -> Response[BotMade]:
            """It speaks at its `url`, signed with its secret, and reads nothing. The secret is shown this once."""
            await limit("bots", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)
            new = await json_body(request, NewBot)
            bot_id, secret = await service.make(viewer, home, new.name)
            return Response(BotMade(await queries.bot_view(bot_id), secret), status_code=201)

        @put(
            "/{bot_id:int}",
            summary="Call a bot otherwise",
            opt=door(takes=examples.new_bot, gives=examples.bot, scope="write"),
        )
        async def rename(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> BotView:
            """Also beside what it said."""
            await limit("bots", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)
            wanted = await json_body(request, NewBot)
            await service.rename(home, bot_id, wanted.name)
            return await queries.bot_view(bot_id)

        @post(
            "/{bot_id:int}/secret",
            summary="Give a bot a new secret",
            status_code=201,
            opt=door(takes=examples.new_secret, gives=examples.secret, scope="write"),
        )
        async def change_secret(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> Response[Secret]:
            """The one before is taken for another day, unless `keep_old` is false."""
            await limit("bots", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)
            wanted = await json_body(request, NewSecret)
            secret = await service.change_secret(home, bot_id, keep_old=wanted.keep_old)
            until = clock.now() + service.OVERLAP if wanted.keep_old else None
            return Response(Secret(secret, until), status_code=201)

        @delete("/{bot_id:int}", summary="Revoke a bot", status_code=204, opt=door(scope="write"))
        async def revoke(
            self, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> None:
            """It speaks no more; what it said stays."""
            await service.revoke(viewer, home, bot_id)

    return BotApi


GroupBotApi = bot_api("/groups/{slug:str}", home_of_group)
RoomBotApi = bot_api("/rooms/{room_id:int}", home_of_room)
