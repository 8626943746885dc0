from datetime import datetime, time
from typing import Annotated, Any

import asyncpg
import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app import clock
from app.auth import Viewer
from app.errors import Conflict, Invalid, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.money import Money, check_currency
from app.web import form, form_again, page, redirect
from referrals.payouts import batches, credits, exports, queries, words
from referrals.payouts.amounts import minor_units, typed
from referrals.payouts.exports import number_of
from referrals.payouts.rails import RAILS
from referrals.payouts.rates import used_in
from referrals.payouts.schemas import Currency, Password
from referrals.payouts.terms import Terms, publish_terms, terms_of
from storefront.stores.policy import access_own_store

LIST = "referrals/payouts/admin_list.html"
NEW = "referrals/payouts/admin_new.html"
BATCH = "referrals/payouts/admin_batch.html"
TERMS = "referrals/payouts/admin_terms.html"

Typed = Annotated[str, Meta(max_length=20)]


class Approval(msgspec.Struct):
    seen: Annotated[str, Meta(max_length=64)]
    password: Password = ""


class AskedBatch(msgspec.Struct):
    currency: Currency
    cutoff: Annotated[str, Meta(max_length=10)] = ""
    minimum: Typed = ""


class Marked(msgspec.Struct):
    result: Annotated[str, Meta(max_length=10)]
    reference: Annotated[str, Meta(max_length=200)] = ""
    reason: Annotated[str, Meta(max_length=200)] = ""


class TermsForm(msgspec.Struct):
    currency: Currency
    minimum: Typed
    least: Typed = "0"
    early_fee: Typed = "0"
    bonus: Typed = "0"
    pay_day: Annotated[int, Meta(ge=0, le=28)] = 1
    identity_from: Typed = "0"
    rails: list[str] = []


class UsedCredit(msgspec.Struct):
    code: Annotated[str, Meta(max_length=40)]
    order: Annotated[str, Meta(max_length=100)] = ""


class PayoutAdminPages(Controller):
    """What those who run a store do about payouts: preview, gather, approve, send, mark."""

    path = "/admin/programs/{slug:str}/payouts"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        found = await queries.batches_of(store["id"], cursor=request.query_params.get("after"))
        currencies = await queries.currencies_of(store["id"])
        waiting = [(currency, await queries.waiting_in(store["id"], currency)) for currency in currencies]
        return page(request, viewer, LIST, store=store, batches=found, waiting=waiting, words=words)

    @get("/new")
    async def preview(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """A dry run: who would be paid how much, and who not and why."""
        store = await access_own_store(viewer, slug)
        query = request.query_params
        asked = AskedBatch(
            query.get("currency") or store["currency"], query.get("cutoff", ""), query.get("minimum", "")
        )
        return page(request, viewer, NEW, problem=None, values={}, **await _preview(store, asked))

    @post()
    async def gather(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        asked = await form(request, AskedBatch)
        try:
            batch_id = await batches.request_batch(
                viewer, slug, asked.currency, _cutoff(asked.cutoff), await _minimum(store, asked)
            )
        except (Invalid, Conflict) as problem:
            shown = await _preview(store, AskedBatch(store["currency"]) if problem.fields else asked)
            return await form_again(request, viewer, NEW, problem, **shown)
        return redirect(f"/admin/programs/{slug}/payouts/{batch_id}", flash=_("The batch is being put together."))

    @get("/terms")
    async def show_terms(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        currency = check_currency(request.query_params.get("currency") or store["currency"])
        return page(request, viewer, TERMS, problem=None, values={}, **await _terms_shown(store, currency))

    @post("/terms")
    async def set_terms(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        asked = await form(request, TermsForm)
        check_currency(asked.currency)
        try:
            await publish_terms(viewer, slug, _terms(asked, await request.form()))
        except Invalid as problem:
            return await form_again(request, viewer, TERMS, problem, **await _terms_shown(store, asked.currency))
        return redirect(f"/admin/programs/{slug}/payouts", flash=_("These terms hold for payouts from now on."))

    @post("/credit")
    async def use_credit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        asked = await form(request, UsedCredit)
        await credits.use(viewer, slug, asked.code, asked.order)
        return redirect(f"/admin/programs/{slug}/payouts", flash=_("The credit is marked as used."))

    @get("/{batch_id:int}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]
    ) -> Response:
        return page(request, viewer, BATCH, problem=None, **await _batch_shown(request, viewer, slug, batch_id))

    @post("/{batch_id:int}/approvals")
    async def approve(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]
    ) -> Response:
        asked = await form(request, Approval)
        try:
            await batches.approve(viewer, slug, batch_id, seen=asked.seen, password=asked.password)
        except Problem as problem:
            return await form_again(
                request, viewer, BATCH, problem, **await _batch_shown(request, viewer, slug, batch_id)
            )
        return redirect(f"/admin/programs/{slug}/payouts/{batch_id}", flash=_("You have approved it."))

    @post("/{batch_id:int}/submit")
    async def submit(self, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]) -> Response:
        await batches.submit(viewer, slug, batch_id)
        return redirect(f"/admin/programs/{slug}/payouts/{batch_id}", flash=_("It is being sent."))

    @post("/{batch_id:int}/cancel")
    async def cancel(self, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]) -> Response:
        await batches.cancel(viewer, slug, batch_id)
        return redirect(
            f"/admin/programs/{slug}/payouts/{batch_id}", flash=_("Cancelled. Everybody's money is available again.")
        )

    @post("/{batch_id:int}/resume")
    async def resume(self, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]) -> Response:
        await batches.resume(viewer, slug, batch_id)
        return redirect(f"/admin/programs/{slug}/payouts/{batch_id}", flash=_("Sending goes on."))

    @post("/{batch_id:int}/export")
    async def export(
        self, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]
    ) -> Response[bytes]:
        """A POST, because taking account numbers out is written down."""
        file = await exports.export(viewer, slug, batch_id)
        return Response(
            file.encode("utf-8-sig"),
            media_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="payouts-{batch_id}.csv"',
                "Cache-Control": "private, no-store",
            },
        )

    @post("/{batch_id:int}/results")
    async def import_results(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], batch_id: FromPath[int]
    ) -> Response:
        await batches.access_batch(viewer, slug, batch_id)
        await limit("payout-results", viewer.member_id, most=30, per=3600)
        file = (await request.form()).get("file")
        try:
            if not isinstance(file, UploadFile):
                raise Invalid("file", _("Choose the file first."))
            results = await exports.import_results(viewer, slug, batch_id, await file.read())
        except Invalid as problem:
            shown = await _batch_shown(request, viewer, slug, batch_id)
            return page(request, viewer, BATCH, status=422, problem=problem, **shown)
        shown = await _batch_shown(request, viewer, slug, batch_id)
        return page(request, viewer, BATCH, problem=None, **(shown | {"results": results}))

    @post("/{batch_id:int}/payouts/{payout_id:int}")
    async def mark(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        batch_id: FromPath[int],
        payout_id: FromPath[int],
    ) -> Response:
        await batches.access_batch(viewer, slug, batch_id)
        asked = await form(request, Marked)
        said = await exports.mark(viewer, batch_id, payout_id, asked.result, asked.reference, asked.reason)
        return redirect(
            f"/admin/programs/{slug}/payouts/{batch_id}", flash=f"{number_of(payout_id)}: {said or _('Saved.')}"
        )


