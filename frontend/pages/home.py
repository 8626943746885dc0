"""The first page: what goes on in the member's groups; to a stranger, that somebody lives here."""

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency

from app.auth import Viewer
from app.web import page
from content.guides.queries import newest_guides
from content.live_events.queries import soon
from content.reviews.evidence import shown
from content.reviews.queries import review_url
from frontend import living
from frontend.pages.disclosure import terms_of
from frontend.pages.live_words import hour_of


@get("/", include_in_schema=False)
async def home(request: Request, viewer: NamedDependency[Viewer]) -> Response:
    return await (_feed(request, viewer) if viewer.is_member else _welcome(request, viewer))


async def _feed(request: Request, viewer: Viewer) -> Response:
    topics = await living.topics_of_my_groups(viewer, cursor=request.query_params.get("after"))
    reviews = await living.latest_reviews(limit=3)
    return page(
        request,
        viewer,
        "frontend/home/feed.html",
        topics=topics,
        reviews=reviews,
        products=await living.popular_products(limit=4),
        guides=(await newest_guides(limit=3)).items,
        groups=await living.lively_groups(viewer, limit=4),
        soon=await soon(viewer),
        hour_of=hour_of,
        **await _beside(reviews),
    )


async def _welcome(request: Request, viewer: Viewer) -> Response:
    reviews = await living.latest_reviews(limit=4)
    shown_here: dict[str, Any] = {
        "topics": await living.hot_topics(limit=6),
        "reviews": reviews,
        "products": await living.popular_products(limit=6),
        "guides": (await newest_guides(limit=4)).items,
        "groups": await living.lively_groups(viewer, limit=6),
        "soon": await soon(viewer),
    }
    beside = await _beside(reviews)
    made_from = (shown_here, beside["terms"].facts)
    return page(
        request, viewer, "frontend/home/welcome.html", made_from=made_from, hour_of=hour_of, **shown_here, **beside
    )


async def _beside(reviews: list) -> dict:
    """What a review is shown with: the proof of the purchase, and who earns from the store."""
    terms = await terms_of([r["store_id"] for r in reviews], [r["author_id"] for r in reviews])
    return {"terms": terms, "evidence": shown, "review_url": review_url}
