from pathlib import Path

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.openapi import door
from community.media import examples, service, storage
from community.media.pictures import MOST_BYTES, too_large
from community.media.schemas import UploadView

# A little more than the picture itself, for what a form adds around it.
MOST_BODY_BYTES = MOST_BYTES + 64 * 1024
FOR_EVER = "public, max-age=31536000, immutable"


class MediaApi(Controller):
    tags = ["media"]

    @post(
        "/uploads",
        summary="Bring in a picture",
        status_code=201,
        request_max_body_size=MOST_BODY_BYTES,
        opt=door(file="file", gives=examples.upload, scope="write"),
    )
    async def upload(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[UploadView]:
        """Multipart, field `file`: PNG, JPEG, WebP, AVIF or GIF up to 10 MB. It is re-encoded; what it knew of its
        maker (place, camera, name) is gone."""
        member_id = require_member(viewer)
        await limit("upload", member_id, most=60, per=3600)
        return Response(await service.keep_picture(viewer, await picture_of(request, "file")), status_code=201)


@get("/media/{key:path}", include_in_schema=False)
async def show_media(key: FromPath[Path]) -> Response[bytes]:
    """A kept picture. Nobody's words run here: whatever the bytes say, the browser sees an image in a sandbox."""
    name = str(key).lstrip("/")
    if name.startswith(storage.PRIVATE):
        raise NotFound()
    content = await storage.get(name)
    return Response(
        content,
        media_type=storage.media_type_of(name),
        headers={
            "Cache-Control": FOR_EVER,
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "Content-Disposition": "inline",
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )


async def picture_of(request: Request, field: str) -> bytes:
    """The file of a multipart form, bounded; Invalid when there is none, or two."""
    given = [one for one in (await request.form()).getall(field, []) if isinstance(one, UploadFile)]
    if len(given) > 1:
        raise Invalid(field, _("This field was sent more than once."))
    if not given:
        raise Invalid(field, _("Please choose a picture."))
    content = await given[0].read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise too_large()
    return content
