from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Conflict, Invalid, TooMany
from app.i18n import gettext as _
from app.web import form, form_again, fragment, page, redirect
from referrals.attribution.addresses import why_address
from referrals.commissions.causes import causes_of
from referrals.commissions.queries import commissions_of
from referrals.earn import words
from referrals.earn.funnels import funnels_of
from referrals.earn.goals import goals_of
from referrals.earn.origin import explain_commission
from referrals.earn.queries import access_decision, clicks_by_day, decisions_called, near_misses, summary_of
from referrals.earn.why import explain, without_order
from referrals.links.queries import links_of
from referrals.objections.schemas import ObjectingForm
from referrals.objections.service import object_to


class EarnPages(Controller):
    path = "/earn"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        if not viewer.is_member:
            return page(request, viewer, "referrals/earn/welcome.html")
        return page(request, viewer, "referrals/earn/index.html", **await _figures(viewer))

    @get("/live")
    async def live(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """The moving part of the page, fetched again while it is looked at."""
        return fragment(request, viewer, "referrals/earn/_live.html", **await _figures(viewer))

    @get("/links")
    async def links(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        cursor = request.query_params.get("after")
        search = request.query_params.get("find", "")[:100]
        member_id = require_member(viewer)
        links = await links_of(member_id, cursor=cursor, limit=30, search=search)
        funnels = await funnels_of(member_id, [link["id"] for link in links.items])
        return page(request, viewer, "referrals/earn/links.html", links=links, funnels=funnels, find=search)

    @get("/commissions")
    async def commissions(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        cursor = request.query_params.get("after")
        commissions = await commissions_of(require_member(viewer), cursor=cursor, limit=30)
        causes = await causes_of(without_order(commissions.items))
        return page(
            request, viewer, "referrals/earn/commissions.html", commissions=commissions, causes=causes, words=words
        )

    @get("/commissions/{number:str}")
    async def commission(self, request: Request, viewer: NamedDependency[Viewer], number: FromPath[str]) -> Response:
        why = await explain_commission(viewer, number)
        if why.order:
            return redirect(why.order_why_url)
        return page(request, viewer, "referrals/earn/commission.html", why=why, words=words)

    @get("/orders/{ref:str}/why")
    async def why(self, request: Request, viewer: NamedDependency[Viewer], ref: FromPath[str]) -> Response:
        require_member(viewer)
        store = request.query_params.get("store", "")
        if not store and len(called := await decisions_called(viewer, ref)) > 1:
            return page(request, viewer, "referrals/earn/which.html", ref=ref, called=called, why=why_address)
        return await _why_page(request, viewer, ref, store)

    @post("/orders/{ref:str}/objection")
    async def object(self, request: Request, viewer: NamedDependency[Viewer], ref: FromPath[str]) -> Response:
        require_member(viewer)
        store = request.query_params.get("store", "")
        decision = await access_decision(viewer, ref, store)
        try:
            await object_to(viewer, decision, (await form(request, ObjectingForm)).words)
        except (Invalid, Conflict, TooMany) as problem:
            return await form_again(
                request, viewer, "referrals/earn/why.html", problem, why=await explain(viewer, ref, store), words=words
            )
        said = _("Somebody who gains nothing by it looks at it, and you are told.")
        return redirect(why_address(decision["order_ref"], decision["store_slug"]), flash=said)


async def _why_page(request: Request, viewer: Viewer, ref: str, store: str) -> Response:
    why = await explain(viewer, ref, store)
    return page(request, viewer, "referrals/earn/why.html", why=why, words=words, values={}, problem=None)


async def _figures(viewer: Viewer) -> dict[str, Any]:
    member_id = require_member(viewer)
    links = await links_of(member_id, cursor=None, limit=8)
    commissions = await commissions_of(member_id, limit=12)
    return {
        "summary": await summary_of(member_id),
        "days": await clicks_by_day(member_id),
        "links": links,
        "funnels": await funnels_of(member_id, [link["id"] for link in links.items]),
        "goals": await goals_of(member_id),
        "commissions": commissions,
        "causes": await causes_of(without_order(commissions.items)),
        "misses": await near_misses(member_id),
        "words": words,
        "why": why_address,
    }
