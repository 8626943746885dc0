from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.limits import limit
from app.openapi import door
from app.paging import Page, limit_of
from app.web import json_body
from community.chat import measures, measures_queries
from community.chat import measures_examples as examples
from community.chat.measures_schemas import MeasureView, NewMeasure

MOST_MEASURES_AN_HOUR = 300


class MeasuresApi(Controller):
    path = "/rooms/{room_id:int}/measures"
    tags = ["chat"]

    @get(summary="What was done to keep a room in order", opt=door(gives=examples.measures, refuses=(Forbidden,)))
    async def list_measures(
        self,
        viewer: NamedDependency[Viewer],
        room_id: FromPath[int],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[MeasureView]:
        """For those who run the room: everything, the newest first, with what was undone and when."""
        await measures.access_run_room(viewer, room_id)
        found = await measures_queries.log_of(room_id, cursor=after, limit=limit_of(limit, 30))
        return Page([measures_queries.view(row) for row in found.items], found.next)

    @post(
        summary="Show somebody out, ban, silence, slow a room down or freeze it",
        status_code=201,
        opt=door(takes=examples.new_measure, gives=examples.measure, refuses=(Forbidden,), scope="write"),
    )
    async def take(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> MeasureView:
        """True before the next frame. One of the same kind about the same member is replaced.

        `minutes` 0 is until it is lifted; a kick keeps out for ten minutes."""
        await limit("room-measure", require_member(viewer), most=MOST_MEASURES_AN_HOUR, per=3600)
        measure_id = await measures.take(viewer, room_id, await json_body(request, NewMeasure))
        return measures_queries.view(await measures_queries.measure(room_id, measure_id))

    @delete(
        "/{measure_id:int}",
        summary="Undo it",
        status_code=204,
        opt=door(refuses=(Forbidden, Conflict), scope="write"),
    )
    async def lift(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], measure_id: FromPath[int]) -> None:
        """Who was shown out may come back by themselves: nobody is put into a room."""
        await measures.lift(viewer, room_id, measure_id)
