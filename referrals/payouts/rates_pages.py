from datetime import datetime, time
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import clock
from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from app.money import EXPONENTS
from app.web import form, form_again, page, redirect
from referrals.payouts import queries, words
from referrals.payouts.rates import NewRate, rates_of, tell_rate
from storefront.stores.policy import access_own_store

RATES = "referrals/payouts/admin_rates.html"


class RateForm(msgspec.Struct):
    base: Annotated[str, Meta(max_length=3)] = ""
    quote: Annotated[str, Meta(max_length=3)] = ""
    rate: Annotated[str, Meta(max_length=20)] = ""
    source: Annotated[str, Meta(max_length=100)] = ""
    taken_on: Annotated[str, Meta(max_length=10)] = ""


class PayoutRatePages(Controller):
    """The rates by which members are paid whose account is kept in another currency."""

    path = "/admin/programs/{slug:str}/payouts/rates"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        return page(request, viewer, RATES, problem=None, values={}, **await _shown(request, store))

    @post()
    async def tell(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            told = await form(request, RateForm)
            taken_at = _taken_at(told.taken_on)
            await tell_rate(viewer, slug, NewRate(told.base, told.quote, told.rate, told.source, taken_at))
        except Invalid as problem:
            return await form_again(request, viewer, RATES, problem, **await _shown(request, store))
        return redirect(
            f"/admin/programs/{slug}/payouts/rates", flash=_("Payouts are reckoned by this rate from now on.")
        )


async def _shown(request: Request, store: asyncpg.Record) -> dict[str, Any]:
    return {
        "store": store,
        "rates": await rates_of(store["id"], cursor=request.query_params.get("after")),
        "earned": await queries.currencies_of(store["id"]),
        "currencies": sorted(EXPONENTS),
        "words": words,
    }


def _taken_at(day: str) -> datetime:
    """The end of that day, or now."""
    now = clock.now()
    if not day:
        return now
    try:
        end = datetime.combine(datetime.strptime(day, "%Y-%m-%d"), time.max, tzinfo=now.tzinfo)
    except ValueError as error:
        raise Invalid("taken_on", _("A day like 2026-03-31.")) from error
    if end.date() > now.date():
        raise Invalid("taken_on", _("A rate was taken within the last seven days, and not in the future."))
    return min(end, now)
