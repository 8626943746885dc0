from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.limits import limit
from community.chat import names
from community.chat.schemas import Author

MOST_LOOKED_UP_A_MINUTE = 240


class NamePages(Controller):
    """For <chat-room>, while somebody is being called: it completes the handle."""

    path = "/chat/{room_id:int}/names"
    include_in_schema = False

    @get()
    async def list_names(
        self, viewer: NamedDependency[Viewer], room_id: FromPath[int], part: FromQuery[str] = ""
    ) -> Response[list[Author]]:
        await limit("chat-names", require_member(viewer, "read"), most=MOST_LOOKED_UP_A_MINUTE, per=60)
        found = await names.people_named(viewer, room_id, part[:60])
        return Response(found, headers={"Cache-Control": "private, no-store"})
