"""What a partner sees of campaigns: offers to answer, work to hand in, fees that were paid."""

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.campaigns import escrow, queries, service
from referrals.campaigns.schemas import Work


class CampaignPages(Controller):
    path = "/earn/campaigns"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        contracts = await queries.contracts_with(require_member(viewer))
        return page(request, viewer, "referrals/campaigns/index.html", contracts=contracts)

    @get("/{contract_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], contract_id: FromPath[int]) -> Response:
        return await _page(request, viewer, contract_id)

    @post("/{contract_id:int}/accept")
    async def accept(self, request: Request, viewer: NamedDependency[Viewer], contract_id: FromPath[int]) -> Response:
        return await _answer(request, viewer, contract_id, takes=True)

    @post("/{contract_id:int}/decline")
    async def decline(self, request: Request, viewer: NamedDependency[Viewer], contract_id: FromPath[int]) -> Response:
        return await _answer(request, viewer, contract_id, takes=False)

    @post("/{contract_id:int}/milestones/{milestone_id:int}")
    async def hand_in(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        contract_id: FromPath[int],
        milestone_id: FromPath[int],
    ) -> Response:
        await queries.access_contract(require_member(viewer), contract_id)
        typed = Work()
        try:
            typed = await form(request, Work)
            await service.hand_in(viewer, milestone_id, typed)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, contract_id, problem, milestone_id, typed)
        return redirect(f"/earn/campaigns/{contract_id}", flash=_("Handed in. Somebody of the store looks at it."))


async def _answer(request: Request, viewer: Viewer, contract_id: int, *, takes: bool) -> Response:
    try:
        await service.answer(viewer, contract_id, takes=takes)
    except NotFound:
        raise
    except Problem as problem:
        return await _page(request, viewer, contract_id, problem)
    return redirect(f"/earn/campaigns/{contract_id}", flash=_("You take part.") if takes else _("Declined."))


async def _page(
    request: Request,
    viewer: Viewer,
    contract_id: int,
    problem: Problem | None = None,
    milestone_id: int = 0,
    typed: Work | None = None,
) -> Response:
    contract = await queries.access_contract(require_member(viewer), contract_id)
    return page(
        request,
        viewer,
        "referrals/campaigns/contract.html",
        status=problem.status if problem else 200,
        contract=contract,
        milestones=(await queries.milestones_of([contract_id]))[contract_id],
        products=await queries.products_of(contract["campaign_id"]),
        problem=problem,
        wrong_at=milestone_id,
        typed=typed or Work(),
        escrow=(await escrow.escrow_of(contract["campaign_id"])).get(contract_id, 0),
        latest=escrow.latest,
        is_over=contract["ends_at"] <= clock.now(),
    )
