from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.auth import Viewer
from app.errors import Invalid, TooMany
from app.i18n import gettext as _
from app.openapi import door
from app.paging import limit_of
from search import examples
from search.engine import KINDS
from search.pace import not_too_often
from search.schemas import SearchAnswer
from search.service import search


class SearchApi(Controller):
    tags = ["search"]

    @get(
        "/search",
        summary="Search everything the token's member may read",
        opt=door(gives=examples.answer, refuses=(Invalid, TooMany)),
    )
    async def search(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        q: FromQuery[str] = "",
        kind: FromQuery[str | None] = None,
        group: FromQuery[str | None] = None,
        product: FromQuery[str | None] = None,
        room: FromQuery[str | None] = None,
        sort: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> SearchAnswer:
        """`q` up to 200 characters; `kind` is group, topic, product, review, guide, live or message; `group` and
        `product` are slugs, `room` is an id. What was said in rooms is found by `kind=message` or `room=` only: what
        fits best first, or with `sort=new` the newest; nothing of whom the token's member blocked.
        `after` is the `next` of the page before. The last word may be half typed."""
        await not_too_often(request, viewer)
        if kind and kind not in (*KINDS, "message"):
            raise Invalid("kind", _("The kinds are %(kinds)s.", kinds=", ".join((*KINDS, "message"))))
        if sort not in (None, "", "best", "new"):
            raise Invalid("sort", _("Sort by `best` or `new`."))
        return await search(
            viewer,
            q,
            kind=kind or None,
            group=group,
            product=product,
            room=room,
            newest=sort == "new",
            cursor=after,
            limit=limit_of(limit),
        )
