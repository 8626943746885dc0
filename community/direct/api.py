import asyncpg
from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.limits import limit as allow
from app.openapi import door
from app.paging import Page, limit_of
from app.text import excerpt
from app.web import json_body
from community.chat.schemas import Author
from community.direct import blocking, examples, requests, service
from community.direct.schemas import AnswerBody, Begun, NewDirect, RequestLine
from community.members.queries import avatar_url
from community.privacy import queries as privacy
from community.privacy.schemas import Blocked, PrivacyView

MOST_A_MINUTE = 120


class DirectApi(Controller):
    """Direct messages: the first words, requests, blocks, and who may write to one."""

    tags = ["chat"]

    @post(
        "/direct",
        summary="Write to a member, or to a few",
        status_code=201,
        opt=door(takes=examples.new_direct, gives=examples.begun, refuses=(Conflict, Forbidden), scope="write"),
    )
    async def begin(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[Begun]:
        """Where they have talked before, it goes on in the same room. Who is not known to them `waits`: they answer
        first, and nothing more can be said until then. The same `client_id` again says nothing twice."""
        await allow("direct", require_member(viewer), most=MOST_A_MINUTE, per=60)
        new = await json_body(request, NewDirect)
        return Response(await service.begin(viewer, new.to, new.client_id, new.body, new.name), status_code=201)

    @delete(
        "/circles/{circle_id:int}/place",
        summary="Leave a circle",
        status_code=204,
        opt=door(refuses=(Conflict,), scope="write"),
    )
    async def leave(self, viewer: NamedDependency[Viewer], circle_id: FromPath[int]) -> None:
        """For good. The id is that of its room."""
        await service.leave(viewer, circle_id)

    @get("/requests", summary="Who asks to talk", opt=door(gives=examples.requests, scope="read"))
    async def list_requests(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[RequestLine]:
        found = await requests.requests_to(viewer, cursor=after, limit=limit_of(limit))
        return Page([_line(row) for row in found.items], found.next)

    @put(
        "/requests/{request_id:int}",
        summary="Accept or decline a request",
        status_code=204,
        opt=door(takes=examples.answer, scope="write"),
    )
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], request_id: FromPath[int]) -> None:
        """The id is that of its room. Who is declined is not told."""
        answer = (await json_body(request, AnswerBody)).answer
        await (requests.accept if answer == "accept" else requests.decline)(viewer, request_id)

    @get("/me/privacy", summary="Who may write to one, and see one", opt=door(gives=examples.privacy, scope="read"))
    async def show_privacy(self, viewer: NamedDependency[Viewer]) -> PrivacyView:
        return await privacy.privacy_of(require_member(viewer, "read"))

    @put(
        "/me/privacy",
        summary="Say who may write to one, and see one",
        opt=door(takes=examples.privacy, gives=examples.privacy, scope="write"),
    )
    async def change_privacy(self, request: Request, viewer: NamedDependency[Viewer]) -> PrivacyView:
        """`may_write`: everyone, who is in one of your groups, or nobody; who talks to you already goes on.
        `is_hidden`: nobody sees that you are here. `hides_reading`: where two talk alone, neither sees how far the
        other has read."""
        require_member(viewer)
        wanted = await json_body(request, PrivacyView)
        await blocking.change_privacy(viewer, wanted)
        return wanted

    @get("/blocks", summary="Whom one has blocked", opt=door(gives=examples.blocked, scope="read"))
    async def list_blocks(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> Page[Blocked]:
        found = await privacy.blocked_by(viewer, cursor=after, limit=limit_of(limit, 50))
        return Page(
            [Blocked(str(row["id"]), row["handle"], row["name"], row["since"]) for row in found.items], found.next
        )

    @put("/blocks/{handle:str}", summary="Block a member", status_code=204, opt=door(scope="write"))
    async def block(self, viewer: NamedDependency[Viewer], handle: FromPath[str]) -> None:
        """Neither writes to, calls or sees the other. They are not told; the room of the two can still be read."""
        await allow("block", require_member(viewer), most=MOST_A_MINUTE, per=60)
        await blocking.block(viewer, handle)

    @delete("/blocks/{handle:str}", summary="Take a block back", status_code=204, opt=door(scope="write"))
    async def unblock(self, viewer: NamedDependency[Viewer], handle: FromPath[str]) -> None:
        await blocking.unblock(viewer, handle)


def _line(row: asyncpg.Record) -> RequestLine:
    by = Author(str(row["id"]), row["handle"], row["name"], avatar_url(row["avatar_key"]))
    text = excerpt(row["body"], 500)
    return RequestLine(str(row["room_id"]), by, text, str(row["message_id"]), row["created_at"])
