from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from app.money import Money
from community.media.schemas import UploadView


class NewReview(msgspec.Struct, forbid_unknown_fields=True):
    rating: Annotated[int, Meta(ge=1, le=5)]
    body: Annotated[str, Meta(max_length=20_000)]
    title: Annotated[str, Meta(max_length=200)] = ""
    media: list[str] = []
    """Ids of the author's own uploads, at most six, in their order."""


class ReviewForm(NewReview, forbid_unknown_fields=False):
    """The same from a page, where browsers add fields of their own."""


class NewReply(msgspec.Struct, forbid_unknown_fields=True):
    body: Annotated[str, Meta(max_length=10_000)]


class ReplyForm(NewReply, forbid_unknown_fields=False):
    """The same from a page."""


class AuthorView(msgspec.Struct):
    id: str
    handle: str
    name: str


class EvidenceView(msgspec.Struct):
    """What the store's orders show: none, imported, bought, delivered, kept (with how long) or returned."""

    level: str
    verified: bool
    days: int | None


class ReplyView(msgspec.Struct):
    """The store's official answer."""

    html: str
    created_at: datetime


class ReviewView(msgspec.Struct):
    id: str
    url: str
    rating: int
    title: str
    body: str
    html: str
    lang: str
    author: AuthorView | None
    """Null for an imported review."""
    evidence: EvidenceView
    earns_from_store: bool
    """The author has links of their own to this store, or money from it: said beside the review, as the ledgers say."""
    media: list[UploadView]
    helpful_count: int
    created_at: datetime
    edited_at: datetime | None
    reply: ReplyView | None


class ReviewPage(msgspec.Struct):
    items: list[ReviewView]
    next: str | None


class RatedProduct(msgspec.Struct):
    id: str
    slug: str
    title: str
    url: str
    """Our page of it."""
    shop_url: str
    store: str
    description: str
    price: Money | None
    image_url: str
    brand: str
    category: str
    rating: float | None
    review_count: int
    histogram: dict[str, int]
    """Reviews by stars, "1" to "5"; hidden ones are not in it."""
    hidden_count: int


class Helpful(msgspec.Struct):
    helpful_count: int


class ReviewChanged(msgspec.Struct):
    id: str
    url: str
