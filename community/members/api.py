from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency

from app.auth import Viewer, require_member
from app.limits import limit
from app.openapi import door
from app.web import address_of, json_body
from community.members import examples, queries, service
from community.members.schemas import MemberCard, MemberMade, NewMember


class MemberApi(Controller):
    tags = ["members"]

    @post(
        "/members",
        summary="Sign up",
        status_code=201,
        opt=door(takes=examples.new_member, gives=examples.member_made, refuses=(service.HandleTaken,)),
    )
    async def join(self, request: Request) -> Response[MemberMade]:
        """Open registration. `gv` attributes the sign-up to the click that led to it."""
        await limit("sign-up", address_of(request), most=20, per=3600)
        new = await json_body(request, NewMember)
        member_id = await service.join(new)
        return Response(MemberMade(str(member_id), service.checked_handle(new.handle)), status_code=201)

    @get("/me", summary="The member this token speaks for", opt=door(gives=examples.member_card, scope="read"))
    async def me(self, viewer: NamedDependency[Viewer]) -> MemberCard:
        require_member(viewer, "read")
        row = await queries.member_by_handle(viewer.handle)
        return MemberCard(str(row["id"]), row["handle"], row["name"], row["bio"], queries.avatar_url(row["avatar_key"]))
