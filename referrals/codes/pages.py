from decimal import Decimal, InvalidOperation
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from app.auth import Viewer, require_member
from app.errors import Invalid, Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.codes import queries, service, sheets, shops
from referrals.codes.schemas import CodeForm, EnteredForm, SheetForm, ShopForm, ShopSetting
from referrals.codes.views import label, state_words
from storefront.stores.policy import access_own_store

ADMIN = "referrals/codes/admin.html"


class CodePages(Controller):
    """Codes of a member, and of a store's programme."""

    include_in_schema = False

    @get("/earn/codes")
    async def mine(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, "referrals/codes/mine.html", **await _mine(viewer))

    @post("/earn/codes/entered")
    async def enter(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        given = await form(request, EnteredForm)
        require_member(viewer)
        try:
            await service.enter(viewer, given.store, given.code)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/codes/mine.html", problem, **await _mine(viewer, False))
        return redirect("/earn/codes", flash=_("It counts for your orders from now on. Your friend will be glad."))

    @get("/admin/programs/{slug:str}/codes")
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(request, viewer, ADMIN, **await _of_store(request, viewer, slug), values={}, problem=None)

    @post("/admin/programs/{slug:str}/codes")
    async def make(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        try:
            made = await service.make_campaign_code(viewer, slug, await form(request, CodeForm))
        except Problem as problem:
            return await form_again(request, viewer, ADMIN, problem, **await _of_store(request, viewer, slug))
        return redirect(f"/admin/programs/{slug}/codes?q={made['text']}", flash=_("The code works from now on."))

    @post("/admin/programs/{slug:str}/codes/sheet")
    async def bring_in(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        try:
            done = await sheets.bring_in(viewer, slug, (await form(request, SheetForm)).sheet)
        except Problem as problem:
            return await form_again(request, viewer, ADMIN, problem, **await _of_store(request, viewer, slug))
        shown = {**await _of_store(request, viewer, slug), "done": done}
        return page(request, viewer, ADMIN, **shown, values={}, problem=None)

    @get("/admin/programs/{slug:str}/codes.csv")
    async def export(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Stream:
        headers = {"Content-Disposition": 'attachment; filename="codes.csv"', "Cache-Control": "private, no-store"}
        return Stream(await sheets.export(viewer, slug), media_type="text/csv; charset=utf-8", headers=headers)

    @post("/admin/programs/{slug:str}/codes/shop")
    async def turn_on(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        try:
            await shops.turn_on(viewer, slug, _setting(await form(request, ShopForm)))
        except Problem as problem:
            return await form_again(request, viewer, ADMIN, problem, **await _of_store(request, viewer, slug))
        return redirect(f"/admin/programs/{slug}/codes#shop", flash=_("The shop is given every code from now on."))

    @post("/admin/programs/{slug:str}/codes/shop/closure")
    async def turn_off(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await shops.turn_off(viewer, slug)
        return redirect(f"/admin/programs/{slug}/codes#shop", flash=_("The shop is given no more codes."))

    @post("/admin/programs/{slug:str}/codes/{code_id:int}/closure")
    async def switch_off(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], code_id: FromPath[int]
    ) -> Response:
        await service.switch_off(viewer, slug, code_id)
        return redirect(f"/admin/programs/{slug}/codes", flash=_("The code is off. What it earned stays."))

    @post("/admin/programs/{slug:str}/codes/{code_id:int}/vouching")
    async def vouch(self, viewer: NamedDependency[Viewer], slug: FromPath[str], code_id: FromPath[int]) -> Response:
        await service.vouch(viewer, slug, code_id)
        return redirect(f"/admin/programs/{slug}/codes", flash=_("Its buyers are counted anew from now."))


def _setting(given: ShopForm) -> ShopSetting:
    """As typed: a percentage with up to two decimals."""
    typed = given.percent.strip().rstrip("%").replace(",", ".") or "0"
    try:
        bps = Decimal(typed) * 100
    except InvalidOperation as error:
        raise Invalid("percent", _("A number between 0 and 100.")) from error
    if not bps.is_finite() or not 0 <= bps <= 10_000 or bps != int(bps):
        raise Invalid("percent", _("A number between 0 and 100."))
    return ShopSetting(int(bps), given.discount_id, bool(given.is_alone))


async def _mine(viewer: Viewer, fresh: bool = True) -> dict[str, Any]:
    member_id = require_member(viewer)
    await service.give_personal_codes(member_id)
    shown: dict[str, Any] = {
        "codes": await queries.codes_of_member(member_id),
        "stores": await queries.stores_with_programs(),
        "label": label(),
        "state_words": state_words,
    }
    return shown | ({"values": {}, "problem": None} if fresh else {})


async def _of_store(request: Request, viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    search, cursor = request.query_params.get("q", "")[:64], request.query_params.get("after")
    return {
        "store": store,
        "search": search,
        "codes": await queries.codes_of_store(store["id"], cursor=cursor, limit=50, search=search),
        "shop": await shops.in_shop(store),
        "refused": await shops.refused(store["id"]),
        "watched": await queries.codes_in_doubt(store["id"]),
        "state_words": state_words,
        "done": None,
    }
