from typing import Any

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from referrals.agreement import service as agreement
from referrals.agreement.pages import to_changes
from referrals.commissions.reasons import reason_words
from referrals.fraud import cases, queries, words
from referrals.fraud.changes import LimitsChange, settings_id
from referrals.fraud.schemas import Said, ThresholdForm, Verdict
from referrals.fraud.thresholds import BOUNDS, LISTS, RULES, Thresholds, set_thresholds, thresholds_of
from storefront.stores.policy import access_own_store


class CasePages(Controller):
    """The cases of a store, for its owner and for admins; nobody decides one about themselves."""

    path = "/admin/programs/{slug:str}/cases"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        view = request.query_params.get("view", "")
        view = view if view in queries.VIEWS else "open"
        rule = request.query_params.get("rule", "")
        rule = rule if rule in RULES else ""
        found = await queries.cases_of_store(store["id"], view, rule=rule, cursor=request.query_params.get("after"))
        return page(
            request,
            viewer,
            "referrals/fraud/cases.html",
            store=store,
            cases=found,
            counts=await queries.counts_of(store["id"]),
            view=view,
            rule=rule,
            rules=RULES,
            words=words,
            until=_until,
        )

    @get("/{case_id:int}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], case_id: FromPath[int]
    ) -> Response:
        return page(
            request, viewer, "referrals/fraud/case.html", **await _case(viewer, slug, case_id), values={}, problem=None
        )

    @post("/{case_id:int}/decision")
    async def decide(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], case_id: FromPath[int]
    ) -> Response:
        try:
            wanted = await form(request, Verdict)
            await cases.give_verdict(viewer, slug, case_id, wanted)
        except Problem as problem:
            shown = await _case(viewer, slug, case_id)
            return await form_again(request, viewer, "referrals/fraud/case.html", problem, **shown)
        return redirect(f"/admin/programs/{slug}/cases", flash=_("Decided. The member was told."))

    @post("/{case_id:int}/notes")
    async def add_note(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], case_id: FromPath[int]
    ) -> Response:
        try:
            await cases.add_note(viewer, slug, case_id, (await form(request, Said)).words)
        except Problem as problem:
            shown = await _case(viewer, slug, case_id)
            return await form_again(request, viewer, "referrals/fraud/case.html", problem, **shown)
        return redirect(f"/admin/programs/{slug}/cases/{case_id}")

    @get("/limits")
    async def limits(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(
            request, viewer, "referrals/fraud/limits.html", **await _limits(viewer, slug), values={}, problem=None
        )

    @post("/limits")
    async def set_limits(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        try:
            wanted = _thresholds(await form(request, ThresholdForm))
            if await agreement.waits(viewer, store, LimitsChange(wanted, await settings_id(store["id"]))):
                return to_changes(slug)
            await set_thresholds(store["id"], wanted, require_member(viewer))
        except Problem as problem:
            shown = await _limits(viewer, slug)
            return await form_again(request, viewer, "referrals/fraud/limits.html", problem, **shown)
        return redirect(
            f"/admin/programs/{slug}/cases/limits", flash=_("The limits count from now on. Open cases stay open.")
        )


class CheckPages(Controller):
    """What is checked of a member's own, and their word on it."""

    path = "/earn/checks"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        found = await queries.cases_of_member(require_member(viewer), cursor=request.query_params.get("after"))
        return page(
            request, viewer, "referrals/fraud/checks.html", checks=found, words=words, reason_words=_reason_words
        )

    @get("/{case_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], case_id: FromPath[int]) -> Response:
        shown = await _check(viewer, case_id)
        return page(request, viewer, "referrals/fraud/check.html", **shown, values={}, problem=None)

    @post("/{case_id:int}/answers")
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], case_id: FromPath[int]) -> Response:
        try:
            await cases.answer(viewer, case_id, (await form(request, Said)).words)
        except Problem as problem:
            shown = await _check(viewer, case_id)
            return await form_again(request, viewer, "referrals/fraud/check.html", problem, **shown)
        return redirect(f"/earn/checks/{case_id}", flash=_("Whoever decides will read it."))


async def _case(viewer: Viewer, slug: str, case_id: int) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    case = await queries.case_of_store(store["id"], case_id)
    # Whoever runs the store and is the one it is about learns no more than any member would.
    is_about_oneself = not cases.may_decide(viewer, case)
    return {
        "store": store,
        "case": case,
        "signals": [] if is_about_oneself else await queries.signals_of(case_id),
        "entries": await queries.entries_of(case_id, for_member=is_about_oneself),
        "commissions": await queries.commissions_in(case_id),
        "about": await queries.about(case["member_id"], store["id"]),
        "may_decide": not is_about_oneself
        and not (case["state"] == "appealed" and case["decided_by_id"] == viewer.member_id),
        "words": words,
        "until": _until,
    }


async def _check(viewer: Viewer, case_id: int) -> dict[str, Any]:
    member_id = require_member(viewer)
    case = await queries.case_of_member(member_id, case_id)
    return {
        "case": case,
        "entries": await queries.entries_of(case_id, for_member=True),
        "commissions": await queries.commissions_in(case_id),
        "appeal_until": await cases.appeal_until(case),
        "words": words,
        "reason_words": _reason_words,
        "until": _until,
    }


async def _limits(viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    return {
        "store": store,
        "limits": await thresholds_of(store["id"]),
        "plain": Thresholds(),
        "bounds": BOUNDS,
        "rules": RULES,
        "words": words,
    }


def _thresholds(given: ThresholdForm) -> Thresholds:
    figures = {field: getattr(given, field) for field in BOUNDS}
    lists = {field: tuple(_lines(text)) for field in LISTS if (text := getattr(given, field)) is not None}
    return msgspec.convert(
        {**figures, **lists, "off": tuple(rule for rule in RULES if rule not in given.strikes)}, Thresholds
    )


def _lines(text: str) -> list[str]:
    """Each line once, in lower case."""
    return list(dict.fromkeys(line.strip().lower() for line in text.splitlines() if line.strip()))


def _reason_words(case: Any) -> str:
    return reason_words(queries.reason_of(case["rule"]))


def _until(moment: Any) -> tuple[str, bool]:
    """How long until a moment, or since it; and whether it is past."""
    seconds = (moment - clock.now()).total_seconds()
    return words.span(abs(seconds)), seconds < 0
