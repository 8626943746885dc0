from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import clock
from app.auth import Viewer, require_member
from app.web import page
from referrals.programs.queries import stores_run_by, version_at
from storefront.stores.policy import access_own_store


class ProgramPages(Controller):
    """What a store's owner sees of its programme; the other tabs stand with what they show."""

    path = "/admin/programs"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = None if viewer.is_admin else require_member(viewer)
        return page(request, viewer, "referrals/programs/index.html", stores=await stores_run_by(member_id))

    @get("/{slug:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        store = await access_own_store(viewer, slug)
        rules = await version_at(store["id"], clock.now())
        return page(request, viewer, "referrals/programs/show.html", store=store, rules=rules)
