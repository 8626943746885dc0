from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import Invalid, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import address_of, form, form_again, page, redirect
from referrals.attribution import invites, overrides, phones
from referrals.attribution.overrides import OverrideForm
from referrals.attribution.schemas import InviteForm, PhoneForm
from referrals.clicks import visitors
from referrals.clicks.heard import DENIED, consent_of
from storefront.stores.policy import access_own_store

TEMPLATE = "referrals/attribution/overrides.html"


class InvitePages(Controller):
    """A word to a friend, by e-mail."""

    path = "/earn/invite"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, "referrals/attribution/invite.html", values={}, problem=None)

    @post()
    async def invite(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            await invites.invite(viewer, (await form(request, InviteForm)).email)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/attribution/invite.html", problem)
        return redirect("/earn/invite", flash=_("Your word is on its way, once."))

    @post("/phone")
    async def invite_by_phone(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            ready = await phones.invite(viewer, (await form(request, PhoneForm)).phone)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/attribution/invite.html", problem)
        return page(request, viewer, "referrals/attribution/invite.html", values={}, problem=None, ready=ready)


class ToldPages(Controller):
    """What a friend opens: who told them, and a button that says so."""

    path = "/told/{token:str}"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        return await _told_page(request, viewer, token)

    @post()
    async def accept(self, request: Request, viewer: NamedDependency[Viewer], token: FromPath[str]) -> Response:
        address = address_of(request)
        await limit("told", address, most=30, per=3600)
        headers = dict(request.scope["headers"])
        if consent_of(headers, b"") == DENIED:
            # Whoever does not want to be recognised goes on all the same, and nothing is kept of it.
            return redirect(f"/r/{(await phones.invitation_by(token))['code']}")
        visitor = visitors.hash_of(clock.now(), address, headers.get(b"user-agent", b""))
        try:
            return redirect(await phones.accept(viewer, token, visitor))
        except Invalid as problem:
            return await _told_page(request, viewer, token, problem)


async def _told_page(request: Request, viewer: Viewer, token: str, problem: Problem | None = None) -> Response:
    invitation = await phones.invitation_by(token)
    status = problem.status if problem else 200
    where = "referrals/attribution/told.html"
    answer = page(request, viewer, where, status=status, invitation=invitation, problem=problem, token=token)
    answer.headers |= {"X-Robots-Tag": "noindex"}
    return answer


class OverridePages(Controller):
    """Credit that people decided, for the store's owner and admins."""

    path = "/admin/programs/{slug:str}/overrides"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        values = {"order": request.query_params.get("order", "")[:200]}
        return page(request, viewer, TEMPLATE, **await _shown(request, viewer, slug), values=values, problem=None)

    @post()
    async def propose(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        try:
            made = await overrides.propose(viewer, slug, await form(request, OverrideForm))
        except Problem as problem:
            return await form_again(request, viewer, TEMPLATE, problem, **await _shown(request, viewer, slug))
        waits = made["state"] == "proposed"
        said = (
            _("It counts as soon as a second person agrees.") if waits else _("It counts from now on. Both are told.")
        )
        return redirect(f"/admin/programs/{slug}/overrides", flash=said)

    @post("/{override_id:int}/agreement")
    async def agree(self, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]) -> Response:
        await overrides.agree(viewer, slug, override_id)
        return redirect(f"/admin/programs/{slug}/overrides", flash=_("It counts from now on. Both are told."))

    @post("/{override_id:int}/refusal")
    async def refuse(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]
    ) -> Response:
        await overrides.refuse(viewer, slug, override_id)
        return redirect(f"/admin/programs/{slug}/overrides", flash=_("Refused. The facts go on deciding."))

    @post("/{override_id:int}/withdrawal")
    async def withdraw(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]
    ) -> Response:
        await overrides.withdraw(viewer, slug, override_id)
        return redirect(f"/admin/programs/{slug}/overrides", flash=_("Withdrawn. The facts decide again."))


async def _shown(request: Request, viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    found = await overrides.overrides_of(store["id"], cursor=request.query_params.get("after"), limit=20)
    return {"store": store, "overrides": found, "viewer_id": viewer.member_id}
