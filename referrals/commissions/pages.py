from typing import Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, page, redirect
from referrals.commissions import limits
from referrals.commissions.mine import terms_for
from referrals.commissions.whatif import Cart, quote, read_cart
from referrals.partners.queries import tiers_of
from referrals.programs import words
from referrals.programs.editor import as_amount
from referrals.programs.queries import program_of, version_at
from referrals.programs.service import rules_of
from referrals.programs.terms import terms_of
from storefront.stores.policy import access_own_store
from storefront.stores.queries import store_by_slug


class QuoteForm(msgspec.Struct):
    cart: str = ""
    currency: str = ""
    codes: str = ""
    tier: str = ""
    order_number: int = 1
    member: str = ""


class BudgetForm(msgspec.Struct):
    name: str = ""
    most: str = ""
    currency: str = ""


class CommissionPages(Controller):
    """What would this pay, for the store and for who earns there; and the budgets of a programme."""

    include_in_schema = False

    @get("/admin/programs/{slug:str}/quote")
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        return await _owners_page(request, viewer, store, QuoteForm(currency=store["currency"]))

    @post("/admin/programs/{slug:str}/quote", status_code=200)
    async def tell(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        asked = QuoteForm()
        try:
            asked = await form(request, QuoteForm)
            found = await quote(store, _cart(asked), await _member(asked.member))
        except Problem as problem:
            return await _owners_page(request, viewer, store, asked, problem=problem, status=problem.status)
        return await _owners_page(request, viewer, store, asked, answer=found)

    @get("/earn/programs")
    async def mine(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """What the stores pay me: my rate, my tier, how far my month has come."""
        programs = await terms_for(require_member(viewer))
        return page(request, viewer, "referrals/commissions/mine.html", programs=programs)

    @get("/earn/programs/{slug:str}")
    async def terms(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """What a store pays me."""
        store = await store_by_slug(slug)
        return await _earners_page(request, viewer, store, QuoteForm(currency=store["currency"]))

    @post("/earn/programs/{slug:str}", status_code=200)
    async def tell_me(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, member_id = await store_by_slug(slug), require_member(viewer)
        asked = QuoteForm()
        try:
            await limit("quote", member_id, most=120, per=60)
            asked = await form(request, QuoteForm)
            found = await quote(store, msgspec.structs.replace(_cart(asked), tier=""), member_id)
        except Problem as problem:
            return await _earners_page(request, viewer, store, asked, problem=problem, status=problem.status)
        return await _earners_page(request, viewer, store, asked, answer=found)

    @get("/admin/programs/{slug:str}/budgets")
    async def budgets(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _budgets_page(request, viewer, await access_own_store(viewer, slug), BudgetForm())

    @post("/admin/programs/{slug:str}/budgets")
    async def set_budget(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        typed = BudgetForm()
        try:
            typed = await form(request, BudgetForm)
            program = await program_of(store["id"])
            if program is None:
                raise NotFound(_("This store has no programme yet."))
            currency = typed.currency.strip().upper()
            wanted = as_amount(typed.most, currency, "most")
            holds = await limits.set_budget(program["id"], typed.name, wanted, currency, actor_id=viewer.member_id)
        except Problem as problem:
            return await _budgets_page(request, viewer, store, typed, problem)
        said = _("“%(name)s” holds %(sum)s.", name=typed.name, sum=words.sum_of(holds, currency))
        if holds > wanted:
            said += " " + _("That much was granted from it already; nothing more will be.")
        return redirect(f"/admin/programs/{slug}/budgets", flash=said)


def _cart(asked: QuoteForm) -> Cart:
    currency = asked.currency.strip().upper()
    codes = [code for code in asked.codes.replace(",", " ").split() if code][:10]
    return Cart(read_cart(asked.cart, currency), currency, codes, asked.tier.strip(), max(1, asked.order_number))


async def _member(handle: str) -> int | None:
    handle = handle.strip().removeprefix("@")
    if not handle:
        return None
    found: int | None = await db.fetch_val("SELECT id FROM member WHERE lower(handle) = lower($1)", handle)
    if found is None:
        raise NotFound(_("Nobody here is called that."))
    return found


async def _owners_page(
    request: Request, viewer: Viewer, store: asyncpg.Record, asked: QuoteForm, *, status: int = 200, **more: Any
) -> Response:
    program = await program_of(store["id"])
    tiers = await tiers_of(program["id"]) if program else []
    context = {"answer": None, "problem": None} | more
    where = "referrals/commissions/quote.html"
    return page(request, viewer, where, status=status, store=store, asked=asked, tiers=tiers, **context)


async def _earners_page(
    request: Request, viewer: Viewer, store: asyncpg.Record, asked: QuoteForm, *, status: int = 200, **more: Any
) -> Response:
    rules = await version_at(store["id"], clock.now())
    if rules is None:
        raise NotFound(_("This store has no programme yet."))
    said = words.sentences(rules_of(rules), terms_of(rules))
    context = {"answer": None, "problem": None} | more
    where = "referrals/commissions/terms.html"
    return page(request, viewer, where, status=status, store=store, asked=asked, said=said, rules=rules, **context)


async def _budgets_page(
    request: Request, viewer: Viewer, store: asyncpg.Record, typed: BudgetForm, problem: Problem | None = None
) -> Response:
    program = await program_of(store["id"])
    return page(
        request,
        viewer,
        "referrals/commissions/budgets.html",
        status=problem.status if problem else 200,
        store=store,
        typed=typed,
        budgets=await limits.budgets_of(program["id"]) if program else [],
        problem=problem,
    )
