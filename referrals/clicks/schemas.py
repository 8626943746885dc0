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


class ConsentForm(msgspec.Struct):
    consent: str
