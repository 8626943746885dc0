from litestar import Controller, Request, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, NotFound
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.objections import examples
from referrals.objections.queries import objections_at, store_view_of
from referrals.objections.schemas import ObjectionList, StoreObjectionView, Verdict
from referrals.objections.service import decide
from storefront.stores.policy import access_own_store


class ObjectionApi(Controller):
    """What members say against decisions on credit, for the store's owner and admins."""

    path = "/stores/{slug:str}/objections"
    tags = ["earn"]

    @get(
        summary="Objections to who was credited, what waits first",
        opt=door(gives=examples.objections, refuses=(Forbidden, NotFound), scope="read"),
    )
    async def list_objections(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> ObjectionList:
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        found = await objections_at(store["id"], cursor=after, limit=limit_of(limit))
        return ObjectionList([store_view_of(row) for row in found.items], found.next)

    @put(
        "/{objection_id:int}/verdict",
        summary="Answer an objection",
        opt=door(
            takes=examples.verdict, gives=examples.decided, refuses=(Forbidden, NotFound, Conflict), scope="write"
        ),
    )
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], objection_id: FromPath[int]
    ) -> StoreObjectionView:
        """By somebody who neither wins nor loses by it. `uphold` credits the member, like any decision of a person."""
        return store_view_of(await decide(viewer, slug, objection_id, await json_body(request, Verdict)))
