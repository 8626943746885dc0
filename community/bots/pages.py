from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.bots import policy, queries, service
from community.bots.api import MOST_CHANGES_AN_HOUR
from community.bots.schemas import NewBotForm, NewSecret
from community.media.api import MOST_BODY_BYTES, picture_of

TEMPLATE = "community/bots/index.html"


class BotPages(Controller):
    """The programs that may speak in a group's room, for those who run the group."""

    path = "/g/{slug:str}/bots"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(request, viewer, TEMPLATE, values={}, problem=None, **await _shown(viewer, slug))

    @post()
    async def make(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await _limited(viewer)
        try:
            bot_id, secret = await service.make(viewer, slug, (await form(request, NewBotForm)).name)
        except Problem as problem:
            return await form_again(request, viewer, TEMPLATE, problem, **await _shown(viewer, slug))
        return await _secret_shown(request, viewer, slug, bot_id, secret)

    @post("/{bot_id:int}/name")
    async def rename(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], bot_id: FromPath[int]
    ) -> Response:
        await _limited(viewer)
        try:
            await service.rename(viewer, slug, bot_id, (await form(request, NewBotForm)).name)
        except Problem as problem:
            return page(
                request,
                viewer,
                TEMPLATE,
                status=problem.status,
                values={},
                problem=problem,
                **await _shown(viewer, slug),
            )
        return redirect(f"/g/{slug}/bots", flash=_("It is called so now."))

    @post("/{bot_id:int}/secret")
    async def change_secret(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], bot_id: FromPath[int]
    ) -> Response:
        await _limited(viewer)
        wanted = await form(request, KeptOrNot)
        secret = await service.change_secret(viewer, slug, bot_id, keep_old=wanted.keep_old)
        return await _secret_shown(request, viewer, slug, bot_id, secret)

    @post("/{bot_id:int}/picture", request_max_body_size=MOST_BODY_BYTES)
    async def change_picture(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], bot_id: FromPath[int]
    ) -> Response:
        await limit("upload", require_member(viewer), most=60, per=3600)
        try:
            await service.change_picture(viewer, slug, bot_id, await picture_of(request, "avatar"))
        except Problem as problem:
            return page(
                request,
                viewer,
                TEMPLATE,
                status=problem.status,
                values={},
                problem=problem,
                **await _shown(viewer, slug),
            )
        return redirect(f"/g/{slug}/bots", flash=_("That is its face now."))

    @post("/{bot_id:int}/end")
    async def revoke(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], bot_id: FromPath[int]
    ) -> Response[str]:
        await service.revoke(viewer, slug, bot_id)
        return redirect(f"/g/{slug}/bots", flash=_("It speaks no more. What it said stays."))


class KeptOrNot(NewSecret):
    """From a page, where a box that is not ticked is not sent."""

    keep_old: bool = False


async def _shown(viewer: Viewer, slug: str) -> dict[str, Any]:
    group = await policy.access_run_group(viewer, slug)
    return {"group": group, "bots": (await queries.bots_of_group(group["id"])).items, "secret": "", "fresh": None}


async def _secret_shown(request: Request, viewer: Viewer, slug: str, bot_id: int, secret: str) -> Response:
    """The page with the secret on it, this once: it is in no address, no cookie and no cache."""
    shown = await _shown(viewer, slug) | {"secret": secret, "fresh": await queries.bot_view(bot_id)}
    response = page(request, viewer, TEMPLATE, values={}, problem=None, **shown)
    response.headers["Cache-Control"] = "private, no-store"
    return response


async def _limited(viewer: Viewer) -> None:
    await limit("bots", require_member(viewer), most=MOST_CHANGES_AN_HOUR, per=3600)
