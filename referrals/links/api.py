from datetime import UTC, datetime

from litestar import Controller, Request, Response, delete, get, patch, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, Gone, Invalid, NotFound
from app.i18n import gettext as _
from app.idempotency import once
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from referrals.links import editing, examples, queries, report, service
from referrals.links.report import PlacedList, Report
from referrals.links.schemas import (
    LinkChange,
    LinkList,
    LinkView,
    ManyLinks,
    NewLink,
    Tried,
    UpsertedLinks,
    WholeLink,
)
from referrals.links.trying import try_out
from referrals.links.views import url_of, view_of

__all__ = ["LinkApi", "PlacementApi", "url_of", "view_of"]


class LinkApi(Controller):
    path = "/links"
    tags = ["earn"]

    @post(
        summary="Share a thing by a link of your own",
        status_code=201,
        opt=door(
            takes=examples.new_link,
            gives=examples.link,
            refuses=(Conflict, NotFound, Gone),
            scope="write",
            once=True,
            also=200,
        ),
    )
    async def share(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[LinkView]:
        """The same target and placement again give the same link, with 200."""
        member_id = require_member(viewer)
        wanted = await json_body(request, NewLink)

        async def make() -> tuple[LinkView, bool]:
            link, is_new = await service.share(viewer, wanted)
            return view_of(link, await queries.place_of(link["id"])), is_new

        view, is_new = await once(request, member_id, tuple[LinkView, bool], make)
        return Response(view, status_code=201 if is_new else 200)

    @get(summary="Your links with their clicks, newest first", opt=door(gives=examples.links, scope="read"))
    async def list_links(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
        q: FromQuery[str] = "",
    ) -> LinkList:
        """`q` finds a piece of the code, the placement, the external id or the address."""
        member_id = require_member(viewer, "read")
        page = await queries.links_of(member_id, cursor=after, limit=limit_of(limit), search=q)
        places = await queries.places_of([link["id"] for link in page.items])
        return LinkList([view_of(link, places.get(link["id"])) for link in page.items], page.next)

    @get("/{code:str}", summary="One of your links", opt=door(gives=examples.link, refuses=(NotFound,), scope="read"))
    async def show(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> LinkView:
        """By its code, or one it was once called by. Without its clicks: those are in its report."""
        link = await queries.access_own_link(require_member(viewer, "read"), code)
        return view_of(link, await queries.place_of(link["id"]))

    @patch(
        "/{code:str}",
        summary="Change a link: its name, where it leads and whom, how long it lives",
        opt=door(takes=examples.change, gives=examples.link, refuses=(NotFound, Conflict, Gone), scope="write"),
    )
    async def change(self, request: Request, viewer: NamedDependency[Viewer], code: FromPath[str]) -> LinkView:
        """Within five seconds it holds everywhere. An old code leads to the link for ever. Lists replace lists."""
        link = await editing.change(viewer, code, await json_body(request, LinkChange))
        return view_of(link, await queries.place_of(link["id"]))

    @delete("/{code:str}", summary="Switch a link off", status_code=204, opt=door(scope="write"))
    async def close(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> None:
        """Within five seconds nobody is redirected by it any more. Its clicks so far keep their worth."""
        await service.close(viewer, code)

    @delete(
        "/{code:str}/closure",
        summary="Switch a link on again, within a week",
        status_code=204,
        opt=door(refuses=(NotFound, Conflict), scope="write"),
    )
    async def reopen(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> None:
        await service.reopen(viewer, code)

    @get(
        "/{code:str}/report",
        summary="What came of a link in the last 90 days",
        opt=door(gives=examples.report, refuses=(NotFound,), scope="read"),
    )
    async def report(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> Report:
        """People, scans of its QR, orders, and both by the side of an A/B split."""
        return await report.report_of(await queries.access_own_link(require_member(viewer, "read"), code))

    @get(
        "/{code:str}/route",
        summary="Where a visitor with this browser would go, and why",
        opt=door(gives=examples.tried, refuses=(NotFound,), scope="read"),
    )
    async def try_route(
        self,
        viewer: NamedDependency[Viewer],
        code: FromPath[str],
        agent: FromQuery[str] = "",
        language: FromQuery[str] = "",
        country: FromQuery[str] = "",
        at: FromQuery[str] = "",
    ) -> Tried:
        """A dry run: nothing is counted. `language` is an Accept-Language, `at` a moment (RFC 3339)."""
        link = await queries.access_own_link(require_member(viewer, "read"), code)
        return try_out(link, agent=agent[:1000], language=language[:200], country=country, at=moment_of(at))

    @put(
        "/ext",
        summary="Make or change up to 100 links by your own ids",
        opt=door(takes=examples.many, gives=examples.upserted, refuses=(Conflict, NotFound, Gone), scope="write"),
    )
    async def upsert_many(self, request: Request, viewer: NamedDependency[Viewer]) -> UpsertedLinks:
        """All or none: a complaint names the link, as `links[3].target`. Sent again it changes nothing."""
        require_member(viewer)
        done = await editing.upsert_many(viewer, (await json_body(request, ManyLinks)).links)
        places = await queries.places_of([link["id"] for link, _new in done])
        created = sum(is_new for _link, is_new in done)
        views = [view_of(link, places.get(link["id"])) for link, _new in done]
        return UpsertedLinks(views, created, len(done) - created)

    @put(
        "/ext/{external_id:str}",
        summary="Make or change a link by your own id",
        opt=door(
            takes=examples.whole, gives=examples.link, refuses=(Conflict, NotFound, Gone), scope="write", also=201
        ),
    )
    async def upsert(
        self, request: Request, viewer: NamedDependency[Viewer], external_id: FromPath[str]
    ) -> Response[LinkView]:
        """201 when it is new, else 200. Without `code` it keeps the one it has; whatever else is left out is plain."""
        require_member(viewer)
        link, is_new = await editing.upsert(viewer, external_id, await json_body(request, WholeLink))
        view = view_of(link, await queries.place_of(link["id"]))
        return Response(view, status_code=201 if is_new else 200)


class PlacementApi(Controller):
    path = "/placements"
    tags = ["earn"]

    @get(summary="Your printed links: clicks, scans, orders and cost", opt=door(gives=examples.placed, scope="read"))
    async def placements(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> PlacedList:
        """`per_order` is what an order that still stands has cost there."""
        page = await report.placements_of(require_member(viewer, "read"), cursor=after, limit=limit_of(limit))
        return PlacedList(page.items, page.next)


def moment_of(given: str) -> datetime:
    """A moment in an address; now when there is none."""
    if not given:
        return clock.now()
    try:
        moment = datetime.fromisoformat(given.replace(" ", "+"))
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("at", _("A moment looks like 2026-12-24T18:00Z.")) from error
