from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from app.money import Money

MOST_STOCK = 2_000_000_000


class ProductDetails(msgspec.Struct, forbid_unknown_fields=True):
    """What a store says of one of its products."""

    title: Annotated[str, Meta(max_length=1000)]
    url: Annotated[str, Meta(max_length=2000)]
    price: Money
    description: Annotated[str, Meta(max_length=20_000)] | None = None
    """Left out, what stood there stays."""
    image_url: Annotated[str, Meta(max_length=2000)] | None = None
    brand: Annotated[str, Meta(max_length=200)] | None = None
    category: Annotated[str, Meta(max_length=200)] | None = None
    gtin: Annotated[str, Meta(max_length=20)] | None = None
    stock: Annotated[int, Meta(ge=-MOST_STOCK, le=MOST_STOCK)] | UnsetType | None = UNSET
    """How many are left (oversold is none); null: the shop does not count. Left out, what stood there stays."""


class ProductView(msgspec.Struct):
    """A product as its store sees it."""

    id: str
    slug: str
    external_id: str
    title: str
    description: str
    url: str
    price: Money
    image_url: str
    brand: str
    category: str
    gtin: str
    stock: int | None = None


class Upserted(msgspec.Struct, frozen=True):
    """What came of it: `created`, `updated` or `unchanged`."""

    id: int
    slug: str
    outcome: str
