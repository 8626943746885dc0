from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer
from app.errors import Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.agreement import service as agreement
from referrals.agreement.pages import to_changes
from referrals.programs.changes import CreditingChange
from referrals.programs.policies import publish_crediting
from referrals.programs.policy import ASSISTS, CHANNELS, CLASSES
from referrals.programs.queries import version_at
from referrals.simulator import queries, service, words
from referrals.simulator.drafts import crediting_of, draft_of
from referrals.simulator.forms import PolicyForm, draft_from, values_of
from referrals.simulator.schemas import Draft, Rehearsal
from storefront.stores.policy import access_own_store

TEMPLATE = "referrals/attribution/policy.html"


class CreditingPages(Controller):
    """Who is credited: looked at, changed, replayed, and only then published."""

    path = "/admin/programs/{slug:str}/attribution"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        shown = await _shown(viewer, slug)
        values = values_of(shown["in_force"], shown["store"]["currency"]) | {"days": "30"} if shown["rules"] else {}
        return page(request, viewer, TEMPLATE, **shown, values=values, problem=None)

    @post()
    async def rehearse(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """The form leads to a replay; the page of the replay publishes."""
        store = await access_own_store(viewer, slug)
        try:
            typed = await form(request, PolicyForm)
            draft = draft_from(typed, await request.form(), store["currency"])
            days = int(typed.days) if typed.days.isascii() and typed.days.isdigit() else 30
            rehearsal = Rehearsal(draft, min(max(days, 1), 90))
            simulation_id = await service.rehearse(viewer, slug, rehearsal)
        except Problem as problem:
            return await form_again(request, viewer, TEMPLATE, problem, **await _shown(viewer, slug))
        return redirect(f"/admin/programs/{slug}/attribution/{simulation_id}")

    @get("/{simulation_id:int}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], simulation_id: FromPath[int]
    ) -> Response:
        row, found = await service.simulation_of(viewer, slug, simulation_id)
        shown = await _shown(viewer, slug)
        draft = msgspec.convert(row["draft"], Draft)
        changes = words.changes(shown["in_force"], draft, shown["store"]["currency"])
        return page(
            request,
            viewer,
            "referrals/attribution/simulation.html",
            **shown,
            simulation=found,
            changes=changes,
            is_current=shown["rules"] is not None and shown["rules"]["id"] == row["against_id"],
        )

    @post("/{simulation_id:int}/publication")
    async def publish(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], simulation_id: FromPath[int]
    ) -> Response:
        row, _found = await service.simulation_of(viewer, slug, simulation_id)
        crediting = await crediting_of(msgspec.convert(row["draft"], Draft))
        against = await queries.version_number(row["against_id"])
        store = await access_own_store(viewer, slug)
        if await agreement.waits(viewer, store, CreditingChange(crediting, against)):
            return to_changes(slug)
        number = await publish_crediting(viewer, slug, crediting, instead_of=against)
        return redirect(
            f"/admin/programs/{slug}/attribution",
            flash=_("In force for orders from now on: version %(number)s.", number=number),
        )


async def _shown(viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    rules = await version_at(store["id"], clock.now())
    return {
        "store": store,
        "rules": rules,
        "in_force": await draft_of(rules) if rules else None,
        "simulations": await queries.simulations_of(store["id"]),
        "kinds": CLASSES,
        "channels": CHANNELS,
        "assists": ASSISTS,
        "words": words,
    }
