from litestar import Controller, Request, Response, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, NotFound
from app.i18n import gettext as _
from app.openapi import door
from app.web import json_body
from referrals.agreement.service import refuse_alone
from referrals.programs.policies import publish_crediting
from referrals.programs.queries import version_at
from referrals.simulator import examples, service
from referrals.simulator.drafts import crediting_of, draft_of
from referrals.simulator.schemas import InForce, Publication, Rehearsal, SimulationView
from storefront.stores.policy import access_own_store


class CreditingApi(Controller):
    path = "/stores/{slug:str}"
    tags = ["earn"]

    @get(
        "/crediting",
        summary="Who is credited: the rules in force",
        opt=door(gives=examples.in_force, refuses=(NotFound,), scope="read"),
    )
    async def in_force(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> InForce:
        """By the store's owner or an admin, like everything here."""
        require_member(viewer, "read")
        return await rules_in_force(viewer, slug)

    @put(
        "/crediting",
        summary="Publish other rules of who is credited",
        opt=door(takes=examples.publication, gives=examples.in_force, refuses=(Conflict, NotFound), scope="write"),
    )
    async def publish(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> InForce:
        """For orders we hear of from now on; earlier ones keep their rules. What is paid stays as it is."""
        require_member(viewer)
        wanted = await json_body(request, Publication)
        await refuse_alone(await access_own_store(viewer, slug))
        await publish_crediting(viewer, slug, await crediting_of(wanted.draft), instead_of=wanted.instead_of)
        return await rules_in_force(viewer, slug)

    @post(
        "/simulations",
        summary="Replay the last days under other rules",
        status_code=202,
        opt=door(takes=examples.rehearsal, gives=examples.simulation, refuses=(NotFound,), scope="write"),
    )
    async def simulate(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Response[SimulationView]:
        """Nothing moves. At most the newest 5,000 orders; ask for the result by its id."""
        require_member(viewer)
        simulation_id = await service.rehearse(viewer, slug, await json_body(request, Rehearsal))
        _row, view = await service.simulation_of(viewer, slug, simulation_id)
        return Response(view, status_code=202)

    @get(
        "/simulations/{simulation_id:int}",
        summary="Who would win and lose by a replay",
        opt=door(gives=examples.simulation, refuses=(NotFound,), scope="read"),
    )
    async def result(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], simulation_id: FromPath[int]
    ) -> SimulationView:
        require_member(viewer, "read")
        _row, view = await service.simulation_of(viewer, slug, simulation_id)
        return view


async def rules_in_force(viewer: Viewer, slug: str) -> InForce:
    store = await access_own_store(viewer, slug)
    version = await version_at(store["id"], clock.now())
    if version is None:
        raise NotFound(_("This store has no programme yet."))
    return InForce(version["version"], await draft_of(version))
