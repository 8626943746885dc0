from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.identity import examples, queries, service
from referrals.identity.schemas import CheckList, CheckView, NewCheck, NewRequest, StandingView, WaitingList
from storefront.stores.policy import access_own_store
from storefront.stores.queries import store_by_slug


class MyIdentityApi(Controller):
    path = "/earn/identity/{store:str}"
    tags = ["earn"]

    @get(summary="How one stands at a store", opt=door(gives=examples.standing, scope="read"))
    async def show(self, viewer: NamedDependency[Viewer], store: FromPath[str]) -> StandingView:
        """Whether its people have looked at who you are, and until when that counts."""
        member_id = require_member(viewer, "read")
        return await queries.standing_of(await store_by_slug(store), member_id)

    @put(
        summary="Ask a store to look at who one is",
        opt=door(takes=examples.new_request, gives=examples.standing, refuses=(Conflict,), scope="write"),
    )
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], store: FromPath[str]) -> StandingView:
        """For payouts above what its terms name. The look itself happens outside: no document is sent here."""
        await service.ask(viewer, store, (await json_body(request, NewRequest)).said)
        return await queries.standing_of(await store_by_slug(store), require_member(viewer))

    @delete(summary="Take that back", status_code=204, opt=door(scope="write"))
    async def take_back(self, viewer: NamedDependency[Viewer], store: FromPath[str]) -> None:
        await service.close_request(await store_by_slug(store), require_member(viewer))


class IdentityApi(Controller):
    """What a store's people have seen of whom they pay."""

    path = "/stores/{slug:str}/identities"
    tags = ["earn"]

    @get(
        "/waiting",
        summary="Who asked a store to look, the longest first",
        opt=door(gives=examples.waiting, scope="read"),
    )
    async def waiting(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> WaitingList:
        """For the store's owner and admins."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        page = await queries.waiting_at(store["id"], cursor=after, limit=limit_of(limit, 50))
        return WaitingList(page.items, page.next)

    @get(
        summary="What a store's people said of whom, the latest first",
        opt=door(gives=examples.checks, scope="read"),
    )
    async def index(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> CheckList:
        """For the store's owner and admins. Nothing in it is ever changed; the newest word on somebody counts."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        page = await queries.checks_at(store["id"], cursor=after, limit=limit_of(limit, 50))
        return CheckList(page.items, page.next)

    @post(
        summary="Say what was seen of a member's identity",
        status_code=201,
        opt=door(takes=examples.new_check, gives=examples.check, scope="write"),
    )
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Response[CheckView]:
        """By the store's owner or an admin, never of oneself. It ends with the document."""
        store = await access_own_store(viewer, slug)
        check_id = await service.decide(viewer, slug, await json_body(request, NewCheck))
        page = await queries.checks_at(store["id"], cursor=None, check_id=check_id)
        return Response(page.items[0], status_code=201)
