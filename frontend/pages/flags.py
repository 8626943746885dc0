from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Gone, NotFound, Problem
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.web import form, form_again, json_body, page, redirect
from community.moderation import examples, service
from community.moderation.schemas import REASONS, Flagged, NewFlag, NewFlagForm, Subject
from frontend.pages.subjects import access_subject

FORM = "frontend/moderation/report.html"


class FlagPages(Controller):
    """The report door of everything that people write, and of people."""

    include_in_schema = False

    @get("/report")
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        subject = await access_subject(viewer, request.query_params.get("subject", ""))
        return page(request, viewer, FORM, subject=subject, reasons=REASONS, values={}, problem=None)

    @post("/report")
    async def report(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        flag = await form(request, NewFlagForm)
        subject = await access_subject(viewer, flag.subject)
        try:
            await _flag(request, viewer, subject, flag)
        except Problem as problem:
            return await form_again(request, viewer, FORM, problem, subject=subject, reasons=REASONS)
        return redirect(subject.url, flash=_("Thank you. A moderator will look at it and tell you how it ended."))

    @get("/subject/{name:str}")
    async def find(self, viewer: NamedDependency[Viewer], name: FromPath[str]) -> Response:
        """Where "post:12" stands, for those who may read it. The public log links here and so gives nothing away."""
        return redirect((await access_subject(viewer, name)).url, status=302)


class FlagApi(Controller):
    path = "/flags"
    tags = ["moderation"]

    @post(
        summary="Report something to the moderators",
        status_code=201,
        opt=door(takes=examples.new_flag, gives=examples.flagged, refuses=(NotFound, Gone), scope="write", once=True),
    )
    async def report(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[Flagged]:
        """`subject` names it: post:12, topic:3, review:9, message:40, guide:2, question:5, answer:6, member:7."""
        require_member(viewer)
        flag = await json_body(request, NewFlag)
        subject = await access_subject(viewer, flag.subject)
        return Response(await _flag(request, viewer, subject, flag), status_code=201)


async def _flag(request: Request, viewer: Viewer, subject: Subject, flag: NewFlag) -> Flagged:
    member_id = require_member(viewer)
    await limit("flag", member_id, most=30, per=3600)
    return await once(request, member_id, Flagged, lambda: service.report(viewer, subject, flag.reason, flag.note))
