from datetime import datetime

import msgspec


class HitGroup(msgspec.Struct):
    slug: str
    name: str


class HitProduct(msgspec.Struct):
    slug: str
    title: str
    picture: str
    """A path on this site, or empty."""


class HitAuthor(msgspec.Struct):
    """Who wrote it. `earns` says that a live link of theirs earns from what this is about, or that a shop of it pays
    them; `is_paid` that it is only the latter."""

    handle: str
    name: str
    earns: bool
    is_paid: bool = False


class Hit(msgspec.Struct, kw_only=True):
    """Something found. `title_html` and `snippet` are safe HTML with `<mark>` around what was asked for."""

    kind: str
    id: str
    title: str
    title_html: str
    snippet: str
    url: str
    lang: str
    updated_at: datetime
    group: HitGroup | None = None
    product: HitProduct | None = None
    author: HitAuthor | None = None
    rating: int | None = None
    evidence: str | None = None
    """Of a review: what the store's orders show of the purchase, and since when."""
    evidence_since: datetime | None = None


class Facet(msgspec.Struct):
    slug: str
    name: str
    count: int


class Facets(msgspec.Struct):
    """How much fits in each kind, and where most of it stands. Counting stops at 1,000."""

    kind: dict[str, int] = {}
    group: list[Facet] = []
    product: list[Facet] = []


class SearchAnswer(msgspec.Struct, kw_only=True):
    """`is_near`: nothing holds all the words; these hold some of them, or are spelled alike."""

    items: list[Hit]
    facets: Facets
    next: str | None = None
    took_ms: float = 0
    engine: str
    is_near: bool = False
