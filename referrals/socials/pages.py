from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.web import form, page, redirect
from referrals.socials import queries, service, views
from referrals.socials.platforms.known import in_use
from referrals.socials.schemas import AccountForm


class SocialAccountPages(Controller):
    """A member's channels elsewhere: a code for each, and whether it was found there."""

    path = "/earn/channels"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer, "read")
        return await _page(request, viewer)

    @post()
    async def ask(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        typed = AccountForm()
        try:
            typed = await form(request, AccountForm)
            await service.ask_for(viewer, typed.address)
        except Problem as problem:
            return await _page(request, viewer, problem, typed)
        return redirect("/earn/channels", flash=_("Put the code where it says, then let us look."))

    @post("/{account_id:int}/check")
    async def check(self, request: Request, viewer: NamedDependency[Viewer], account_id: FromPath[int]) -> Response:
        try:
            await service.check(viewer, account_id)
        except NotFound:
            raise
        except Problem as problem:
            return await _page(request, viewer, problem)
        return redirect("/earn/channels", flash=_("We are looking. Open this page again in a moment."))

    @post("/{account_id:int}/remove")
    async def let_go(self, viewer: NamedDependency[Viewer], account_id: FromPath[int]) -> Response:
        await service.let_go(viewer, account_id)
        return redirect("/earn/channels", flash=_("Taken away."))


async def _page(
    request: Request, viewer: Viewer, problem: Problem | None = None, typed: AccountForm | None = None
) -> Response:
    return page(
        request,
        viewer,
        "referrals/socials/index.html",
        status=problem.status if problem else 200,
        accounts=await queries.accounts_of(require_member(viewer, "read")),
        platforms=in_use(),
        title_of=views.title_of,
        why_words=views.why_words,
        problem=problem,
        typed=typed or AccountForm(),
    )
