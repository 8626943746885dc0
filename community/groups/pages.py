from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, page, redirect
from community.groups import policy, queries, roles, service
from community.groups.schemas import NewGroupForm, RoleForm
from community.webhooks.queries import count_on


class GroupPages(Controller):
    """The list of groups and the doors into them. What is said inside stands in topics and chat."""

    path = "/g"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        groups = await queries.groups_to_join(viewer, cursor=request.query_params.get("after"))
        return page(request, viewer, "community/groups/index.html", groups=groups)

    @get("/new")
    async def show_new(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, "community/groups/new.html", values={}, problem=None)

    @post("/new")
    async def found(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        await limit("found-group", viewer.member_id, most=20, per=3600)
        try:
            slug = await service.found(viewer, await form(request, NewGroupForm))
        except Problem as problem:
            return await form_again(request, viewer, "community/groups/new.html", problem)
        return redirect(f"/g/{slug}", flash=_("Your group is open."))

    @post("/{slug:str}/membership")
    async def join(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        state = await service.join(viewer, slug)
        said = _("You are in.") if state == "active" else _("You asked to join. A moderator will let you in.")
        return redirect(f"/g/{slug}", flash=said)

    @post("/{slug:str}/membership/end")
    async def leave(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        await service.leave(viewer, slug)
        return redirect("/g/", flash=_("You left the group."))

    @get("/{slug:str}/members")
    async def members(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        group = await policy.access_group_contents(viewer, slug)
        runs_it = policy.may_moderate(viewer, group)
        return page(
            request,
            viewer,
            "community/groups/members.html",
            group=group,
            runs_it=runs_it,
            members=await queries.members_of(group["id"], limit=100),
            told=await count_on("group", group["id"]),
            waiting=await queries.waiting_to_join(group["id"]) if runs_it else [],
        )

    @post("/{slug:str}/members/{member_id:int}/admission")
    async def admit(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], member_id: FromPath[int]
    ) -> Response:
        await service.admit(viewer, slug, member_id)
        return redirect(f"/g/{slug}/members", flash=_("Welcome aboard."))

    @post("/{slug:str}/members/{member_id:int}/role")
    async def give_role(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], member_id: FromPath[int]
    ) -> Response:
        await limit("group-role", require_member(viewer), most=120, per=3600)
        role = (await form(request, RoleForm)).role
        await roles.give(viewer, slug, member_id, role)
        said = _("The group is theirs now. You are one of its moderators.") if role == "owner" else _("Changed.")
        return redirect(f"/g/{slug}/members", flash=said)
