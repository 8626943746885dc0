"""What a shop's pages may show of us: the widgets' script, and what they read. Public facts only, no cookies."""

import hashlib
import re
from urllib.parse import quote

import asyncpg
import msgspec
from litestar import Request, Response, get
from litestar.params import FromPath

from app import i18n
from app.auth import STRANGER, is_own_origin
from app.disclosure import MARKETS
from app.errors import NotFound
from app.settings import settings
from app.text import excerpt
from app.web import FRONTEND
from content.reviews import queries, shelf
from content.reviews.evidence import shown
from frontend.assets import packed
from frontend.pages.disclosure import Terms, terms_of
from storefront.catalog.queries import product_in_store

SCRIPTS = FRONTEND / "static" / "build" / "embed"
SCRIPT = SCRIPTS / "v1.js"
MOST_REVIEWS = 20
LONGEST_TEXT = 480
AN_HOUR = "public, max-age=3600, stale-while-revalidate=86400"
A_MINUTE = "public, max-age=60, stale-while-revalidate=600"


class WidgetReview(msgspec.Struct):
    url: str
    rating: int
    title: str
    text: str
    is_cut: bool
    lang: str
    author: str
    evidence: str
    days: int | None
    earns: bool
    helpful: int
    created_at: str
    reply: str


class WidgetProduct(msgspec.Struct):
    title: str
    url: str
    write_url: str
    share_url: str
    pays: str
    """What a sale by somebody's link pays them now ("10%"); empty when nothing."""
    gift: str
    """What a friend gets; empty when nothing."""
    mark: str
    """What the store's market wants to stand beside such a link, besides the label in the reader's language."""
    log_url: str
    rating: float | None
    count: int
    hidden: int
    histogram: dict[str, int]
    reviews: list[WidgetReview]


@get("/embed/v1.js", include_in_schema=False)
async def widget_script(request: Request) -> Response[bytes]:
    """One script for every shop in the world; it carries nothing of anybody."""
    return _script(request, "v1.js")


@get("/embed/ref.js", include_in_schema=False)
async def click_script(request: Request) -> Response[bytes]:
    """For a shop whose visitors come straight to it by `?ref=CODE`: less than a kilobyte."""
    return _script(request, "ref.js")


def _script(request: Request, name: str) -> Response[bytes]:
    script = SCRIPTS / name
    if not script.is_file():
        raise NotFound()
    kind, plain, small = packed(script, script.stat().st_mtime_ns)
    headers = {
        "Cache-Control": AN_HOUR if settings().is_production else "no-cache",
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if small and "gzip" in request.headers.get("accept-encoding", ""):
        return _unless_known(request, Response(small, media_type=kind, headers={**headers, "Content-Encoding": "gzip"}))
    return _unless_known(request, Response(plain, media_type=kind, headers=headers))


@get("/embed/v1/products/{store:str}/{external_id:str}", include_in_schema=False)
async def widget_product(request: Request, store: FromPath[str], external_id: FromPath[str]) -> Response[bytes]:
    """A product's rating and its most helpful reviews, readable by scripts of its own shop and ours."""
    product = await product_in_store(store, external_id)
    asked = request.query_params.get("limit", "")
    body = await _describe(product["slug"], min(int(asked), MOST_REVIEWS) if re.fullmatch("[0-9]{1,3}", asked) else 0)
    headers = {"Cache-Control": A_MINUTE, "Vary": "Origin", "Cross-Origin-Resource-Policy": "cross-origin"}
    origin = request.headers.get("origin")
    if origin and (origin == product["origin"] or is_own_origin(origin, request.headers)):
        headers["Access-Control-Allow-Origin"] = origin
    return _unless_known(
        request, Response(msgspec.json.encode(body), media_type="application/json; charset=utf-8", headers=headers)
    )


async def _describe(slug: str, limit: int) -> WidgetProduct:
    product = await shelf.product_page(STRANGER, slug)
    rows = (await queries.reviews_of(STRANGER, product["id"], limit=limit)).items if limit else []
    terms = await terms_of([product["store_id"]], [row["author_id"] for row in rows])
    bars = shelf.histogram(product["by_stars"])
    rating = shelf.mean(bars)
    ours = f"{settings().base_url}/p/{slug}"
    return WidgetProduct(
        title=product["title"],
        url=ours,
        write_url=f"{ours}/review",
        share_url=f"{settings().base_url}/share?target={quote('product:' + slug, safe='')}",
        pays=terms.pays(product),
        gift=terms.gift,
        mark=MARKETS[terms.market].mark if terms.market else "",
        log_url=f"{settings().base_url}/moderation/log",
        rating=round(rating, 2) if rating else None,
        count=sum(n for _, n in bars),
        hidden=product["hidden_count"],
        histogram={str(stars): n for stars, n in bars},
        reviews=[_review(slug, row, terms) for row in rows],
    )


def _review(slug: str, row: asyncpg.Record, terms: Terms) -> WidgetReview:
    """As plain text: a shop's page should not have to trust our HTML."""
    evidence = shown(row)
    # One answer for all readers, so the label of a link within it speaks the language of the review.
    with i18n.speaking(row["lang"]):
        text = excerpt(row["body"], LONGEST_TEXT)
    return WidgetReview(
        url=settings().base_url + queries.review_url(slug, row["id"]),
        rating=row["rating"],
        title=row["title"],
        text=text,
        is_cut=text.endswith("…"),
        lang=row["lang"],
        author=row["name"] or row["author_name"],
        evidence=evidence.level,
        days=evidence.days,
        earns=row["author_id"] in terms.earners,
        helpful=row["helpful_count"],
        created_at=row["created_at"].isoformat(timespec="seconds"),
        reply=excerpt(row["reply_body"] or "", LONGEST_TEXT),
    )


def _unless_known(request: Request, response: Response[bytes]) -> Response[bytes]:
    """304 to a browser that has this answer already."""
    tag = '"' + hashlib.blake2s(response.content, digest_size=12).hexdigest() + '"'
    response.headers["ETag"] = tag
    if request.headers.get("if-none-match") == tag:
        return Response(b"", status_code=304, headers=dict(response.headers))
    return response
