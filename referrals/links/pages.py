from typing import Any
from urllib.parse import quote

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.money import EXPONENTS
from app.web import form, form_again, page, redirect
from referrals.links import editing, forms, queries, report, service
from referrals.links.cards import card_of
from referrals.links.schemas import PLACES, ShareForm
from referrals.links.views import scan_url_of, url_of_link


class LinkPages(Controller):
    """Share & earn: a link, what came of it, and everything about it that may be changed."""

    path = "/share"
    include_in_schema = False

    @get()
    async def show_form(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        target = request.query_params.get("target", "")[:2000]
        if not viewer.is_member:
            return _sign_in_first(target)
        return page(request, viewer, "referrals/links/new.html", values={"target": target}, problem=None)

    @post()
    async def share(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        wanted = await form(request, ShareForm)
        if not viewer.is_member:
            return _sign_in_first(wanted.target)
        try:
            link, _is_new = await service.share(viewer, wanted)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/links/new.html", problem)
        return redirect(f"/share/{link['code']}")

    @get("/placements")
    async def placements(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        placed = await report.placements_of(member_id, cursor=request.query_params.get("after"))
        return page(request, viewer, "referrals/links/placements.html", placed=placed, place_words=place_words())

    @get("/{code:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.access_own_link(require_member(viewer), code)
        place = await queries.place_of(link["id"])
        return page(
            request,
            viewer,
            "referrals/links/show.html",
            link=link,
            card=await card_of(link),
            url=url_of_link(link),
            scan_url=scan_url_of(link),
            report=await report.report_of(link),
            place=place,
            place_words=place_words(),
            routes=forms.routes_of(link),
            former=await queries.former_codes(link["id"]),
            may_reopen=service.may_reopen(link),
        )

    @get("/{code:str}/edit")
    async def show_edit(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.access_own_link(require_member(viewer), code)
        values = forms.values_of(link, await queries.place_of(link["id"]))
        return page(request, viewer, "referrals/links/edit.html", values=values, problem=None, **_about(link))

    @post("/{code:str}/edit")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        link = await queries.access_own_link(require_member(viewer), code)
        try:
            wanted = forms.change_of(await form(request, forms.ChangeForm), link)
            changed = await editing.change(viewer, code, wanted)
        except Problem as problem:
            return await form_again(request, viewer, "referrals/links/edit.html", problem, **_about(link))
        return redirect(f"/share/{changed['code']}", flash=_("Saved. Within five seconds it holds everywhere."))

    @post("/{code:str}/closure")
    async def close(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        code = await service.close(viewer, code)
        return redirect(f"/share/{code}", flash=_("The link is off. What was earned by it stays."))

    @post("/{code:str}/opening")
    async def reopen(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        code = await service.reopen(viewer, code)
        return redirect(f"/share/{code}", flash=_("The link is on again."))


def place_words() -> dict[str, str]:
    """What the kinds of places are called."""
    words = (_("On a shelf"), _("In a package"), _("At an event"), _("On a poster"), _("On a flyer"), _("Elsewhere"))
    return dict(zip(PLACES, words, strict=True))


def _about(link: asyncpg.Record) -> dict[str, Any]:
    return {"link": link, "place_words": place_words(), "currencies": [(code, code) for code in sorted(EXPONENTS)]}


def _sign_in_first(target: str) -> Response:
    return redirect("/login?next=" + quote(f"/share?target={quote(target, safe='')}", safe="/"))
