from collections.abc import Sequence

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_moderator
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, form_again, page, redirect
from community.chat import context
from community.moderation import queries, service
from community.moderation.schemas import Restoration, Verdict
from frontend.pages.subjects import named

CASE = "frontend/moderation/case.html"


class ModerationPages(Controller):
    """One queue for everything that was reported, what was decided, and the public log."""

    path = "/moderation"
    include_in_schema = False

    @get("/")
    async def queue(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_moderator(viewer)
        cases = await queries.open_cases(cursor=request.query_params.get("after"))
        around, waiting = await _around(cases.items), await queries.count_open()
        template = "frontend/moderation/queue.html"
        return page(request, viewer, template, cases=cases, waiting=waiting, lines_around=around)

    @get("/decided")
    async def decided(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_moderator(viewer)
        cases = await queries.decided_cases(cursor=request.query_params.get("after"))
        return page(request, viewer, "frontend/moderation/decided.html", cases=cases, lines_around={})

    @get("/cases/{case_id:int}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], case_id: FromPath[int]) -> Response:
        require_moderator(viewer)
        return page(request, viewer, CASE, values={}, problem=None, **await _shown(case_id))

    @post("/cases/{case_id:int}/verdict")
    async def decide(self, request: Request, viewer: NamedDependency[Viewer], case_id: FromPath[int]) -> Response:
        require_moderator(viewer)
        try:
            decided = await form(request, Verdict)
            await (service.hide if decided.verdict == "hide" else service.keep)(viewer, case_id, decided.reason)
        except Problem as problem:
            return await form_again(request, viewer, CASE, problem, **await _shown(case_id))
        said = _("Hidden. Its author hears why.") if decided.verdict == "hide" else _("Kept.")
        return redirect("/moderation/", flash=said)

    @post("/cases/{case_id:int}/restoration")
    async def restore(self, request: Request, viewer: NamedDependency[Viewer], case_id: FromPath[int]) -> Response:
        require_moderator(viewer)
        try:
            await service.restore(viewer, case_id, (await form(request, Restoration)).reason)
        except Problem as problem:
            return await form_again(request, viewer, CASE, problem, **await _shown(case_id))
        return redirect(f"/moderation/cases/{case_id}", flash=_("Back where it was. Its author hears of it."))

    @get("/log")
    async def log(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        name = request.query_params.get("subject", "")
        entries = await queries.log(subject=named(name) if name else None, cursor=request.query_params.get("after"))
        return page(request, viewer, "frontend/moderation/log.html", entries=entries, subject=name)


async def _shown(case_id: int) -> dict:
    case = await queries.case(case_id)
    if case is None:
        raise NotFound()
    return {"case": case, "lines_around": await _around([case])}


async def _around(cases: Sequence[asyncpg.Record]) -> dict[int, list[dict]]:
    """What was said around reported messages, by case; one query for all."""
    ids = [message_id for case in cases for message_id in case["around"]]
    found = await context.lines(ids) if ids else {}
    return {
        case["id"]: [
            {**found[message_id], "is_it": message_id == case["subject_id"]}
            for message_id in case["around"]
            if message_id in found
        ]
        for case in cases
    }
