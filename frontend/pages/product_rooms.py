"""The room about a product: from its page into the room, and back."""

import msgspec
from litestar import Controller, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import NotFound
from app.i18n import gettext as _
from app.limits import limit
from app.openapi import door
from app.web import redirect
from content.product_rooms import queries, service


class RoomEntered(msgspec.Struct):
    id: str
    """The room's, as everywhere under /rooms."""


entered = RoomEntered("17")


class ProductRoomPages(Controller):
    path = "/p"
    include_in_schema = False

    @post("/{slug:str}/room")
    async def enter(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return redirect(f"/chat/{await _enter(viewer, slug)}")

    @post("/{slug:str}/room/leave")
    async def leave(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await service.leave(viewer, slug)
        return redirect(f"/p/{slug}", flash=_("The chat is no longer among yours."))

    @get("/room/{room_id:int}")
    async def find(self, room_id: FromPath[int]) -> Response:
        """From the room to its product."""
        slug = await queries.slug_of_room(room_id) if room_id < 2**63 else None
        if slug is None:
            raise NotFound()
        return redirect(f"/p/{slug}")


class ProductRoomApi(Controller):
    path = "/products/{slug:str}/room"
    tags = ["chat"]

    @put("/", summary="Enter the chat about a product", opt=door(gives=entered, scope="write"))
    async def enter(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> RoomEntered:
        """The first who enters opens it. Everybody may read along; entering puts it among one's own rooms."""
        return RoomEntered(str(await _enter(viewer, slug)))

    @delete("/", summary="Leave the chat about a product", status_code=204, opt=door(scope="write"))
    async def leave(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        await service.leave(viewer, slug)


async def _enter(viewer: Viewer, slug: str) -> int:
    await limit("enter-product-room", require_member(viewer), most=60, per=3600)
    return await service.enter(viewer, slug)
