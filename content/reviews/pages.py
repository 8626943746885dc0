from typing import Any

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer, require_member
from app.errors import NotFound, Problem
from app.i18n import gettext as _
from app.limits import limit
from app.web import form, form_again, fragment, is_htmx, page, redirect
from community.media.api import MOST_BODY_BYTES, picture_of
from community.media.service import keep_picture
from content.reviews import policy, queries, service, shelf
from content.reviews.queries import review_url
from content.reviews.schemas import ReplyForm, ReviewForm

FORM = "content/reviews/write.html"


class ReviewPages(Controller):
    """Writing, editing and answering reviews, without JavaScript. They are read on the product's page."""

    include_in_schema = False

    @get("/p/{slug:str}/review")
    async def show_form(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """An empty form, or the member's review of this product to edit."""
        require_member(viewer)
        product = await shelf.product_page(viewer, slug)
        mine = await queries.own_review(viewer, product["id"])
        values = {"rating": mine["rating"], "title": mine["title"], "body": mine["body"]} if mine else {}
        own_id = mine["id"] if mine else None
        photos = (mine["photos"] or []) if mine else []
        return page(request, viewer, FORM, own_id=own_id, values=values, photos=photos, problem=None, **_card(product))

    @post("/p/{slug:str}/review", request_max_body_size=MOST_BODY_BYTES)
    async def write(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        require_member(viewer)
        await limit("write-review", viewer.member_id, most=60, per=3600)
        try:
            review_id = await service.write(viewer, slug, await _typed(request, viewer))
        except NotFound:
            raise
        except Problem as problem:
            own_id = problem.review_id if isinstance(problem, service.AlreadyReviewed) else None
            product = await shelf.product_page(viewer, slug)
            return await form_again(request, viewer, FORM, problem, own_id=own_id, photos=[], **_card(product))
        return redirect(review_url(slug, review_id), flash=_("Your review is published."))

    @post("/reviews/{review_id:int}", request_max_body_size=MOST_BODY_BYTES)
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Response:
        require_member(viewer)
        await limit("write-review", viewer.member_id, most=60, per=3600)
        try:
            review = await service.edit(viewer, review_id, await _typed(request, viewer))
        except Problem as problem:
            if not problem.fields:
                raise
            review = await policy.access_review(viewer, review_id)
            product = await shelf.product_page(viewer, review["product_slug"])
            shown = await queries.review(viewer, review_id)
            photos = (shown["photos"] or []) if shown else []
            return await form_again(request, viewer, FORM, problem, own_id=review_id, photos=photos, **_card(product))
        return redirect(review_url(review["product_slug"], review_id), flash=_("Your review is changed."))

    @post("/reviews/{review_id:int}/vote")
    async def vote(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Response:
        await service.vote(viewer, review_id)
        return await _voted(request, viewer, review_id)

    @post("/reviews/{review_id:int}/vote/end")
    async def unvote(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Response:
        await service.unvote(viewer, review_id)
        return await _voted(request, viewer, review_id)

    @post("/reviews/{review_id:int}/reply")
    async def reply(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Response:
        require_member(viewer)
        await limit("answer-review", viewer.member_id, most=120, per=3600)
        review = await service.reply(viewer, review_id, await form(request, ReplyForm))
        return redirect(review_url(review["product_slug"], review_id), flash=_("Your answer is published."))


async def _typed(request: Request, viewer: Viewer) -> ReviewForm:
    """The form with the photos that stay and the one that comes with it. The words are checked before it is kept."""
    review = await form(request, ReviewForm)
    chosen = (await request.form()).get("photo")
    if isinstance(chosen, UploadFile) and chosen.filename:
        service.check_words(review)
        await limit("upload", viewer.member_id, most=60, per=3600)
        kept = await keep_picture(viewer, await picture_of(request, "photo"))
        review.media = [*review.media, kept.id]
    return review


def _card(product: asyncpg.Record) -> dict[str, Any]:
    """The product beside the form."""
    bars = shelf.histogram(product["by_stars"])
    return {"product": product, "rating": shelf.mean(bars), "review_count": sum(n for _stars, n in bars)}


async def _voted(request: Request, viewer: Viewer, review_id: int) -> Response:
    """The button again for htmx; else back to the review."""
    review = await queries.review(viewer, review_id)
    if review is None:
        raise NotFound()
    if is_htmx(request):
        return fragment(request, viewer, "content/reviews/_helpful_again.html", review=review)
    access = await policy.access_review(viewer, review_id)
    return redirect(review_url(access["product_slug"], review_id))
