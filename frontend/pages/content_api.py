"""Products, reviews and guides as JSON, with the disclosures that only the whole house can compute."""

import asyncpg
from litestar import Controller, Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import db
from app.auth import Viewer, require_member
from app.errors import Invalid, NotFound
from app.idempotency import once
from app.limits import limit
from app.openapi import door
from app.paging import limit_of
from app.web import convert, json_body
from content.guides import examples as guide_examples
from content.guides import policy as guide_policy
from content.guides import service as guide_service
from content.guides.schemas import GuideView, NewGuide, Pick
from content.reviews import examples as review_examples
from content.reviews import queries, service, shelf
from content.reviews.queries import Filter
from content.reviews.schemas import NewReview, RatedProduct, ReviewPage, ReviewView
from content.reviews.shelf import products_by_ids
from content.reviews.views import product_view, review_view
from frontend.pages.disclosure import terms_of


class ProductApi(Controller):
    path = "/products"
    tags = ["products"]

    @get(
        "/{slug:str}",
        summary="A product with the histogram of its reviews",
        opt=door(gives=review_examples.product),
    )
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> RatedProduct:
        """Hidden reviews are in neither the mean nor the histogram; `hidden_count` says how many there are."""
        return product_view(await shelf.product_page(viewer, slug))

    @get(
        "/{slug:str}/reviews",
        summary="Reviews of a product with their disclosures",
        opt=door(gives=review_examples.reviews, refuses=(Invalid,)),
    )
    async def reviews(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        sort: FromQuery[str] = "helpful",
        stars: FromQuery[int | None] = None,
        verified: FromQuery[bool] = False,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> ReviewPage:
        """`sort` is helpful, new or rating. `verified` leaves those whose purchase the store's orders prove."""
        product = await _product(slug)
        wanted = convert({"sort": sort, "stars": stars, "verified": verified}, Filter, strict=True)
        page = await queries.reviews_of(viewer, product["id"], wanted, cursor=after, limit=limit_of(limit))
        terms = await terms_of([product["store_id"]], [row["author_id"] for row in page.items])
        return ReviewPage([review_view(row, slug, terms.earners) for row in page.items], page.next)

    @post(
        "/{slug:str}/reviews",
        summary="Review a product",
        status_code=201,
        opt=door(
            takes=review_examples.new_review,
            gives=review_examples.review,
            refuses=(service.AlreadyReviewed,),
            scope="write",
            once=True,
        ),
    )
    async def write(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Response[ReviewView]:
        """Published at once, whatever the stars. One a member and product: a second one is 409, edit the first."""
        member_id = require_member(viewer)
        await limit("write-review", member_id, most=60, per=3600)
        new = await json_body(request, NewReview)
        review_id = await once(request, member_id, int, lambda: service.write(viewer, slug, new))
        row = await queries.review(viewer, review_id)
        if row is None:
            raise NotFound()
        terms = await terms_of([(await _product(slug))["store_id"]], [member_id])
        return Response(review_view(row, slug, terms.earners), status_code=201)


class GuideApi(Controller):
    path = "/guides"
    tags = ["guides"]

    @post(
        "/",
        summary="Publish a buying guide",
        status_code=201,
        opt=door(takes=guide_examples.new_guide, gives=guide_examples.guide, scope="write", once=True),
    )
    async def publish(self, request: Request, viewer: NamedDependency[Viewer]) -> Response[GuideView]:
        """Blocks are headings, Markdown texts and products (by id) with why, pros and cons."""
        member_id = require_member(viewer)
        await limit("write-guide", member_id, most=20, per=3600)
        new = await json_body(request, NewGuide)
        slug = await once(request, member_id, str, lambda: guide_service.publish_guide(viewer, new))
        return Response(await _guide_view(viewer, slug), status_code=201)

    @get("/{slug:str}", summary="A buying guide", opt=door(gives=guide_examples.guide))
    async def show(self, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> GuideView:
        return await _guide_view(viewer, slug)


async def _product(slug: str) -> asyncpg.Record:
    product = await db.fetch_one("SELECT id, store_id FROM product WHERE slug = $1", slug)
    if product is None:
        raise NotFound()
    return product


async def _guide_view(viewer: Viewer, slug: str) -> GuideView:
    guide = await guide_policy.access_guide(viewer, slug)
    blocks = guide_service.blocks_in(guide)
    products = await products_by_ids([int(block.product) for block in blocks if isinstance(block, Pick)])
    stores = {row["store_id"] for row in products.values()}
    terms = await terms_of(stores, [guide["author_id"]], guide_id=guide["id"])
    return GuideView(
        id=str(guide["id"]),
        slug=guide["slug"],
        url=f"/guides/{guide['slug']}",
        title=guide["title"],
        summary=guide["summary"],
        lang=guide["lang"],
        author=guide["handle"],
        author_earns=guide["author_id"] in terms.earners,
        blocks=blocks,
        created_at=guide["created_at"],
        checked_at=guide["checked_at"],
    )
