from litestar import Controller, Request, get
from litestar.di import NamedDependency

from app import paging
from app.auth import Viewer
from app.errors import Invalid
from app.i18n import gettext as _
from search.asking import asked, not_too_often
from search.engine import KINDS
from search.schemas import SearchAnswer
from search.service import search


class SearchApi(Controller):
    tags = ["search"]

    @get("/search", summary="Search everything the token's member may read")
    async def search(self, request: Request, viewer: NamedDependency[Viewer]) -> SearchAnswer:
        """`q` up to 200 characters; `kind` is group, topic, product, review or guide; `group` and `product` are slugs;
        `after` is the `next` of the page before. The last word may be half typed."""
        await not_too_often(request, viewer)
        kind = asked(request, "kind")
        if kind and kind not in KINDS:
            raise Invalid("kind", _("The kinds are %(kinds)s.", kinds=", ".join(KINDS)))
        limit = asked(request, "limit")
        return await search(
            viewer,
            asked(request, "q") or "",
            kind=kind,
            group=asked(request, "group"),
            product=asked(request, "product"),
            cursor=asked(request, "after") or asked(request, "cursor"),
            limit=paging.limit_of(int(limit) if limit and limit.isdecimal() and len(limit) < 6 else None),
        )
