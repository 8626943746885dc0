from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.chat import measures, measures_queries
from community.chat.measures_api import MOST_MEASURES_AN_HOUR
from community.chat.measures_schemas import MeasureForm

TEMPLATE = "community/chat/measures.html"


class MeasuresPages(Controller):
    """Where those who run a room keep it in order."""

    path = "/chat/{room_id:int}/moderation"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        order = await _order(request, viewer, room_id)
        message = request.query_params.get("message", "")
        author = (
            await measures_queries.author_of(room_id, int(message)) if message.isdecimal() and len(message) < 19 else ""
        )
        values = {"member": author or request.query_params.get("member", "")[:60]}
        return page(request, viewer, TEMPLATE, values=values, problem=None, **order)

    @post("/measures")
    async def take(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await limit("room-measure", require_member(viewer), most=MOST_MEASURES_AN_HOUR, per=3600)
        try:
            await measures.take(viewer, room_id, await form(request, MeasureForm))
        except Problem as problem:
            if problem.status == 404:
                raise
            shown = await _order(request, viewer, room_id)
            return await form_again(request, viewer, TEMPLATE, problem, **shown)
        return redirect(f"/chat/{room_id}/moderation", flash=_("Done. It holds from now on."))

    @post("/measures/{measure_id:int}/end")
    async def lift(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], measure_id: FromPath[int]
    ) -> Response:
        try:
            await measures.lift(viewer, room_id, measure_id)
        except Problem as problem:
            if problem.status == 404:
                raise
            shown = await _order(request, viewer, room_id)
            return await form_again(request, viewer, TEMPLATE, problem, **shown)
        return redirect(f"/chat/{room_id}/moderation", flash=_("Undone."))


async def _order(request: Request, viewer: Viewer, room_id: int) -> dict:
    room = await measures.access_run_room(viewer, room_id)
    return {
        "room": room,
        "standing": [measures_queries.view(row) for row in await measures_queries.standing(room_id)],
        "log": await measures_queries.log_of(room_id, cursor=request.query_params.get("after")),
    }
