from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.errors import Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.objections.queries import objections_at, state_of
from referrals.objections.schemas import VerdictForm
from referrals.objections.service import decide, is_concerned
from storefront.stores.policy import access_own_store

TEMPLATE = "referrals/objections/index.html"


class ObjectionPages(Controller):
    """What members say against decisions on credit, for the store's owner and admins."""

    path = "/admin/programs/{slug:str}/objections"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(request, viewer, TEMPLATE, **await _shown(request, viewer, slug), values={}, problem=None)

    @post("/{objection_id:int}/decision")
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], objection_id: FromPath[int]
    ) -> Response:
        try:
            await decide(viewer, slug, objection_id, await form(request, VerdictForm))
        except Problem as problem:
            shown = await _shown(request, viewer, slug) | {"wrong": objection_id}
            return await form_again(request, viewer, TEMPLATE, problem, **shown)
        return redirect(f"/admin/programs/{slug}/objections", flash=_("Answered. The member reads it."))


async def _shown(request: Request, viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    found = await objections_at(store["id"], cursor=request.query_params.get("after"))
    concerned = {row["id"] for row in found.items if is_concerned(viewer.member_id, row)}
    return {"store": store, "objections": found, "concerned": concerned, "state_of": state_of, "wrong": 0}
