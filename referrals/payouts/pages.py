from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import countries, i18n
from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.idempotency import once
from app.money import EXPONENTS
from app.web import form, form_again, page, redirect
from referrals.payouts import claims, methods, queries, taxes, words
from referrals.payouts.claims import Figures
from referrals.payouts.exports import number_of
from referrals.payouts.quotes import Quote, quote_for
from referrals.payouts.rails import RAILS
from referrals.payouts.schemas import Currency, Password, RailName, Slug
from referrals.payouts.taxes import NewTaxProfile
from storefront.stores.queries import store_by_slug

METHODS = "referrals/payouts/methods.html"
CONFIRM = "referrals/payouts/confirm.html"


class Asked(msgspec.Struct):
    store: Slug
    currency: Currency
    rail: RailName
    amount: Annotated[int, Meta(ge=0, le=10**14)] = 0
    receives: Annotated[int, Meta(ge=0, le=10**14)] = 0
    arrives: Annotated[int, Meta(ge=0, le=10**14)] = 0


class TellMethod(msgspec.Struct):
    rail: RailName
    holder: Annotated[str, Meta(max_length=200)] = ""
    account: Annotated[str, Meta(max_length=254)] = ""
    bic: Annotated[str, Meta(max_length=40)] = ""
    currency: Annotated[str, Meta(max_length=3)] = ""
    password: Password = ""


class Wish(msgspec.Struct):
    rail: RailName
    automatic: bool = False


class PayoutPages(Controller):
    """What a member does about their payouts."""

    path = "/earn/payouts"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        return page(
            request,
            viewer,
            "referrals/payouts/index.html",
            offers=await queries.offers_to(member_id),
            payouts=await queries.payouts_of(viewer, cursor=request.query_params.get("after"), limit=20),
            methods=await methods.methods_of(member_id),
            wish=await methods.wish_of(member_id),
            words=words,
            number_of=number_of,
        )

    @get("/new")
    async def confirm(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """Everything that will happen, before it does."""
        require_member(viewer)
        asked = msgspec.convert(
            {name: request.query_params.get(name, "") for name in ("store", "currency", "rail")}, _Which
        )
        return page(request, viewer, CONFIRM, problem=None, values={}, **await _shown(viewer, asked))

    @post()
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        asked = await form(request, Asked)
        store = await store_by_slug(asked.store)

        async def ask_once() -> int:
            shown = Figures(asked.amount, asked.receives, asked.arrives)
            return await claims.ask_for_payout(viewer, store, asked.currency, asked.rail, shown)

        try:
            payout_id = await once(request, member_id, int, ask_once)
        except (Invalid, Conflict) as problem:
            which = _Which(asked.store, asked.currency, asked.rail)
            return await form_again(request, viewer, CONFIRM, problem, **await _shown(viewer, which))
        done = _("Here is your store credit.") if asked.rail == "store_credit" else _("Your payout is asked for.")
        return redirect(f"/earn/payouts/{payout_id}", flash=done)

    @get("/{payout_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], payout_id: FromPath[int]) -> Response:
        """The payout advice: a page that prints well."""
        payout = await queries.access_payout(viewer, payout_id)
        # The store's people see what they pay for; whom the tax office knows the member as is only theirs.
        is_own = payout["member_id"] == viewer.member_id
        profile = await taxes.tax_profile_of(payout["member_id"]) if is_own else None
        return page(
            request,
            viewer,
            "referrals/payouts/show.html",
            payout=payout,
            items=await queries.items_in(payout_id),
            steps=await queries.steps_of(payout_id=payout_id),
            profile=profile,
            legal_name=taxes.legal_name_of(profile),
            is_own=is_own,
            booked=await queries.booked_as(payout_id),
            words=words,
            number=number_of(payout_id),
        )

    @post("/{payout_id:int}/cancel")
    async def take_back(self, viewer: NamedDependency[Viewer], payout_id: FromPath[int]) -> Response:
        await claims.take_back(viewer, payout_id)
        return redirect("/earn/payouts", flash=_("Taken back. The money is available again."))

    @get("/methods")
    async def show_methods(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, METHODS, problem=None, values={}, **await _methods_shown(request, viewer))

    @post("/methods")
    async def add_method(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            told = await form(request, TellMethod)
            details = {"holder": told.holder, "account": told.account, "bic": told.bic}
            await methods.add_method(viewer, told.rail, details, password=told.password, currency=told.currency)
        except Problem as problem:
            return await form_again(request, viewer, METHODS, problem, **await _methods_shown(request, viewer))
        return redirect("/earn/payouts/methods", flash=_("Saved. It can be paid to in 72 hours."))

    @post("/methods/{method_id:int}/remove")
    async def remove_method(self, viewer: NamedDependency[Viewer], method_id: FromPath[int]) -> Response:
        await methods.remove_method(viewer, method_id)
        return redirect("/earn/payouts/methods", flash=_("Removed. Nothing is paid there any more."))

    @post("/wish")
    async def choose(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        asked = await form(request, Wish)
        try:
            await methods.choose(viewer, asked.rail, automatic=asked.automatic)
        except Invalid as problem:
            return await form_again(request, viewer, METHODS, problem, **await _methods_shown(request, viewer))
        return redirect("/earn/payouts/methods", flash=_("Saved."))

    @post("/tax")
    async def tell_tax(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            await taxes.tell_tax_profile(viewer, await form(request, NewTaxProfile))
        except Problem as problem:
            return await form_again(request, viewer, METHODS, problem, **await _methods_shown(request, viewer))
        return redirect("/earn/payouts/methods", flash=_("Saved."))


class _Which(msgspec.Struct):
    store: str
    currency: str
    rail: str


async def _shown(viewer: Viewer, asked: _Which) -> dict[str, Any]:
    store = await store_by_slug(asked.store)
    if asked.currency not in await queries.currencies_of(store["id"]):
        raise NotFound()
    seen: Quote = await quote_for(require_member(viewer), store["id"], asked.currency, asked.rail)
    return {"store": store, "quote": seen, "words": words}


async def _methods_shown(request: Request, viewer: Viewer) -> dict[str, Any]:
    member_id = require_member(viewer)
    offered = [rail for rail in RAILS.values() if rail.fields and rail.is_ready()]
    asked = (await request.form()).get("rail") if request.method == "POST" else request.query_params.get("rail")
    profile = await taxes.tax_profile_of(member_id)
    return {
        "methods": await methods.methods_of(member_id),
        "wish": await methods.wish_of(member_id),
        "offered": offered,
        "currencies": sorted(EXPONENTS),
        "chosen": RAILS[str(asked)] if asked in [rail.name for rail in offered] else offered[0],
        "profile": profile,
        "legal_name": taxes.legal_name_of(profile),
        "countries": countries.named(i18n.current()),
        "trouble_with": methods.trouble_with,
        "words": words,
    }
