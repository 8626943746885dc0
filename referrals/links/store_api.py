import asyncpg
from litestar import Controller, delete, get, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, NotFound
from app.openapi import door
from referrals.links import domains, examples, hosts
from referrals.links.schemas import DomainList, DomainView, HostList, HostView
from storefront.stores.policy import access_own_store

REFUSES = (Conflict, Forbidden, NotFound)


class StoreLinkApi(Controller):
    """Where a store's links may lead, and the short domains they have."""

    path = "/stores/{slug:str}"
    tags = ["earn"]

    @get(
        "/hosts",
        summary="Further hosts that links may lead to",
        opt=door(gives=examples.hosts, refuses=REFUSES, scope="read"),
    )
    async def hosts(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> HostList:
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        return HostList([HostView(host) for host in await hosts.hosts_of(store["id"])])

    @put(
        "/hosts/{host:str}",
        summary="Vouch for a further host",
        opt=door(gives=examples.host, refuses=REFUSES, scope="write"),
    )
    async def allow(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> HostView:
        require_member(viewer)
        return HostView(await hosts.allow(viewer, slug, host))

    @delete(
        "/hosts/{host:str}",
        summary="No longer vouch for a host",
        status_code=204,
        opt=door(refuses=REFUSES, scope="write"),
    )
    async def forbid(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> None:
        """Links that lead there are switched off."""
        require_member(viewer)
        await hosts.forbid(viewer, slug, host)

    @get("/domains", summary="A store's short domains", opt=door(gives=examples.domains, refuses=REFUSES, scope="read"))
    async def domains(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> DomainList:
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        return DomainList([view_of(domain) for domain in await domains.domains_of(store["id"])])

    @put(
        "/domains/{host:str}",
        summary="Add a short domain",
        opt=door(gives=examples.domain, refuses=REFUSES, scope="write"),
    )
    async def add(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> DomainView:
        """It serves once the TXT record in the answer is found; that is looked for at once and every ten minutes."""
        require_member(viewer)
        return view_of(await domains.add(viewer, slug, host))

    @put(
        "/domains/{host:str}/use",
        summary="Give the store's links this domain",
        status_code=204,
        opt=door(refuses=REFUSES, scope="write"),
    )
    async def use(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> None:
        require_member(viewer)
        await domains.use(viewer, slug, host)

    @put(
        "/domains/{host:str}/block",
        summary="Say that an app blocks a domain: the next one takes its place",
        status_code=204,
        opt=door(refuses=REFUSES, scope="write"),
    )
    async def swap(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> None:
        require_member(viewer)
        await domains.swap(viewer, slug, host)

    @delete(
        "/domains/{host:str}",
        summary="Remove a short domain",
        status_code=204,
        opt=door(refuses=REFUSES, scope="write"),
    )
    async def remove(self, viewer: NamedDependency[Viewer], slug: FromPath[str], host: FromPath[str]) -> None:
        require_member(viewer)
        await domains.remove(viewer, slug, host)


def view_of(domain: asyncpg.Record) -> DomainView:
    return DomainView(
        host=domain["host"],
        txt_name=domains.txt_name(domain["host"]),
        txt_value=domain["proof"],
        proven=domains.is_proven(domain),
        in_use=domain["in_use_at"] is not None,
        blocked=domain["blocked_at"] is not None,
        problem=domain["answer"],
    )
