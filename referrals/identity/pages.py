from typing import Any

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import countries, i18n
from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.identity import queries, service, words
from referrals.identity.schemas import CheckForm, Document, NewRequest
from storefront.stores.policy import access_own_store
from storefront.stores.queries import store_by_slug

MINE = "referrals/identity/mine.html"
ADMIN = "referrals/identity/admin.html"
DOCUMENTS: tuple[str, ...] = Document.__args__  # type: ignore[attr-defined]


class RequestForm(NewRequest, forbid_unknown_fields=False):
    pass


class IdentityPages(Controller):
    """How I stand at a store, and asking it to look."""

    path = "/earn/identity/{slug:str}"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        require_member(viewer)
        return page(request, viewer, MINE, values={}, problem=None, **await _mine(viewer, slug))

    @post()
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        require_member(viewer)
        try:
            await service.ask(viewer, slug, (await form(request, RequestForm)).said)
        except Problem as problem:
            return await form_again(request, viewer, MINE, problem, **await _mine(viewer, slug))
        return redirect(f"/earn/identity/{slug}", flash=_("They know that you wait."))

    @post("/end")
    async def take_back(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[str]:
        member_id = require_member(viewer)
        await service.close_request(await store_by_slug(slug), member_id)
        return redirect(f"/earn/identity/{slug}", flash=_("Taken back."))


class IdentityAdminPages(Controller):
    """Who waits to be looked at, and what was seen."""

    path = "/admin/programs/{slug:str}/identity"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        values = {"member": request.query_params.get("member", "")[:31]}
        return page(request, viewer, ADMIN, values=values, problem=None, **await _all(request, store))

    @post()
    async def decide(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            await service.decide(viewer, slug, await form(request, CheckForm))
        except Problem as problem:
            return await form_again(request, viewer, ADMIN, problem, **await _all(request, store))
        return redirect(f"/admin/programs/{slug}/identity", flash=_("It is written down, and they are told."))


async def _mine(viewer: Viewer, slug: str) -> dict[str, Any]:
    store, member_id = await store_by_slug(slug), require_member(viewer)
    return {
        "store": store,
        "standing": await queries.standing_of(store, member_id),
        "earns": await queries.earns_at(store["id"], member_id),
        "words": words,
    }


async def _all(request: Request, store: asyncpg.Record) -> dict[str, Any]:
    return {
        "store": store,
        "waiting": await queries.waiting_at(store["id"], cursor=request.query_params.get("waiting")),
        "checks": await queries.checks_at(store["id"], cursor=request.query_params.get("after")),
        "documents": DOCUMENTS,
        "countries": countries.named(i18n.current()),
        "words": words,
    }
