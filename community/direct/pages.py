import re
import uuid
from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.chat.schemas import LONGEST_MESSAGE
from community.direct import blocking, policy, queries, requests, service
from community.direct.api import MOST_A_MINUTE
from community.direct.policy import Standing
from community.direct.schemas import MOST_IN_A_CIRCLE, AnswerForm, DirectForm
from community.privacy.queries import face_of

NEW = "community/direct/new.html"


class DirectPages(Controller):
    """Writing to somebody for the first time, and the box of those who ask to write to one."""

    path = "/chat"
    include_in_schema = False

    @get("/new")
    async def show_new(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await limit("direct-whom", require_member(viewer), most=MOST_A_MINUTE, per=60)
        to = request.query_params.get("to", "")[:400]
        problem: Problem | None = None
        others: list[Standing] = []
        try:
            others = await policy.standings(viewer, _handles(to)) if to else []
        except Invalid as wrong:
            problem = wrong
        if len(others) == 1 and others[0].room_id and await _is_theirs(viewer, others[0].room_id):
            return redirect(f"/chat/{others[0].room_id}#latest", status=302)
        # A name or the beginning of a handle finds whom one may mean.
        meant = await queries.people_called(viewer, _handles(to)[-1]) if problem else []
        status = 422 if problem else 200
        sheet = _sheet(others) | {"meant": meant}
        return page(request, viewer, NEW, status=status, values={"to": to}, problem=problem, **sheet)

    @post("/new")
    async def begin(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        await limit("direct", require_member(viewer), most=MOST_A_MINUTE, per=60)
        others: list[Standing] = []
        try:
            new = await form(request, DirectForm)
            others = await policy.standings(viewer, _handles(new.to))
            begun = await service.begin(viewer, _handles(new.to), new.client_id, new.body, new.name)
        except Problem as problem:
            return await form_again(request, viewer, NEW, problem, **_sheet(others))
        said = _("Sent. They answer first, before you can say more.") if begun.waits else ""
        return redirect(f"/chat/{begun.room}#message-{begun.id}", flash=said)

    @get("/requests")
    async def list_requests(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        found = await requests.requests_to(viewer, cursor=request.query_params.get("after"))
        return page(request, viewer, "community/direct/requests.html", requests=found, face_of=face_of)

    @post("/{room_id:int}/request")
    async def answer(self, request: Request, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        require_member(viewer)
        match (await form(request, AnswerForm)).answer:
            case "accept":
                await requests.accept(viewer, room_id)
                return redirect(f"/chat/{room_id}#latest")
            case "decline":
                await requests.decline(viewer, room_id)
                return redirect("/chat/requests", flash=_("Declined. They are not told."))
            case _:
                await blocking.block(viewer, await service.partner_in(viewer, room_id))
                return redirect("/chat/requests", flash=_("Blocked. They are not told."))

    @post("/{room_id:int}/place/end")
    async def leave(self, viewer: NamedDependency[Viewer], room_id: FromPath[int]) -> Response:
        await service.leave(viewer, room_id)
        return redirect("/chat/", flash=_("You left the circle."))


async def _is_theirs(viewer: Viewer, room_id: int) -> bool:
    try:
        await policy.access_place(viewer, room_id)
    except NotFound:
        return False
    return True


def _handles(to: str) -> list[str]:
    return re.split(r"[\s,、\uff0c;]+", to.strip())[:MOST_IN_A_CIRCLE]


def _sheet(others: list[Standing]) -> dict[str, Any]:
    """What the page of first words shows of those it goes to."""
    return {
        "others": others,
        "meant": [],
        "closed": [other for other in others if other.way == "no"],
        "asked": [other for other in others if other.way == "ask"],
        "client_id": uuid.uuid4(),
        "longest": LONGEST_MESSAGE,
        "most": MOST_IN_A_CIRCLE - 1,
    }