async def _preview(store: asyncpg.Record, asked: AskedBatch) -> dict[str, Any]:
    currency = check_currency(asked.currency)
    try:
        cutoff, minimum = _cutoff(asked.cutoff), await _minimum(store, asked)
    except Invalid:
        # What was typed cannot be read; the figures shown are those of the usual terms.
        cutoff, minimum = clock.now(), (await terms_of(store["id"], currency)).minimum
    quotes = await batches.preview(store, currency, cutoff, minimum)
    requests = await batches.waiting_requests(store["id"], currency, cutoff)
    paid = [one for one in quotes if not one.trouble]
    return {
        "store": store,
        "currency": currency,
        "currencies": await queries.currencies_of(store["id"]),
        "cutoff": cutoff,
        "asked": asked,
        "minimum": typed(minimum, currency),
        "paid": paid[:200],
        "unpaid": [one for one in quotes if one.trouble][:200],
        "requests": requests[:200],
        "many": len(paid) + len(requests),
        "total": Money(sum(one.sends for one in paid) + sum(row["sends"] for row in requests), currency),
        "handles": await queries.handles_of([one.sum.member_id for one in quotes]),
        "words": words,
        "number_of": number_of,
    }


async def _batch_shown(request: Request, viewer: Viewer, slug: str, batch_id: int) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    batch = await batches.access_batch(viewer, slug, batch_id)
    approvals = await queries.approvals_of(batch_id)
    member_id = viewer.member_id or 0
    return {
        "store": store,
        "batch": batch,
        "totals": await queries.totals_of(batch_id),
        "rates": await used_in(batch_id),
        "payouts": await queries.payouts_in(batch_id, cursor=request.query_params.get("after")),
        "approvals": approvals,
        "steps": await queries.steps_of(batch_id=batch_id),
        "may_not": await batches.may_not_approve(member_id, batch),
        "has_approved": any(row["member_id"] == member_id for row in approvals),
        "approvers": batches.APPROVERS,
        "rails": RAILS,
        "results": None,
        "words": words,
        "number_of": number_of,
    }


async def _terms_shown(store: asyncpg.Record, currency: str) -> dict[str, Any]:
    return {
        "store": store,
        "currency": currency,
        "currencies": await queries.currencies_of(store["id"]),
        "terms": await terms_of(store["id"], currency),
        "offered": [rail for rail in RAILS.values() if rail.is_ready()],
        "typed": typed,
        "words": words,
    }


def _terms(asked: TermsForm, data: Any) -> Terms:
    """The form as terms; each rail's fee is a field of its own."""
    bonus = minor_units(asked.bonus or "0", "USD", "bonus")
    fees = {
        name: minor_units(str(data.get(f"fee_{name}") or "0"), asked.currency, f"fee_{name}")
        for name in asked.rails
        if name in RAILS and RAILS[name].fields
    }
    return Terms(
        asked.currency,
        minor_units(asked.minimum, asked.currency, "minimum"),
        least=minor_units(asked.least or "0", asked.currency, "least"),
        early_fee=minor_units(asked.early_fee or "0", asked.currency, "early_fee"),
        fees={name: fee for name, fee in fees.items() if fee},
        credit_bonus_bps=bonus,
        pay_day=asked.pay_day,
        identity_from=minor_units(asked.identity_from or "0", asked.currency, "identity_from"),
        rails=tuple(asked.rails),
    )


async def _minimum(store: asyncpg.Record, asked: AskedBatch) -> int:
    currency = check_currency(asked.currency)
    if not asked.minimum:
        return (await terms_of(store["id"], currency)).minimum
    return minor_units(asked.minimum, currency, "minimum")


def _cutoff(day: str) -> datetime:
    """The end of that day, or now."""
    if not day:
        return clock.now()
    try:
        end = datetime.combine(datetime.strptime(day, "%Y-%m-%d"), time.max, tzinfo=clock.now().tzinfo)
    except ValueError as error:
        raise Invalid("cutoff", _("A day like 2026-03-31.")) from error
    return min(end, clock.now()) if end.date() <= clock.now().date() else end
