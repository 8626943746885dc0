"""Buying guides: read with live prices and ratings, written as Markdown without JavaScript."""

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, Invalid, Problem
from app.i18n import gettext as _
from app.idempotency import once
from app.limits import limit
from app.text import slugify
from app.web import form, form_again, page, redirect
from content.guides import drafts, policy, queries, service
from content.guides.schemas import DraftForm, GuideForm, Heading, NewGuide, Pick
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
        """An empty form, or a draft of one's own to go on with."""
        require_member(viewer)
        draft = await _draft(viewer, request.query_params.get("draft", ""))
        shown = {name: draft[name] for name in ("title", "summary", "lang", "source")} if draft else {}
        return page(request, viewer, FORM, guide=None, draft=draft, values=shown, problem=None)

    @post("/new")
    async def publish(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        member_id = require_member(viewer)
        await limit("write-guide", member_id, most=60, per=3600)
        draft = await _draft(viewer, str((await request.form()).get("draft", "")))
        kept_id = draft["id"] if draft else None
        try:
            given = await form(request, DraftForm)
            if given.keep:
                draft_id = await once(request, member_id, int, lambda: drafts.keep(viewer, given, draft_id=kept_id))
                return redirect(f"/guides/new?draft={draft_id}", flash=_("Kept as a draft. Only you see it."))
            new = await service.from_source(given.title, given.summary, given.lang, given.source)
            slug = await once(request, member_id, str, lambda: _publish(viewer, new, draft))
        except Problem as problem:
            return await form_again(request, viewer, FORM, problem, guide=None, draft=draft)
        return redirect(f"/guides/{slug}", flash=_("Your guide is published."))

    @get("/drafts")
    async def show_drafts(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        return page(request, viewer, "content/guides/drafts.html", drafts=await drafts.drafts_of(viewer))

    @post("/drafts/{draft_id:int}/discard")
    async def discard_draft(
        self, request: Request, viewer: NamedDependency[Viewer], draft_id: FromPath[int]
    ) -> Response:
        await drafts.discard(viewer, draft_id)
        return redirect("/guides/drafts", flash=_("The draft is discarded."))

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
        return page(request, viewer, FORM, guide=guide, draft=None, values=values, problem=None)

    @post("/{slug:str}/edit")
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        guide = await _own(viewer, slug)
        await limit("write-guide", viewer.member_id, most=60, per=3600)
        try:
            await service.edit_guide(viewer, slug, await _typed(request))
        except Invalid as problem:
            return await form_again(request, viewer, FORM, problem, guide=guide, draft=None)
        return redirect(f"/guides/{slug}", flash=_("Your guide is changed."))


async def _own(viewer: Viewer, slug: str) -> asyncpg.Record:
    require_member(viewer)
    guide = await policy.access_guide(viewer, slug)
    if not policy.may_edit(viewer, guide):
        raise Forbidden(_("Only its author can change a guide."))
    return guide


async def _draft(viewer: Viewer, name: str) -> asyncpg.Record | None:
    return await drafts.access_own(viewer, int(name)) if name.isdecimal() and len(name) < 19 else None


async def _publish(viewer: Viewer, new: NewGuide, draft: asyncpg.Record | None) -> str:
    """The draft goes in the commit that publishes it."""
    async with db.transaction():
        slug = await service.publish_guide(viewer, new)
        if draft:
            await drafts.discard(viewer, draft["id"])
    return slug


async def _typed(request: Request) -> NewGuide:
    given = await form(request, GuideForm)
    return await service.from_source(given.title, given.summary, given.lang, given.source)
