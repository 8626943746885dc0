from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import redirect
from community.media import service
from community.media.api import MOST_BODY_BYTES, picture_of
from community.members.pages import profile_form


class AvatarPages(Controller):
    """The face beside a member's words."""

    path = "/settings/avatar"
    include_in_schema = False

    @post("/", request_max_body_size=MOST_BODY_BYTES)
    async def change(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        try:
            await limit("upload", member_id, most=60, per=3600)
            await service.set_avatar(viewer, await picture_of(request, "avatar"))
        except Problem as problem:
            return await profile_form(request, viewer, problem=problem)
        return redirect("/settings/profile", flash=_("That is your face now."))

    @post("/end")
    async def remove(self, viewer: NamedDependency[Viewer]) -> Response:
        await service.remove_avatar(viewer)
        return redirect("/settings/profile", flash=_("Your picture is gone; your initials stand in for it."))
