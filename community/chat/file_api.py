"""Doors to the pictures and files of rooms: the same bytes by cookie on pages, by token in the API."""

from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from app.openapi import door
from community.chat import examples, files
from community.chat.parts import ChatFileView

# A little more than the file itself, for what a form adds around it.
MOST_BODY_BYTES = files.MOST_BYTES + 64 * 1024


class FileApi(Controller):
    path = "/rooms/{room_id:int}/files"
    tags = ["chat"]

    @post(
        summary="Bring a picture or file into a room",
        status_code=201,
        request_max_body_size=MOST_BODY_BYTES,
        opt=door(file="file", gives=examples.file, scope="write"),
    )
    async def bring(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]
    ) -> Response[ChatFileView]:
        """Multipart, field `file`, up to 20 MB. Pictures (10 MB) are re-encoded and lose what they knew of their maker.
        Name its id in the `files` of a message within a day; until then nobody else sees it."""
        await files.let_in(viewer, room_id)
        given = await files.given_in(request, "file")
        if len(given) != 1:
            raise Invalid("file", _("One file at a time, please."))
        return Response(await files.keep(viewer, room_id, *given[0]), status_code=201)

    @get("/{file_id:int}", include_in_schema=False)
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], file_id: FromPath[int]
    ) -> Response[bytes]:
        return await file_answer(request, viewer, room_id, file_id)

    @delete("/{file_id:int}", summary="Take back a file that was not sent", status_code=204, opt=door(scope="write"))
    async def withdraw(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], file_id: FromPath[int]) -> None:
        """What a message holds goes with the message."""
        await files.withdraw(viewer, room_id, file_id)


class FilePages(Controller):
    """The same for pages, by the session cookie; <chat-room> brings files in here."""

    path = "/chat/{room_id:int}/files"
    include_in_schema = False

    @post(request_max_body_size=MOST_BODY_BYTES)
    async def bring(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]
    ) -> Response[ChatFileView]:
        await files.let_in(viewer, room_id)
        given = await files.given_in(request, "file")
        if len(given) != 1:
            raise Invalid("file", _("One file at a time, please."))
        return Response(await files.keep(viewer, room_id, *given[0]), status_code=201)

    @get("/{file_id:int}")
    async def show(
        self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int], file_id: FromPath[int]
    ) -> Response[bytes]:
        return await file_answer(request, viewer, room_id, file_id)

    @post("/{file_id:int}/delete", status_code=204)
    async def withdraw(self, viewer: NamedDependency[Viewer], room_id: FromPath[int], file_id: FromPath[int]) -> None:
        await files.withdraw(viewer, room_id, file_id)


async def file_answer(request: Request, viewer: Viewer, room_id: int, file_id: int) -> Response[bytes]:
    """The bytes, for who may read the room at this moment. A browser may keep them, but asks each time whether it
    still may show them."""
    file = await files.access_file(viewer, room_id, file_id)
    small = request.query_params.get("size") == "small"
    headers = {
        "Cache-Control": "private, no-cache",
        "ETag": f'"{file_id}{"s" if small else ""}"',
        "Content-Disposition": files.disposition(file),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(b"", status_code=304, headers=headers)
    content = await files.content_of(file, small=small)
    return Response(content, media_type=file["media_type"], headers=headers)
