from typing import Annotated

import msgspec
from msgspec import Meta


class NewLink(msgspec.Struct, forbid_unknown_fields=True):
    """What to share: `product:slug`, `guide:slug`, `topic:7`, `review:7`, `group:slug`, `room:7`, `page:/path` or a
    URL at a store. `placement` tells several links to one thing apart ("newsletter", "poster at the fair")."""

    target: Annotated[str, Meta(min_length=1, max_length=2000)]
    code: Annotated[str, Meta(max_length=40)] = ""
    placement: Annotated[str, Meta(max_length=60)] = ""


class ShareForm(NewLink, forbid_unknown_fields=False):
    """The same from a page, where browsers add fields of their own."""


class LinkView(msgspec.Struct):
    code: str
    url: str
    qr_svg_url: str
    target: str
    """The kind of thing shared, and its id where it has one: "product:12"."""
    destination: str
    placement: str
    disclosure: str
    """What stands beside the link wherever it is shown."""
    clicks: int
    """People; bots, previews and prefetches are counted apart."""
    bots: int
    created_at: str
    disabled: bool


class LinkList(msgspec.Struct):
    items: list[LinkView]
    next: str | None
