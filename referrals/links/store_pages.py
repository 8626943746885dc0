"""Where a store's links may lead, and the short domains they have: the tab "Links" of its programme."""

from typing import Any

from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import address_of, form, form_again, page, redirect
from referrals.links import domains, hosts
from referrals.links.forms import DomainForm, HostForm
from storefront.stores.policy import access_own_store

TAB = "referrals/links/store.html"


class StoreLinkPages(Controller):
    path = "/admin/programs/{slug:str}/links"
    include_in_schema = False

    @get()
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        return page(request, viewer, TAB, values={}, problem=None, asked="", **await _about(viewer, slug))

    @post("/hosts")
    async def allow(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        about = await _about(viewer, slug)
        try:
            await hosts.allow(viewer, slug, (await form(request, HostForm)).host)
        except Problem as problem:
            return await form_again(request, viewer, TAB, problem, asked="hosts", **about)
        return redirect(_address(slug), flash=_("Links may lead there now."))

    @post("/hosts/{host:str}/removal")
    async def forbid(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> Response:
        await hosts.forbid(viewer, slug, host)
        return redirect(_address(slug), flash=_("No link leads there any more."))

    @post("/domains")
    async def add(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        about = await _about(viewer, slug)
        try:
            await domains.add(viewer, slug, (await form(request, DomainForm)).domain)
        except Problem as problem:
            return await form_again(request, viewer, TAB, problem, asked="domains", **about)
        return redirect(_address(slug), flash=_("Now set its TXT record. It is looked for every ten minutes."))

    @post("/domains/{host:str}/look")
    async def look(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> Response:
        await domains.ask_again(viewer, slug, host)
        return redirect(_address(slug), flash=_("We look once more; reload in a few seconds."))

    @post("/domains/{host:str}/use")
    async def use(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> Response:
        await domains.use(viewer, slug, host)
        return redirect(_address(slug), flash=_("All links of the store have this domain now."))

    @post("/domains/{host:str}/block")
    async def swap(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> Response:
        now = await domains.swap(viewer, slug, host)
        if now:
            return redirect(_address(slug), flash=_("All links have %(host)s now.", host=now))
        return redirect(_address(slug), flash=_("No other domain is proven: the links have this community's address."))

    @post("/domains/{host:str}/removal")
    async def remove(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> Response:
        await domains.remove(viewer, slug, host)
        return redirect(_address(slug), flash=_("The domain is gone."))


@get("/.well-known/grapevine-domain", include_in_schema=False)
async def domain_may_have_a_certificate(request: Request) -> Response[str]:
    """A proxy in front asks this before it gets a certificate for a host (`on_demand_tls`): 200 for a proven one."""
    await limit("domain-ask", address_of(request), most=600, per=60)
    await domains.refresh()
    if domains.store_behind(request.query_params.get("domain", "")[:253].lower()) is None:
        raise NotFound()
    return Response("yes", media_type="text/plain")


async def _about(viewer: Viewer, slug: str) -> dict[str, Any]:
    store = await access_own_store(viewer, slug)
    found = await domains.domains_of(store["id"])
    return {
        "store": store,
        "hosts": await hosts.hosts_of(store["id"]),
        "domains": [(domain, domains.is_proven(domain), domains.txt_name(domain["host"])) for domain in found],
    }


def _address(slug: str) -> str:
    return f"/admin/programs/{slug}/links"
