"""Buying guides: read with live prices and ratings, written as Markdown without JavaScript."""

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import Forbidden, Invalid
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.text import slugify
from app.web import form, form_again, page, redirect
from content.guides import policy, queries, service
from content.guides.schemas import GuideForm, Heading, NewGuide, Pick
from content.guides.source import source_of
from content.reviews.shelf import products_by_ids
from frontend.pages.disclosure import terms_of
from frontend.pages.structured import guide_ld

FORM = "content/guides/write.html"


class GuidePages(Controller):
    path = "/guides"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        guides = await queries.newest_guides(cursor=request.query_params.get("after"))
        return page(request, viewer, "content/guides/index.html", guides=guides, made_from=guides)

    @get("/new")
    async def show_new(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        require_member(viewer)
        return page(request, viewer, FORM, guide=None, values={}, problem=None)

    @post("/new")
    async def publish(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        await limit("write-guide", member_id, most=20, per=3600)
        try:
            new = await _typed(request)
            slug = await once(request, member_id, str, lambda: service.publish_guide(viewer, new))
        except Invalid as problem:
            return await form_again(request, viewer, FORM, problem, guide=None)
        return redirect(f"/guides/{slug}", flash=_("Your guide is published."))

    @get("/{slug:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """Three queries, however many products it speaks of."""
        guide = await policy.access_guide(viewer, slug)
        blocks = service.blocks_in(guide)
        products = await products_by_ids([int(block.product) for block in blocks if isinstance(block, Pick)])
        stores = {row["store_id"] for row in products.values()}
        terms = await terms_of(stores, [guide["author_id"]], product_ids=list(products), guide_id=guide["id"])
        return page(
            request,
            viewer,
            "content/guides/show.html",
            made_from=(guide, list(products.values()), terms.facts),
            guide=guide,
            blocks=blocks,
            contents=[(slugify(block.text), block.text) for block in blocks if isinstance(block, Heading)],
            anchor=slugify,
            products=products,
            terms=terms,
            json_ld=guide_ld(guide),
        )

    @get("/{slug:str}/edit")
    async def show_edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        guide = await _own(viewer, slug)
        blocks = service.blocks_in(guide)
        products = await products_by_ids([int(block.product) for block in blocks if isinstance(block, Pick)])
        source = source_of(blocks, {str(key): row["slug"] for key, row in products.items()})
        values = {"title": guide["title"], "summary": guide["summary"], "lang": guide["lang"], "source": source}
        return page(request, viewer, FORM, guide=guide, values=values, problem=None)

    @post("/{slug:str}/edit")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        guide = await _own(viewer, slug)
        await limit("write-guide", viewer.member_id, most=60, per=3600)
        try:
            await service.edit_guide(viewer, slug, await _typed(request))
        except Invalid as problem:
            return await form_again(request, viewer, FORM, problem, guide=guide)
        return redirect(f"/guides/{slug}", flash=_("Your guide is changed."))


async def _own(viewer: Viewer, slug: str) -> asyncpg.Record:
    require_member(viewer)
    guide = await policy.access_guide(viewer, slug)
    if not policy.may_edit(viewer, guide):
        raise Forbidden(_("Only its author can change a guide."))
    return guide


async def _typed(request: Request) -> NewGuide:
    given = await form(request, GuideForm)
    return await service.from_source(given.title, given.summary, given.lang, given.source)
