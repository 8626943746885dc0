from typing import Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.agreement import service
from storefront.stores.policy import access_own_store


class Refusal(msgspec.Struct):
    reason: str = ""


class ChangePages(Controller):
    """What waits for a second person, and whether two are wanted at all."""

    path = "/admin/programs/{slug:str}/changes"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _page(request, viewer, await access_own_store(viewer, slug))

    @post()
    async def want_two(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            await service.want_two(viewer, slug)
        except Problem as problem:
            return await _page(request, viewer, store, problem)
        return redirect(f"/admin/programs/{slug}/changes", flash=_("From now on it takes two."))

    @post("/alone")
    async def want_one(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        said = waits_words() if await service.want_one(viewer, slug) else _("One person is enough again.")
        return redirect(f"/admin/programs/{slug}/changes", flash=said)

    @post("/{change_id:int}/agreement")
    async def agree(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], change_id: FromPath[int]
    ) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            await service.agree(viewer, slug, change_id)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, store, problem)
        return redirect(f"/admin/programs/{slug}/changes", flash=_("Agreed. It counts from now on."))

    @post("/{change_id:int}/refusal")
    async def refuse(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], change_id: FromPath[int]
    ) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            await service.refuse(viewer, slug, change_id, (await form(request, Refusal)).reason)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, store, problem)
        return redirect(f"/admin/programs/{slug}/changes", flash=_("It is not done."))


def waits_words() -> str:
    return _("It waits for a second person.")


def to_changes(slug: str) -> Response:
    """Where somebody is led whose change has to wait."""
    return redirect(f"/admin/programs/{slug}/changes", flash=waits_words())


async def _page(
    request: Request, viewer: Viewer, store: asyncpg.Record, problem: Problem | None = None
) -> Response[Any]:
    return page(
        request,
        viewer,
        "referrals/agreement/changes.html",
        status=problem.status if problem else 200,
        store=store,
        problem=problem,
        takes_two=await service.asks_for_two(store["id"]),
        people=await service.people_of(store),
        changes=await service.changes_of(store),
    )
