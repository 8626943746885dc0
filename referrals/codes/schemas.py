from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta


class NewCode(msgspec.Struct, forbid_unknown_fields=True):
    """A campaign code. `owner`: the handle of the member it is credited to. Days are like 2026-11-22 (UTC)."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    owner: Annotated[str, Meta(min_length=1, max_length=60)]
    limit_total: int = 0
    limit_per_buyer: int = 0
    valid_from: Annotated[str, Meta(max_length=40)] = ""
    valid_until: Annotated[str, Meta(max_length=40)] = ""


class CodeForm(NewCode, forbid_unknown_fields=False):
    """The same from a page."""


class Entered(msgspec.Struct, forbid_unknown_fields=True):
    code: Annotated[str, Meta(min_length=1, max_length=64)]


class CodeView(msgspec.Struct):
    id: str
    code: str
    kind: str
    """"personal" or "campaign"."""
    owner: str
    state: str
    """"live", "later", "over", "used_up", "leaked" or "off": whether the shop should take it now."""
    leak_state: str
    used: int
    limit_total: int
    limit_per_buyer: int
    valid_from: str | None
    valid_until: str | None
    replaces: str
    """The id of the leaked code it came for; empty for most."""
    created_at: str


class CodeList(msgspec.Struct):
    items: list[CodeView]
    next: str | None


class MyCode(msgspec.Struct):
    code: str
    store: str
    store_name: str
    state: str
    used: int
    disclosure: str
    """What stands beside the code wherever it is shown."""


class MyCodes(msgspec.Struct):
    codes: list[MyCode]


class Imported(msgspec.Struct):
    """`skipped`: the line, and why."""

    created: int
    skipped: list[tuple[int, str]]


class ShopSetting(msgspec.Struct, forbid_unknown_fields=True):
    """What a code takes off in the shop. WooCommerce: `percent_bps`; Shopify, Stripe, Saleor: what it joins."""

    percent_bps: Annotated[int, Meta(ge=0, le=10_000)] = 0
    discount_id: Annotated[str, Meta(max_length=200)] = ""
    is_alone: bool = False
    """WooCommerce: not together with other coupons."""


class InShop(msgspec.Struct):
    """`taken` of the `live` codes stand in the shop's till; `left_over` stand there and should not any more."""

    can_write: bool
    has_key: bool
    is_on: bool
    percent_bps: int
    discount_id: str
    is_alone: bool
    live: int
    taken: int
    refused: int
    left_over: int
    strange: int
    """Codes of the shop that are none of ours."""
    looked_at: datetime | None
    error: str


class ShopForm(msgspec.Struct):
    percent: Annotated[str, Meta(max_length=10)] = ""
    discount_id: Annotated[str, Meta(max_length=200)] = ""
    is_alone: str = ""


class EnteredForm(msgspec.Struct):
    store: Annotated[str, Meta(max_length=40)] = ""
    code: Annotated[str, Meta(max_length=64)] = ""


class SheetForm(msgspec.Struct):
    sheet: Annotated[str, Meta(max_length=200_000)] = ""
