"""What a page is about, for machines that read schema.org. Only what the page itself shows."""

from typing import Any

import asyncpg
import msgspec
from markupsafe import Markup

from app.money import Money, in_major_units
from app.settings import settings


def product_ld(product: asyncpg.Record, rating: float | None, review_count: int) -> Markup:
    """A product with the mean of its visible reviews."""
    about: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": product["title"],
        "url": f"{settings().base_url}/p/{product['slug']}",
    }
    if product["picture"]:
        about["image"] = settings().base_url + product["picture"]
    if product["brand"]:
        about["brand"] = {"@type": "Brand", "name": product["brand"]}
    if product["gtin"]:
        about["gtin"] = product["gtin"]
    if product["price"]:
        about["offers"] = {
            "@type": "Offer",
            "url": product["url"],
            "price": str(in_major_units(Money(product["price"], product["currency"]))),
            "priceCurrency": product["currency"],
        }
    if rating:
        about["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": round(rating, 2),
            "reviewCount": review_count,
        }
    return _as_data(about)


def guide_ld(guide: asyncpg.Record) -> Markup:
    return _as_data(
        {
            "@context": "https://schema.org",
            "@type": "Article",
            "headline": guide["title"][:110],
            "url": f"{settings().base_url}/guides/{guide['slug']}",
            "inLanguage": guide["lang"],
            "datePublished": guide["created_at"].isoformat(timespec="seconds"),
            "dateModified": guide["checked_at"].isoformat(timespec="seconds"),
            "author": {"@type": "Person", "name": guide["name"] or guide["handle"]},
        }
    )


def _as_data(about: dict[str, Any]) -> Markup:
    # No "<" can end the script element it stands in.
    return Markup(msgspec.json.encode(about).decode().replace("<", "\\u003c"))
