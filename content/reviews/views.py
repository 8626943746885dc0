"""Reviews and products as the JSON API shows them."""

from collections.abc import Collection
from typing import Any

import asyncpg

from app.money import Money
from app.settings import settings
from community.media.schemas import UploadView
from content.reviews.evidence import shown
from content.reviews.queries import review_url
from content.reviews.schemas import AuthorView, EvidenceView, RatedProduct, ReplyView, ReviewView
from content.reviews.shelf import histogram, mean


def review_view(row: asyncpg.Record, product_slug: str, earners: Collection[int]) -> ReviewView:
    """`earners`: the members who earn from links to the product's store."""
    evidence = shown(row)
    return ReviewView(
        id=str(row["id"]),
        url=review_url(product_slug, row["id"]),
        rating=row["rating"],
        title=row["title"],
        body=row["body"],
        html=row["html"],
        lang=row["lang"],
        author=AuthorView(str(row["author_id"]), row["handle"], row["name"]) if row["author_id"] else None,
        evidence=EvidenceView(evidence.level, evidence.verified, evidence.days),
        earns_from_store=row["author_id"] in earners,
        media=[UploadView(str(p["id"]), p["url"], p["width"], p["height"]) for p in row["photos"] or ()],
        helpful_count=row["helpful_count"],
        created_at=row["created_at"],
        edited_at=row["edited_at"],
        reply=ReplyView(row["reply_html"], row["replied_at"]) if row["reply_html"] else None,
    )


def product_view(row: asyncpg.Record) -> RatedProduct:
    bars = histogram(row["by_stars"])
    rating: Any = mean(bars)
    return RatedProduct(
        id=str(row["id"]),
        slug=row["slug"],
        title=row["title"],
        url=f"/p/{row['slug']}",
        shop_url=row["url"],
        store=row["store_slug"],
        description=row["description"],
        # An imported product may come without a price: better none than a wrong one.
        price=Money(row["price"], row["currency"]) if row["price"] else None,
        image_url=settings().base_url + row["picture"] if row["picture"] else "",
        brand=row["brand"],
        category=row["category"],
        rating=round(rating, 2) if rating else None,
        review_count=sum(n for _, n in bars),
        histogram={str(stars): n for stars, n in reversed(bars)},
        hidden_count=row["hidden_count"],
    )
