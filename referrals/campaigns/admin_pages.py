"""A store's overview of its programme, its partners and its campaigns."""

from typing import Any

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, page, redirect
from referrals.campaigns import escrow, figures, queries, reports, service
from referrals.campaigns.schemas import NewCampaign, NewOffer, Verdict
from referrals.partners.applying import access_program
from referrals.programs import service as programs
from referrals.programs import words
from referrals.programs.queries import program_of, version_at
from referrals.programs.terms import terms_of
from storefront.stores.policy import access_own_store

SPANS = (7, 30, 90)


class OverviewPages(Controller):
    path = "/admin/programs/{slug:str}"
    include_in_schema = False

    @get()
    async def overview(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        rules = await version_at(store["id"], clock.now())
        asked = request.query_params.get("days", "30")
        days = int(asked) if asked in [str(one) for one in SPANS] else 30
        shown: dict[str, Any] = {}
        if rules:
            overview = await figures.overview_of(store["id"], days)
            currency = overview.figures[0].sales.currency if overview.figures else store["currency"]
            by_day = await figures.sales_by_day(store["id"], days, currency)
            said = words.sentences(programs.rules_of(rules), terms_of(rules))
            shown = {"overview": overview, "by_day": by_day, "currency": currency, "said": said}
        return page(
            request,
            viewer,
            "referrals/campaigns/overview.html",
            store=store,
            rules=rules,
            spans=SPANS,
            days=days,
            **shown,
        )

    @get("/partners")
    async def partners(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        search, state = _wanted(request)
        program = await program_of(store["id"])
        found = None
        if program:
            cursor = request.query_params.get("after")
            found = await reports.partner_lines(store["id"], program["id"], cursor=cursor, search=search, state=state)
        template = "referrals/campaigns/partners.html"
        return page(request, viewer, template, store=store, found=found, find=search, state=state)

    @get("/partners.csv")
    async def sheet(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        await limit("partners:csv", store["id"], most=60, per=3600)
        search, state = _wanted(request)
        program = await access_program(slug)
        file = await reports.partner_sheet(store["id"], program["id"], search=search, state=state)
        return Response(
            file.encode("utf-8-sig"),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="partners-{slug}.csv"',
                "Cache-Control": "private, no-store",
            },
        )


class CampaignAdminPages(Controller):
    path = "/admin/programs/{slug:str}/campaigns"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _index(request, viewer, await access_own_store(viewer, slug))

    @post()
    async def plan(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, typed = await access_own_store(viewer, slug), NewCampaign()
        try:
            typed = await form(request, NewCampaign)
            campaign_id = await service.plan(viewer, slug, typed)
        except Problem as problem:
            return await _index(request, viewer, store, problem, typed)
        return redirect(f"/admin/programs/{slug}/campaigns/{campaign_id}", flash=_("There it is. Now invite partners."))

    @get("/{campaign_id:int}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], campaign_id: FromPath[int]
    ) -> Response:
        return await _show(request, viewer, slug, campaign_id)

    @post("/{campaign_id:int}/offers")
    async def offer(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], campaign_id: FromPath[int]
    ) -> Response:
        campaign, typed = await queries.access_campaign(viewer, slug, campaign_id), NewOffer()
        try:
            typed = await form(request, NewOffer)
            await service.offer(viewer, campaign, typed)
        except Problem as problem:
            return await _show(request, viewer, slug, campaign_id, problem, typed)
        return redirect(f"/admin/programs/{slug}/campaigns/{campaign_id}", flash=_("Offered. Their bell rings."))

    @post("/{campaign_id:int}/contracts/{contract_id:int}/end")
    async def call_off(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        campaign_id: FromPath[int],
        contract_id: FromPath[int],
    ) -> Response:
        campaign = await queries.access_campaign(viewer, slug, campaign_id)
        await service.call_off(viewer, campaign, contract_id)
        return redirect(
            f"/admin/programs/{slug}/campaigns/{campaign_id}", flash=_("Called off. What was approved stays.")
        )

    @post("/{campaign_id:int}/milestones/{milestone_id:int}")
    async def decide(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        campaign_id: FromPath[int],
        milestone_id: FromPath[int],
    ) -> Response:
        campaign = await queries.access_campaign(viewer, slug, campaign_id)
        try:
            await service.decide(viewer, campaign, milestone_id, await form(request, Verdict))
        except NotFound:
            raise
        except Problem as problem:
            return await _show(request, viewer, slug, campaign_id, problem)
        return redirect(f"/admin/programs/{slug}/campaigns/{campaign_id}", flash=_("Decided."))


def _wanted(request: Request) -> tuple[str, str]:
    state = request.query_params.get("state", "")
    known = ("applied", "approved", "declined", "left")
    search = request.query_params.get("find", "")[:100].replace("\0", "")
    return search, state if state in known else ""


async def _index(
    request: Request,
    viewer: Viewer,
    store: asyncpg.Record,
    problem: Problem | None = None,
    typed: NewCampaign | None = None,
) -> Response:
    program = await program_of(store["id"])
    found = None
    if program:
        found = await queries.campaigns_of(program["id"], cursor=request.query_params.get("after"))
    now = clock.now()
    return page(
        request,
        viewer,
        "referrals/campaigns/admin.html",
        status=problem.status if problem else 200,
        store=store,
        found=found,
        phase=lambda one: queries.phase_of(one, now),
        problem=problem,
        typed=typed or NewCampaign(currency=store["currency"]),
    )


async def _show(
    request: Request,
    viewer: Viewer,
    slug: str,
    campaign_id: int,
    problem: Problem | None = None,
    typed: NewOffer | None = None,
) -> Response:
    store = await access_own_store(viewer, slug)
    campaign = await queries.access_campaign(viewer, slug, campaign_id)
    contracts = await queries.contracts_of(campaign_id)
    typed = typed or NewOffer()
    rows = list(zip(typed.title, typed.fee, typed.due_on, strict=False))
    return page(
        request,
        viewer,
        "referrals/campaigns/campaign.html",
        status=problem.status if problem else 200,
        store=store,
        campaign=campaign,
        phase=queries.phase_of(campaign, clock.now()),
        products=await queries.products_of(campaign_id),
        contracts=contracts,
        milestones=await queries.milestones_of([one["id"] for one in contracts]),
        report=await reports.report_on(campaign),
        escrow=await escrow.escrow_of(campaign_id),
        problem=problem,
        typed=typed,
        rows=rows + [("", "", "")] * max(1, 4 - len(rows)),
    )
