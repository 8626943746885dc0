from typing import Any

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.bounties import queries, service
from referrals.bounties.schemas import NewBounty, NewSubmission, Verdict
from referrals.programs.queries import program_of
from storefront.stores.policy import access_own_store


class BountyPages(Controller):
    """What stores offer for a piece of work, what members hand in, and what a person says to it."""

    include_in_schema = False

    @get("/earn/bounties")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        bounties = await queries.open_bounties(clock.now())
        return page(request, viewer, "referrals/bounties/index.html", bounties=bounties)

    @get("/earn/bounties/{bounty_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]) -> Response:
        return await _bounty_page(request, viewer, bounty_id)

    @post("/earn/bounties/{bounty_id:int}")
    async def hand_in(self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]) -> Response:
        require_member(viewer)
        typed = NewSubmission()
        try:
            typed = await form(request, NewSubmission)
            await service.hand_in(viewer, bounty_id, typed)
        except NotFound:
            raise
        except Problem as problem:
            return await _bounty_page(request, viewer, bounty_id, problem, typed)
        return redirect(f"/earn/bounties/{bounty_id}", flash=_("Handed in. Somebody of the store looks at it."))

    @get("/admin/programs/{slug:str}/bounties")
    async def administer(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _admin_page(request, viewer, await access_own_store(viewer, slug))

    @post("/admin/programs/{slug:str}/bounties")
    async def offer(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, typed = await access_own_store(viewer, slug), NewBounty()
        try:
            typed = await form(request, NewBounty)
            await service.offer(viewer, slug, typed)
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
    request: Request, viewer: Viewer, bounty_id: int, problem: Problem | None = None, typed: NewSubmission | None = None
) -> Response:
    bounty = await queries.bounty(bounty_id)
    if bounty is None:
        raise NotFound()
    mine = await queries.submission_by(bounty_id, viewer.member_id) if viewer.member_id else None
    is_open = bounty["closes_at"] > clock.now() and bounty["awarded"] < bounty["most_awards"]
    return page(
        request,
        viewer,
        "referrals/bounties/show.html",
        status=problem.status if problem else 200,
        bounty=bounty,
        mine=mine,
        is_open=is_open,
        typed=typed or NewSubmission(),
        problem=problem,
    )


async def _admin_page(
    request: Request,
    viewer: Viewer,
    store: asyncpg.Record,
    problem: Problem | None = None,
    typed: NewBounty | None = None,
) -> Response:
    program = await program_of(store["id"])
    shown: dict[str, Any] = {"bounties": [], "submissions": []}
    if program:
        shown = {
            "bounties": await queries.bounties_of(program["id"]),
            "submissions": await queries.submissions_to(program["id"]),
        }
    where, status = "referrals/bounties/admin.html", problem.status if problem else 200
    typed = typed or NewBounty(currency=store["currency"])
    return page(request, viewer, where, status=status, store=store, problem=problem, typed=typed, **shown)
