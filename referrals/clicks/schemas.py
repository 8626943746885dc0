from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class DirectClick(msgspec.Struct, forbid_unknown_fields=True):
    """A visitor who came straight to the shop by an address with somebody's code (`?ref=ada`)."""

    code: Annotated[str, Meta(min_length=1, max_length=64)]
    page: Annotated[str, Meta(max_length=2000)] = ""
    """The address that was opened: an advertiser's parameter in it is noted by its name, the rest is not kept."""
    referrer: Annotated[str, Meta(max_length=2000)] = ""
    consent: Literal["", "granted", "denied"] = ""


class ClickMade(msgspec.Struct):
    gv: str | None
    """The click's id, to be sent along with the order; null for whoever denied consent, and for machines."""


class Stay(msgspec.Struct, forbid_unknown_fields=True):
    """How long the page that a click led to was seen, told once when it is left."""

    gv: Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
    """The click's id."""
    seconds: Annotated[int, Meta(ge=0, le=86_400)]
    consent: Literal["", "granted", "denied"] = ""


class ConsentForm(msgspec.Struct):
    consent: str
