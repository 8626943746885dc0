from collections.abc import Callable
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.bots import queries, service
from community.bots.api import MOST_CHANGES_AN_HOUR
from community.bots.policy import Home, home_of_group, home_of_room
from community.bots.schemas import NewBotForm, NewSecret
from community.media.api import MOST_BODY_BYTES, picture_of

TEMPLATE = "community/bots/index.html"


def bot_pages(path_of_room: str, home_of: Callable) -> type[Controller]:
    """The programs that may speak in one kind of room, for those who run it."""

    class BotPages(Controller):
        path = f"{path_of_room}/bots"
        include_in_schema = False
        dependencies = {"home": Provide(home_of)}

        @get()
        async def show(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home]
        ) -> Response:
            return page(request, viewer, TEMPLATE, values={}, problem=None, **await _shown(home))

        @post()
        async def make(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home]
        ) -> Response:
            await _limited(viewer)
            try:
                bot_id, secret = await service.make(viewer, home, (await form(request, NewBotForm)).name)
            except Problem as problem:
                return await form_again(request, viewer, TEMPLATE, problem, **await _shown(home))
            return await _secret_shown(request, viewer, home, bot_id, secret)

        @post("/{bot_id:int}/name")
        async def rename(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> Response:
            await _limited(viewer)
            try:
                await service.rename(home, bot_id, (await form(request, NewBotForm)).name)
            except Problem as problem:
                return page(
                    request,
                    viewer,
                    TEMPLATE,
                    status=problem.status,
                    values={},
                    problem=problem,
                    **await _shown(home),
                )
            return redirect(home.url, flash=_("It is called so now."))

        @post("/{bot_id:int}/secret")
        async def change_secret(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> Response:
            await _limited(viewer)
            wanted = await form(request, KeptOrNot)
            secret = await service.change_secret(home, bot_id, keep_old=wanted.keep_old)
            return await _secret_shown(request, viewer, home, bot_id, secret)

        @post("/{bot_id:int}/picture", request_max_body_size=MOST_BODY_BYTES)
        async def change_picture(
            self, request: Request, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> Response:
            await limit("upload", require_member(viewer), most=60, per=3600)
            try:
                await service.change_picture(home, bot_id, await picture_of(request, "avatar"))
            except Problem as problem:
                return page(
                    request,
                    viewer,
                    TEMPLATE,
                    status=problem.status,
                    values={},
                    problem=problem,
                    **await _shown(home),
                )
            return redirect(home.url, flash=_("That is its face now."))

        @post("/{bot_id:int}/end")
        async def revoke(
            self, viewer: NamedDependency[Viewer], home: NamedDependency[Home], bot_id: FromPath[int]
        ) -> Response[str]:
            await service.revoke(viewer, home, bot_id)
            return redirect(home.url, flash=_("It speaks no more. What it said stays."))

    return BotPages


class KeptOrNot(NewSecret):
    """From a page, where a box that is not ticked is not sent."""

    keep_old: bool = False


async def _shown(home: Home) -> dict[str, Any]:
    bots = (await queries.bots_of_room(home.room_id)).items
    return home.shown | {"here": home.url, "bots": bots, "secret": "", "fresh": None}


async def _secret_shown(request: Request, viewer: Viewer, home: Home, bot_id: int, secret: str) -> Response:
    """The page with the secret on it, this once: it is in no address, no cookie and no cache."""
    shown = await _shown(home) | {"secret": secret, "fresh": await queries.bot_view(bot_id)}
    response = page(request, viewer, TEMPLATE, values={}, problem=None, **shown)
    response.headers["Cache-Control"] = "private, no-store"
    return response


async def _limited(viewer: Viewer) -> None:
    await limit("bots", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)


GroupBotPages = bot_pages("/g/{slug:str}", home_of_group)
RoomBotPages = bot_pages("/chat/{room_id:int}", home_of_room)
