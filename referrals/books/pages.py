from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_admin
from app.errors import Invalid
from app.i18n import gettext as _
from app.limits import limit
from app.money import format_money
from app.web import form, form_again, page, redirect
from referrals.books import debts, queries, service
from referrals.campaigns.escrow import in_escrow
from storefront.stores.policy import access_own_store


class LetGo(msgspec.Struct):
    member_id: int
    currency: str
    note: str = ""


class BooksPages(Controller):
    """For admins: whether the books are right, checked every night and whenever asked."""

    path = "/admin/books"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_admin(viewer)
        return page(request, viewer, "referrals/books/show.html", **await _shown())

    @post()
    async def check(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await limit("check-books", viewer.member_id, most=6, per=600)
        await service.ask_for_check(viewer)
        return redirect("/admin/books", flash=_("The books are being checked; look again in a minute."))


class DebtPages(Controller):
    """For a store's owner: who owes the store something back, and letting go of it."""

    path = "/admin/programs/{slug:str}/debts"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(request, viewer, "referrals/books/debts.html", **await _debts(viewer, slug))

    @post()
    async def let_go(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        try:
            told = await form(request, LetGo)
            await limit("write-off", viewer.member_id, most=60, per=3600)
            amount = await debts.write_off(viewer, slug, told.member_id, told.currency, told.note)
        except Invalid as problem:
            return await form_again(
                request, viewer, "referrals/books/debts.html", problem, **await _debts(viewer, slug)
            )
        said = _("%(amount)s was let go of.", amount=format_money(amount))
        return redirect(f"/admin/programs/{slug}/debts", flash=said)


async def _shown() -> dict[str, Any]:
    return {"checks": await queries.last_checks(), "escrow": await in_escrow()}


async def _debts(viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    return {
        "store": store,
        "debts": await debts.debts_to(store["id"]),
        "write_offs": await debts.write_offs_of(store["id"]),
    }
