from litestar import Controller, Request, delete, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.limits import limit
from app.openapi import door
from app.web import json_body
from content.reviews import examples, service
from content.reviews.queries import review_url
from content.reviews.schemas import Helpful, NewReply, NewReview, ReviewChanged


class ReviewApi(Controller):
    """What is done to one review. Lists of them, with their disclosures, stand at the product."""

    path = "/reviews"
    tags = ["reviews"]

    @put(
        "/{review_id:int}",
        summary="Edit one's own review",
        opt=door(takes=examples.new_review, gives=examples.changed, scope="write"),
    )
    async def edit(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> ReviewChanged:
        """Its votes and its purchase evidence stay; the histogram follows its stars."""
        await limit("write-review", viewer.member_id, most=60, per=3600)
        review = await service.edit(viewer, review_id, await json_body(request, NewReview))
        return ReviewChanged(str(review_id), review_url(review["product_slug"], review_id))

    @put("/{review_id:int}/vote", summary="Say that a review helped", opt=door(gives=examples.helpful, scope="write"))
    async def vote(self, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Helpful:
        """Twice counts once. Not for one's own review (403)."""
        return Helpful(await service.vote(viewer, review_id))

    @delete(
        "/{review_id:int}/vote",
        summary="Take a helpful vote back",
        status_code=200,
        opt=door(gives=examples.helpful, scope="write"),
    )
    async def unvote(self, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> Helpful:
        return Helpful(await service.unvote(viewer, review_id))

    @post(
        "/{review_id:int}/reply",
        summary="Answer a review as its store",
        status_code=201,
        opt=door(takes=examples.new_reply, gives=examples.changed, scope="write"),
    )
    async def reply(self, request: Request, viewer: NamedDependency[Viewer], review_id: FromPath[int]) -> ReviewChanged:
        """By the store's owner. Answering again replaces the words."""
        await limit("answer-review", viewer.member_id, most=120, per=3600)
        review = await service.reply(viewer, review_id, await json_body(request, NewReply))
        return ReviewChanged(str(review_id), review_url(review["product_slug"], review_id))
