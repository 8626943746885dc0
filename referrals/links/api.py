import asyncpg
from litestar import Controller, Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer, require_member
from app.errors import Conflict, Gone, NotFound
from app.i18n import gettext as _
from app.idempotency import once
from app.openapi import door
from app.paging import limit_of
from app.settings import settings
from app.web import json_body
from referrals.links import examples, queries, service
from referrals.links.schemas import LinkList, LinkView, NewLink


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
            return view_of(link), is_new

        view, is_new = await once(request, member_id, tuple[LinkView, bool], make)
        return Response(view, status_code=201 if is_new else 200)

    @get(summary="Your links with their clicks, newest first", opt=door(gives=examples.links, scope="read"))
    async def list_links(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> LinkList:
        page = await queries.links_of(require_member(viewer, "read"), cursor=after, limit=limit_of(limit))
        return LinkList([view_of(link) for link in page.items], page.next)

    @delete("/{code:str}", summary="Switch a link off", status_code=204, opt=door(scope="write"))
    async def close(self, viewer: NamedDependency[Viewer], code: FromPath[str]) -> None:
        """Within five seconds nobody is redirected by it any more. Its clicks so far keep their worth."""
        await service.close(viewer, code)


def url_of(code: str) -> str:
    return f"{settings().base_url}/r/{code}"


def view_of(link: asyncpg.Record) -> LinkView:
    counted = link.get("clicks") is not None
    return LinkView(
        code=link["code"],
        url=url_of(link["code"]),
        qr_svg_url=url_of(link["code"]) + "/qr.svg",
        target=link["target_kind"] + (f":{link['target_id']}" if link["target_id"] is not None else ""),
        destination=link["destination"],
        placement=link["placement"],
        disclosure=_("I may earn from this link."),
        clicks=link["clicks"] if counted else 0,
        bots=link["bots"] if counted else 0,
        created_at=link["created_at"].isoformat(),
        disabled=link["disabled_at"] is not None,
    )
