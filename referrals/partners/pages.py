from datetime import UTC, datetime, time
from typing import Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer
from app.errors import Invalid, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.agreement import service as agreement
from referrals.agreement.pages import to_changes
from referrals.partners import service
from referrals.partners.changes import RateChange, RateEnd, TierChange
from referrals.partners.queries import agreed_rates, tiered_partners
from referrals.programs.editor import as_bps
from referrals.programs.queries import program_of
from storefront.stores.policy import access_own_store


class AgreedForm(msgspec.Struct):
    handle: str = ""
    rate: str = ""
    expires_on: str = ""
    note: str = ""


class TierForm(msgspec.Struct):
    handle: str = ""
    tier: str = ""


class RatePages(Controller):
    """What a store agrees with single partners: the tier they are in, a rate of their own until a day."""

    path = "/admin/programs/{slug:str}/rates"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _page(request, viewer, await access_own_store(viewer, slug))

    @post()
    async def agree(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, typed = await access_own_store(viewer, slug), AgreedForm()
        try:
            typed = await form(request, AgreedForm)
            rate, until = as_bps(typed.rate, "rate"), _end_of(typed.expires_on)
            if await agreement.waits(viewer, store, RateChange(typed.handle, rate, until, typed.note)):
                return to_changes(slug)
            await service.agree_rate(slug, typed.handle, rate, until, viewer, note=typed.note)
        except Problem as problem:
            return await _page(request, viewer, store, problem, agreed=typed)
        return redirect(f"/admin/programs/{slug}/rates", flash=_("Agreed. It counts for orders from now on."))

    @post("/tiers")
    async def set_tier(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store, typed = await access_own_store(viewer, slug), TierForm()
        try:
            typed = await form(request, TierForm)
            if await agreement.waits(viewer, store, TierChange(typed.handle, typed.tier)):
                return to_changes(slug)
            await service.set_tier(slug, typed.handle, typed.tier, viewer)
        except Problem as problem:
            return await _page(request, viewer, store, problem, tiered=typed)
        return redirect(f"/admin/programs/{slug}/rates", flash=_("Done. It counts for orders from now on."))

    @post("/{override_id:int}/end")
    async def end(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], override_id: FromPath[int]
    ) -> Response:
        store = await access_own_store(viewer, slug)
        if await agreement.waits(viewer, store, RateEnd(override_id)):
            return to_changes(slug)
        await service.end_rate(slug, override_id, viewer)
        return redirect(f"/admin/programs/{slug}/rates", flash=_("Ended. Orders before keep what was agreed."))


def _end_of(day: str) -> datetime:
    """The end of that day, UTC."""
    try:
        return datetime.combine(datetime.fromisoformat(day.strip()).date(), time(23, 59, 59), UTC)
    except ValueError as error:
        raise Invalid("expires_on", _("“%(value)s” is not a day; write 2026-11-30.", value=day[:30])) from error


async def _page(
    request: Request, viewer: Viewer, store: asyncpg.Record, problem: Problem | None = None, **typed: Any
) -> Response:
    program = await program_of(store["id"])
    return page(
        request,
        viewer,
        "referrals/partners/rates.html",
        status=problem.status if problem else 200,
        store=store,
        problem=problem,
        rates=await agreed_rates(program["id"], clock.now()) if program else [],
        partners=await tiered_partners(program["id"]) if program else [],
        **({"agreed": AgreedForm(), "tiered": TierForm()} | typed),
    )
