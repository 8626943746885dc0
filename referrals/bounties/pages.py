from collections.abc import Sequence
from typing import Any, get_args

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.bounties import forms, proofs, queries, service, views, watch_queries
from referrals.bounties.api import file_answer, files_of
from referrals.bounties.schemas import Metric, NewBounty, NewSubmission, Period, Verdict, WorkForm
from referrals.programs.queries import program_of
from referrals.socials.platforms.known import in_use
from referrals.socials.views import title_of
from storefront.stores.policy import access_own_store

AT_ONCE = 3
# Files and what a form adds around them; each file has its own bound.
MOST_FORM_BYTES = 24 * 1024 * 1024


class BountyPages(Controller):
    """What stores offer for a piece of work, what members hand in, and what a person says to it."""

    include_in_schema = False

    @get("/earn/bounties")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        found = await queries.open_bounties(clock.now(), cursor=request.query_params.get("after"))
        return page(request, viewer, "referrals/bounties/index.html", found=found)

    @get("/earn/bounties/{bounty_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]) -> Response:
        return await _bounty_page(request, viewer, bounty_id)

    @post("/earn/bounties/{bounty_id:int}", request_max_body_size=MOST_FORM_BYTES)
    async def hand_in(self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]) -> Response:
        require_member(viewer)
        typed = WorkForm()
        try:
            typed = await form(request, WorkForm)
            files = [
                str((await proofs.bring(viewer, bounty_id, raw, name))["id"])
                for raw, name in await files_of(request, "file", most=AT_ONCE)
            ]
            work = NewSubmission(typed.proof_url, typed.note, typed.reach, files)
            await service.hand_in(viewer, bounty_id, work)
        except NotFound:
            raise
        except Problem as problem:
            return await _bounty_page(request, viewer, bounty_id, problem, typed)
        return redirect(f"/earn/bounties/{bounty_id}", flash=_("Handed in. Somebody of the store looks at it."))

    @get("/earn/bounties/files/{file_id:int}")
    async def show_file(self, viewer: NamedDependency[Viewer], file_id: FromPath[int]) -> Response[bytes]:
        return await file_answer(viewer, file_id)

    @get("/admin/programs/{slug:str}/bounties")
    async def administer(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _admin_page(request, viewer, await access_own_store(viewer, slug))

    @post("/admin/programs/{slug:str}/bounties")
    async def offer(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, typed = await access_own_store(viewer, slug), NewBounty()
        try:
            typed = await form(request, NewBounty)
            await service.offer(viewer, slug, forms.offered(typed))
        except Problem as problem:
            return await _admin_page(request, viewer, store, problem, typed)
        return redirect(f"/admin/programs/{slug}/bounties", flash=_("Offered. Members see it under Earn."))

    @post("/admin/programs/{slug:str}/bounties/submissions/{submission_id:int}")
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], submission_id: FromPath[int]
    ) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            await service.decide(viewer, slug, submission_id, await form(request, Verdict))
        except NotFound:
            raise
        except Problem as problem:
            return await _admin_page(request, viewer, store, problem)
        return redirect(f"/admin/programs/{slug}/bounties", flash=_("Decided."))


async def _bounty_page(
    request: Request, viewer: Viewer, bounty_id: int, problem: Problem | None = None, typed: WorkForm | None = None
) -> Response:
    bounty = await queries.bounty(bounty_id)
    if bounty is None:
        raise NotFound()
    now = clock.now()
    mine = (await queries.submissions_by([bounty_id], viewer.member_id))[bounty_id]
    period = queries.period_at(bounty["period"], now)
    waiting = next((one for one in mine if one["period"] == period), None)
    asked = dict(bounty) | {"member_id": viewer.member_id, "period": period, "offered_at": bounty["created_at"]}
    return page(
        request,
        viewer,
        "referrals/bounties/show.html",
        status=problem.status if problem else 200,
        bounty=bounty,
        mine=mine,
        current=waiting,
        files=await queries.files_of([one["id"] for one in mine]),
        platforms=[one.title for one in in_use() if bounty["metric"] in one.figures],
        **await _seen(mine),
        counted=(await queries.counted_for([asked])).get(bounty_id) if viewer.is_member else None,
        state=queries.state_of(bounty, now),
        metric_words=views.metric_words,
        period_words=views.period_words,
        at_once=AT_ONCE,
        typed=typed or WorkForm(),
        problem=problem,
    )


async def _seen(submissions: Sequence[asyncpg.Record]) -> dict[str, Any]:
    """What we saw of their posts, and the words for it."""
    ids = [one["id"] for one in submissions]
    return {
        "watches": await watch_queries.watches_of(ids),
        "looks": await watch_queries.last_figures(ids),
        "why_words": views.why_words,
        "figure_words": views.figure_words,
        "title_of": title_of,
    }


async def _admin_page(
    request: Request,
    viewer: Viewer,
    store: asyncpg.Record,
    problem: Problem | None = None,
    typed: NewBounty | None = None,
) -> Response:
    program = await program_of(store["id"])
    shown: dict[str, Any] = {"bounties": [], "found": None, "files": {}, "counted": {}, **await _seen([])}
    if program:
        found = await queries.submissions_to(program["id"], cursor=request.query_params.get("after"))
        shown = {
            "bounties": await queries.bounties_of(program["id"]),
            "found": found,
            "files": await queries.files_of([one["id"] for one in found.items]),
            "counted": await queries.counted_for(found.items),
            **await _seen(found.items),
        }
    return page(
        request,
        viewer,
        "referrals/bounties/admin.html",
        status=problem.status if problem else 200,
        store=store,
        problem=problem,
        typed=typed or NewBounty(currency=store["currency"]),
        metrics=[(one, views.figure_words(one) or views.metric_words(one)) for one in get_args(Metric)],
        periods=[(one, views.period_words(one)) for one in get_args(Period)],
        metric_words=views.metric_words,
        **shown,
    )
