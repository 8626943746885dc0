"""What a member sees of the programmes they ask to join, or belong to."""

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.partners import applying, crm, queries
from referrals.partners.schemas import NewMessage


class PartnerPages(Controller):
    path = "/earn/partners"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        programs = await queries.open_programs(require_member(viewer))
        return page(request, viewer, "referrals/partners/index.html", programs=programs)

    @get("/join/{code:str}")
    async def invitation(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        invite = await applying.invite_by_code(code)
        return page(request, viewer, "referrals/partners/invitation.html", invite=invite)

    @post("/join/{code:str}")
    async def accept(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Response:
        slug = await applying.accept_invite(viewer, code)
        return redirect(f"/earn/partners/{slug}", flash=_("Welcome. You are a partner now."))

    @get("/{slug:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return await _page(request, viewer, slug)

    @post("/{slug:str}")
    async def apply(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        require_member(viewer)
        program = await applying.access_program(slug)
        sent = await request.form()
        answers = [str(sent.get(f"answer-{n}", "")) for n in range(len(applying.questions_of(program)))]
        try:
            state = await applying.apply(viewer, slug, answers)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, slug, problem, answers)
        said = _("Welcome. You are a partner now.") if state == "approved" else _("Sent. The store looks at it.")
        return redirect(f"/earn/partners/{slug}", flash=said)

    @post("/{slug:str}/leave")
    async def leave(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await applying.withdraw(viewer, slug)
        return redirect("/earn/partners", flash=_("Done. What you earned stays yours."))

    @post("/{slug:str}/messages")
    async def write(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        member_id = require_member(viewer)
        typed = NewMessage()
        try:
            typed = await form(request, NewMessage)
            await crm.write(viewer, slug, member_id, typed.body, is_from_store=False)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, slug, problem, message=typed.body)
        return redirect(f"/earn/partners/{slug}#messages")


async def _page(
    request: Request,
    viewer: Viewer,
    slug: str,
    problem: Problem | None = None,
    answers: list[str] | None = None,
    message: str = "",
) -> Response:
    member_id = require_member(viewer)
    program = await applying.access_program(slug)
    mine = await queries.application_of(program["id"], member_id)
    is_in = mine is not None and mine["state"] == "approved"
    talks = mine is not None and mine["state"] in ("applied", "approved")
    if not program["is_open"] and mine is None:
        raise NotFound()
    # What came to be read is shown as new once more, then no longer.
    thread = await queries.messages_of(program["id"], member_id, cursor=request.query_params.get("after"))
    if talks:
        await crm.read(program["id"], member_id, by_store=False)
    questions = applying.questions_of(program)
    return page(
        request,
        viewer,
        "referrals/partners/home.html",
        status=problem.status if problem else 200,
        program=program,
        mine=mine,
        is_in=is_in,
        talks=talks,
        questions=questions,
        answers=answers or [""] * len(questions),
        problem=problem,
        message=message,
        thread=thread,
        assets=await queries.assets_of(program["id"]) if is_in else [],
        pictures=await queries.product_pictures(program["store_id"]) if is_in else [],
    )
