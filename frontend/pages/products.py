"""Products with all that is said of them: reviews, questions, guides, and who earns from the shop."""

from collections.abc import Callable
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
from litestar import Controller, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.disclosure import EarningLink, market_of
from app.errors import NotFound
from app.web import page
from content.guides.queries import guides_about
from content.live_events.queries import shown_live
from content.product_rooms.queries import room_about
from content.questions.queries import questions_about
from content.reviews import queries, shelf
from content.reviews.evidence import shown
from content.reviews.policy import speaks_for_store
from content.reviews.queries import SORTS, Filter
from frontend.pages.disclosure import terms_of
from frontend.pages.live_words import hour_of
from frontend.pages.structured import product_ld
from referrals.clicks.directory import split_for_click
from referrals.clicks.queries import click_id

REVIEWS_SHOWN = 10
QUESTIONS_SHOWN = 5


class ProductPages(Controller):
    path = "/p"
    include_in_schema = False

    @get("/")
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        asked = request.query_params
        category, brand = asked.get("category", "")[:80], asked.get("brand", "")[:80]
        found = await shelf.shelf(category=category, brand=brand, cursor=asked.get("after"))
        chosen = {name: value for name, value in (("category", category), ("brand", brand)) if value}
        return page(
            request,
            viewer,
            "frontend/products/index.html",
            shelf=found,
            chosen=chosen,
            address=_address("/p/", chosen),
            made_from=found,
        )

    @get("/{slug:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]) -> Response:
        """Seven queries, however much was said."""
        product = await shelf.product_page(viewer, slug)
        wanted = _wanted(request)
        reviews = await queries.reviews_of(
            viewer, product["id"], wanted, cursor=request.query_params.get("after"), limit=REVIEWS_SHOWN
        )
        questions = await questions_about(
            product["id"], cursor=request.query_params.get("questions"), limit=QUESTIONS_SHOWN
        )
        authors = [row["author_id"] for row in reviews.items]
        terms = await terms_of([product["store_id"]], authors, product_ids=[product["id"]])
        bars = shelf.histogram(product["by_stars"])
        rating, review_count = shelf.mean(bars), sum(n for _, n in bars)
        guides = await guides_about(product["id"])
        live = await shown_live(product["id"], viewer)
        room = await room_about(product["id"], viewer)
        gv = click_id(request.query_params.get("gv") or request.cookies.get("gv") or "")
        return page(
            request,
            viewer,
            "frontend/products/show.html",
            made_from=(product, reviews, questions, guides, live, room, terms.facts, gv),
            product=product,
            reviews=reviews,
            wanted=wanted,
            address=_address(f"/p/{slug}", _asked(wanted)),
            bars=bars,
            rating=rating,
            review_count=review_count,
            json_ld=product_ld(product, rating, review_count),
            questions=questions,
            guides=guides,
            soon=live,
            room=room,
            hour_of=hour_of,
            shop_way=_by_somebodys_click(product, gv),
            terms=terms,
            evidence=shown,
            answers_for_store=speaks_for_store(viewer, product["store_owner_id"]),
        )

    @get("/{slug:str}/reviews/{review_id:int}")
    async def show_review(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], review_id: FromPath[int]
    ) -> Response:
        """One review on a page of its own: what notifications, search and reports lead to."""
        product = await shelf.product_page(viewer, slug)
        review = await queries.review(viewer, review_id)
        if review is None or review["product_id"] != product["id"]:
            raise NotFound()
        bars = shelf.histogram(product["by_stars"])
        return page(
            request,
            viewer,
            "frontend/products/review.html",
            product=product,
            review=review,
            rating=shelf.mean(bars),
            review_count=sum(n for _, n in bars),
            terms=await terms_of([product["store_id"]], [review["author_id"]], product_ids=[product["id"]]),
            evidence=shown,
            answers_for_store=speaks_for_store(viewer, product["store_owner_id"]),
        )


def _by_somebodys_click(product: asyncpg.Record, gv: UUID | None) -> EarningLink | None:
    """The shop's own page for whoever came through someone's link: the click goes along, and so does the label."""
    if gv is None:
        return None
    before, after = split_for_click(product["url"])
    return EarningLink(f"{before}{gv}{after}", market_of(product["currency"]))


def _wanted(request: Request) -> Filter:
    """What a hand-typed address asks for that does not exist is as good as not asked."""
    asked = request.query_params
    sort = asked.get("sort", "")
    stars = asked.get("stars", "")
    return Filter(
        sort=sort if sort in SORTS else "helpful",  # type: ignore[arg-type]
        stars=int(stars) if stars in ("1", "2", "3", "4", "5") else None,
        verified=asked.get("verified") == "1",
    )


def _asked(wanted: Filter) -> dict[str, str]:
    asked = {"sort": wanted.sort, "stars": wanted.stars or "", "verified": "1" if wanted.verified else ""}
    return {name: str(value) for name, value in asked.items() if value and value != "helpful"}


def _address(path: str, chosen: dict[str, str]) -> Callable[..., str]:
    """For templates: the same list with some choices changed; an empty value takes one away."""

    def address(**changes: object) -> str:
        asked = {name: str(value) for name, value in {**chosen, **changes}.items() if value}
        return path + (f"?{urlencode(asked)}" if asked else "")

    return address
