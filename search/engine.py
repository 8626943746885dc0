"""What a search engine has to do here. PostgreSQL does it by default, Meilisearch when it is set up."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from app.auth import Viewer
from search.words import Term

KINDS = ("group", "topic", "product", "review", "guide", "live")
Key = tuple[str, int]


class Document(msgspec.Struct, frozen=True):
    """Something that can be found. `group_id` set: only by those who may read the group."""

    kind: str
    ref_id: int
    title: str
    body: str
    url: str
    updated_at: datetime
    lang: str = ""
    group_id: int | None = None
    product_id: int | None = None


class Question(msgspec.Struct, frozen=True):
    """What somebody looks for, and where."""

    text: str
    terms: list[Term]
    kind: str | None = None
    group_id: int | None = None
    product_id: int | None = None
    cursor: str | None = None
    limit: int = 20


class Found(msgspec.Struct):
    """The best of what fits, best first, and how much there is of each kind, group and product.

    `is_near`: nothing held all of it; these come close.
    """

    keys: list[Key]
    next: str | None = None
    kinds: dict[str, int] = {}
    groups: list[tuple[int, int]] = []
    products: list[tuple[int, int]] = []
    is_near: bool = False


class Engine(Protocol):
    name: str

    async def put(self, documents: Sequence[Document]) -> None: ...

    async def remove(self, keys: Sequence[Key]) -> None: ...

    async def find(self, viewer: Viewer, question: Question) -> Found: ...
