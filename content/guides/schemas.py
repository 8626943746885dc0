from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Point = Annotated[str, Meta(min_length=1, max_length=200)]
Points = Annotated[list[Point], Meta(max_length=8)]


class Heading(msgspec.Struct, tag="heading", tag_field="type", forbid_unknown_fields=True):
    text: Annotated[str, Meta(max_length=200)]


class Text(msgspec.Struct, tag="text", tag_field="type", forbid_unknown_fields=True):
    """Markdown, and the HTML that we make of it (whatever is sent as `html` is not looked at)."""

    markdown: Annotated[str, Meta(max_length=20_000)]
    html: str = ""


class Pick(msgspec.Struct, tag="product", tag_field="type", forbid_unknown_fields=True):
    """A product, why it is here, and what speaks for and against it. Price and rating are always the present ones."""

    product: Annotated[str, Meta(min_length=1, max_length=200)]
    """Its id."""
    why: Annotated[str, Meta(max_length=1000)] = ""
    pros: Points = []
    cons: Points = []


Block = Heading | Text | Pick


class NewGuide(msgspec.Struct, forbid_unknown_fields=True):
    title: Annotated[str, Meta(max_length=200)]
    blocks: Annotated[list[Block], Meta(max_length=200)]
    summary: Annotated[str, Meta(max_length=1000)] = ""
    lang: Literal["en", "zh-Hans"] = "en"


class GuideForm(msgspec.Struct):
    """A guide as it is typed: Markdown with `[[product:slug]]` lines."""

    title: Annotated[str, Meta(max_length=200)]
    source: Annotated[str, Meta(max_length=100_000)]
    summary: Annotated[str, Meta(max_length=1000)] = ""
    lang: Literal["en", "zh-Hans"] = "en"


class DraftForm(GuideForm):
    """The same from the page of a new guide: published, or kept as a draft."""

    title: Annotated[str, Meta(max_length=200)] = ""
    source: Annotated[str, Meta(max_length=100_000)] = ""
    draft: Annotated[str, Meta(pattern=r"^[0-9]{0,18}$")] = ""
    keep: str = ""


class GuideView(msgspec.Struct):
    id: str
    slug: str
    url: str
    title: str
    summary: str
    lang: str
    author: str
    """A handle."""
    author_earns: bool
    """The author has links of their own to a store of these products."""
    blocks: list[Block]
    created_at: datetime
    checked_at: datetime
