from litestar import Controller, Request, Response, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.web import json_body
from community.groups import examples, policy, roles, service
from community.groups.schemas import GivenRole, GroupView, NewGroup


class GroupApi(Controller):
    path = "/groups"
    tags = ["groups"]

    @post(
        summary="Start a group",
        status_code=201,
        opt=door(takes=examples.new_group, gives=examples.group, refuses=(Conflict,), scope="write", once=True),
    )
    async def found(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[GroupView]:
        """The founder owns the group; its chat room opens with it. Takes an Idempotency-Key."""
        member_id = require_member(viewer)
        await limit("found-group", member_id, most=20, per=3600)
        new = await json_body(request, NewGroup)
        slug = await once(request, member_id, str, lambda: service.found(viewer, new))
        return Response(await _view(viewer, slug), status_code=201)

    @get("/{slug:str}", summary="A group and the viewer's place in it", opt=door(gives=examples.group))
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> GroupView:
        return await _view(viewer, slug)

    @put(
        "/{slug:str}/membership",
        summary="Join, or ask to join a closed group",
        opt=door(gives=examples.group, scope="write"),
    )
    async def join(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> GroupView:
        await service.join(viewer, slug)
        return await _view(viewer, slug)

    @delete("/{slug:str}/membership", summary="Leave a group", status_code=204, opt=door(scope="write"))
    async def leave(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> None:
        await service.leave(viewer, slug)

    @put(
        "/{slug:str}/members/{member_id:int}/role",
        summary="Say who runs a group",
        status_code=204,
        opt=door(takes=examples.given_role, refuses=(Forbidden, Conflict), scope="write"),
    )
    async def give_role(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], member_id: FromPath[int]
    ) -> None:
        """By its owner. Making somebody else `owner` hands the group over; one stays its moderator."""
        await limit("group-role", require_member(viewer), most=120, per=3600)
        await roles.give(viewer, slug, member_id, (await json_body(request, GivenRole)).role)


async def _view(viewer: Viewer, slug: str) -> GroupView:
    group = await policy.access_group(viewer, slug)
    room_id = await db.fetch_val("SELECT id FROM room WHERE group_id = $1 AND kind = 'group'", group["id"])
    return GroupView(
        id=str(group["id"]),
        slug=group["slug"],
        name=group["name"],
        description=group["description"],
        visibility=group["visibility"],
        member_count=group["member_count"],
        topic_count=group["topic_count"],
        room_id=str(room_id) if room_id and policy.can_read(group) else None,
        membership=group["membership"],
        url=f"/g/{group['slug']}",
    )
