from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.codes import examples, queries, service, shops
from referrals.codes.schemas import CodeList, CodeView, Entered, InShop, MyCodes, NewCode, ShopSetting
from referrals.codes.views import my_view_of, view_of
from storefront.stores.policy import access_own_store


class CodeApi(Controller):
    path = "/stores/{slug:str}/codes"
    tags = ["earn"]

    @get(
        summary="A store's codes, oldest first, to take into its shop",
        opt=door(gives=examples.codes, refuses=(NotFound,), scope="read"),
    )
    async def list_codes(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> CodeList:
        """Every member has a code from the start. Ask again from your last `next`, or from the beginning for states."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        page = await queries.codes_of_store(store["id"], cursor=after, limit=limit_of(limit))
        return CodeList([view_of(row) for row in page.items], page.next)

    @post(
        summary="Make a campaign code",
        status_code=201,
        opt=door(takes=examples.new_code, gives=examples.code, refuses=(Conflict, NotFound), scope="write"),
    )
    async def make(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> CodeView:
        """Credited to `owner`. Case, spaces and hyphens make no difference; a spelling is there once a store."""
        require_member(viewer)
        made = await service.make_campaign_code(viewer, slug, await json_body(request, NewCode))
        row = await queries.code_of_store(made["program_id"], made["id"])
        return view_of(row)

    @delete(
        "/{code_id:int}",
        summary="Switch a code off",
        status_code=204,
        opt=door(refuses=(NotFound,), scope="write"),
    )
    async def switch_off(self, viewer: NamedDependency[Viewer], slug: FromPath[str], code_id: FromPath[int]) -> None:
        """Orders from now on are not credited by it. What it earned stays."""
        require_member(viewer)
        await service.switch_off(viewer, slug, code_id)

    @post(
        "/entered",
        summary="Say whose code you have",
        status_code=204,
        opt=door(takes=examples.entered, refuses=(NotFound,), scope="write"),
    )
    async def enter(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response[None]:
        """A friend's code counts for your orders from now on. What does not work here is always the same 404."""
        require_member(viewer)
        await service.enter(viewer, slug, (await json_body(request, Entered)).code)
        return Response(None, status_code=204)


class ShopCodeApi(Controller):
    path = "/stores/{slug:str}/shop-codes"
    tags = ["earn"]

    @get(
        summary="Which of a store's codes its shop takes",
        opt=door(gives=examples.in_shop, refuses=(NotFound,), scope="read"),
    )
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> InShop:
        """As of the last look, which is every night, and what was written since."""
        require_member(viewer, "read")
        return await shops.in_shop(await access_own_store(viewer, slug))

    @put(
        summary="Have every code written into the shop",
        opt=door(takes=examples.shop_setting, gives=examples.in_shop, refuses=(Conflict, NotFound), scope="write"),
    )
    async def turn_on(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> InShop:
        """Those there are and each new one, within moments. Shopify and WooCommerce, once we have a key of the shop."""
        require_member(viewer)
        await shops.turn_on(viewer, slug, await json_body(request, ShopSetting))
        return await shops.in_shop(await access_own_store(viewer, slug))

    @delete(summary="Write no more codes into the shop", status_code=204, opt=door(refuses=(NotFound,), scope="write"))
    async def turn_off(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        """What stands there stays, and is yours to remove."""
        require_member(viewer)
        await shops.turn_off(viewer, slug)


class MyCodeApi(Controller):
    path = "/earn/codes"
    tags = ["earn"]

    @get(summary="Your codes in every programme", opt=door(gives=examples.my_codes, scope="read"))
    async def mine(self, viewer: NamedDependency[Viewer]) -> MyCodes:
        """One is made where a programme has none for you yet."""
        member_id = require_member(viewer, "read")
        await service.give_personal_codes(member_id)
        rows = await queries.codes_of_member(member_id)
        return MyCodes([my_view_of(row) for row in rows])
