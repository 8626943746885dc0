from litestar import Controller, Request, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.i18n import gettext as _
from app.web import form, redirect
from community.chat import mutes
from community.chat.list_schemas import MuteForm


class AwayPages(Controller):
    """A conversation that is over leaves the list by the menu of its page."""

    path = "/chat/{room_id:int}/away"
    include_in_schema = False

    @post()
    async def put_away(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await mutes.put_away(viewer, room_id)
        return redirect("/chat/", flash=_("Put away. It comes back when something is said there."))


class MutePages(Controller):
    """A room that may not disturb, from the menu of its page."""

    path = "/chat/{room_id:int}/mute"
    include_in_schema = False

    @post()
    async def mute(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await mutes.mute(viewer, room_id, (await form(request, MuteForm)).for_)
        return redirect(f"/chat/{room_id}#latest", flash=_("Quiet. It stays in your list, without a badge or a bell."))

    @post("/end")
    async def unmute(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await mutes.unmute(viewer, room_id)
        return redirect(f"/chat/{room_id}#latest", flash=_("You hear of this room again."))
