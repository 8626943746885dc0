from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Document = Literal["passport", "id_card", "residence_permit", "driving_licence", "company_register", "provider"]
"""`provider`: somebody whose business it is has looked, and told the store."""
Result = Literal["checked", "refused", "withdrawn"]


class NewRequest(msgspec.Struct, forbid_unknown_fields=True):
    said: Annotated[str, Meta(max_length=500)] = ""


class NewCheck(msgspec.Struct, forbid_unknown_fields=True):
    """`checked` names the document, its country and the last day it is valid; the others need none of it. A token
    alone is not enough: the password of who looked is asked for as well."""

    member: Annotated[str, Meta(min_length=1, max_length=31)]
    result: Result = "checked"
    document: Document | None = None
    country: Annotated[str, Meta(max_length=2)] = ""
    expires_on: Annotated[str, Meta(max_length=10)] = ""
    note: Annotated[str, Meta(max_length=500)] = ""
    password: Annotated[str, Meta(max_length=1024)] = ""


class CheckForm(NewCheck, forbid_unknown_fields=False):
    pass


class StandingView(msgspec.Struct):
    """How one stands at a store. `state`: `none`, `asked`, `checked`, `refused`, `withdrawn` or `expired`. `may_ask`:
    also while one is checked, from sixty days before the end."""

    store: str
    state: Literal["none", "asked", "checked", "refused", "withdrawn", "expired"]
    asked_at: datetime | None
    valid_until: datetime | None
    may_ask: bool


class WaitingView(msgspec.Struct):
    """Somebody who asked a store to look."""

    member: str
    name: str
    said: str
    asked_at: datetime


class WaitingList(msgspec.Struct):
    items: list[WaitingView]
    next: str | None


class CheckView(msgspec.Struct):
    """One look at somebody, for ever. `in_force`: it counts now."""

    id: str
    member: str
    result: Result
    document: str
    country: str
    valid_until: datetime | None
    note: str
    by: str
    at: datetime
    in_force: bool


class CheckList(msgspec.Struct):
    items: list[CheckView]
    next: str | None
