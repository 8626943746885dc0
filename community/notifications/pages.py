from typing import Annotated

import msgspec
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from msgspec import Meta

from app.auth import Viewer, require_member
from app.i18n import gettext as _
from app.web import form, page, redirect, safe_next
from community.notifications import queries, service


class SeenSoFar(msgspec.Struct):
    up_to: Annotated[int, Meta(ge=0, le=2**62)]


class NotificationPages(Controller):
    path = "/notifications"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        shown = await queries.notifications_of(viewer, cursor=request.query_params.get("after"))
        return page(request, viewer, "community/notifications/index.html", notifications=shown)

    @get("/{notification_id:int}")
    async def open(self, request: Request, viewer: NamedDependency[Viewer], notification_id: FromPath[int]) -> Response:
        """A plain link that works everywhere; that it marks the line as read is a side effect of following it."""
        require_member(viewer)
        return redirect(safe_next(await service.open_notification(viewer, notification_id), "/notifications"))

    @post("/read")
    async def read(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await service.read_all(viewer, up_to=(await form(request, SeenSoFar)).up_to)
        return redirect("/notifications", flash=_("All read."))
