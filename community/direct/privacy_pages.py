from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect, safe_next
from community.direct import blocking
from community.direct.api import MOST_A_MINUTE
from community.direct.schemas import HandleForm
from community.privacy import queries
from community.privacy.queries import face_of
from community.privacy.schemas import PrivacyForm, PrivacyView

PRIVACY = "community/direct/privacy.html"


class PrivacyPages(Controller):
    """Who may write to one and see one, and whom one has blocked."""

    path = "/settings"
    include_in_schema = False

    @get("/privacy")
    async def show(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, PRIVACY, values={}, problem=None, **await _sheet(request, viewer))

    @post("/privacy")
    async def change(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        try:
            wanted = await form(request, PrivacyForm)
            await blocking.change_privacy(viewer, PrivacyView(wanted.may_write, wanted.is_hidden, wanted.hides_reading))
        except Problem as problem:
            return await form_again(request, viewer, PRIVACY, problem, **await _sheet(request, viewer))
        return redirect("/settings/privacy", flash=_("Saved."))

    @post("/blocks")
    async def block(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        """From the list of blocks, a profile or a room; `?next=` leads back."""
        await limit("block", require_member(viewer), most=MOST_A_MINUTE, per=60)
        try:
            handle = (await form(request, HandleForm)).handle.strip().lstrip("@")
            await blocking.block(viewer, handle)
        except NotFound:
            problem = Problem(_("Nobody here is called @%(handle)s.", handle=handle), fields={"handle": _("Nobody.")})
            problem.status = 422
            return await form_again(request, viewer, PRIVACY, problem, **await _sheet(request, viewer))
        except Problem as problem:
            return await form_again(request, viewer, PRIVACY, problem, **await _sheet(request, viewer))
        back = safe_next(request.query_params.get("next"), "/settings/privacy")
        return redirect(back, flash=_("Blocked. They are not told."))

    @post("/blocks/{handle:str}/end")
    async def unblock(self, request: Request, viewer: NamedDependency[Viewer], handle: FromPath[str]) -> Response:
        await blocking.unblock(viewer, handle)
        back = safe_next(request.query_params.get("next"), "/settings/privacy")
        return redirect(back, flash=_("You can write to each other again."))


async def _sheet(request: Request, viewer: Viewer) -> dict:
    member_id = require_member(viewer, "read")
    return {
        "privacy": await queries.privacy_of(member_id),
        "blocked": await queries.blocked_by(viewer, cursor=request.query_params.get("after")),
        "face_of": face_of,
    }
