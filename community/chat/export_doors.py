"""Pages and JSON doors to the exports of a room."""

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from app.auth import Viewer
from app.errors import Gone, Problem
from app.i18n import gettext as _
from app.openapi import door
from app.web import form_again, page, redirect
from community.chat import examples, exports
from community.chat.schemas import ExportView
from community.media import storage


class ExportPages(Controller):
    path = "/chat/{room_id:int}/exports"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        room = await exports.access_exports(viewer, room_id)
        made = await exports.exports_of(room_id)
        return page(request, viewer, "community/chat/exports.html", room=room, exports=made, problem=None)

    @post()
    async def ask(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        room = await exports.access_exports(viewer, room_id)
        try:
            await exports.ask(viewer, room_id)
        except Problem as problem:
            made = await exports.exports_of(room_id)
            return await form_again(request, viewer, "community/chat/exports.html", problem, room=room, exports=made)
        return redirect(f"/chat/{room_id}/exports", flash=_("It has begun. You get a bell when it is there."))

    @get("/{export_id:int}/file")
    async def fetch(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], export_id: FromPath[int]) -> Stream:
        return await _file(viewer, room_id, export_id)


class ExportApi(Controller):
    path = "/rooms/{room_id:int}/exports"
    tags = ["chat"]

    @post(
        summary="Begin an export of a room",
        status_code=202,
        opt=door(gives=examples.export, scope="write"),
    )
    async def ask(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response[ExportView]:
        """For those who run it. One at a time: asked again, it is the one under way."""
        return Response(_view(await exports.ask(viewer, room_id)), status_code=202)

    @get(
        "/{export_id:int}",
        summary="How far an export has come",
        opt=door(gives=examples.export, scope="read"),
    )
    async def show(
        self, viewer: NamedDependency[Viewer], room_id: FromPath[int], export_id: FromPath[int]
    ) -> ExportView:
        """`url` is there once it is done, for a week: a ZIP of `room.jsonl` and `room.html`. It goes as soon as
        something in it is changed or taken back (`stale`): then begin another one."""
        return _view(await exports.access_export(viewer, room_id, export_id))

    @get("/{export_id:int}/file", include_in_schema=False)
    async def fetch(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], export_id: FromPath[int]) -> Stream:
        return await _file(viewer, room_id, export_id)


async def _file(viewer: Viewer, room_id: int, export_id: int) -> Stream:
    made = await exports.access_export(viewer, room_id, export_id)
    if made["dropped_at"]:
        raise Gone(_("Something in this export was changed or taken back since. Please begin another one."))
    if not made["key"]:
        raise Gone(_("This export is not there. Please begin another one."))
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'attachment; filename="room-{room_id}.zip"',
        "X-Content-Type-Options": "nosniff",
    }
    return Stream(await storage.stream(made["key"]), media_type="application/zip", headers=headers)


def _view(row) -> ExportView:  # type: ignore[no-untyped-def]
    url = f"/api/v1/rooms/{row['room_id']}/exports/{row['id']}/file" if row["key"] else ""
    state = "stale" if row["state"] == "done" and row["dropped_at"] else row["state"]
    return ExportView(str(row["id"]), state, row["done"], row["total"], url, row["asked_at"])
