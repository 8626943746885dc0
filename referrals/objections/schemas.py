from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Objecting(msgspec.Struct, forbid_unknown_fields=True):
    words: Annotated[str, Meta(max_length=1000)] = ""


class ObjectingForm(Objecting, forbid_unknown_fields=False):
    """The same from a page."""


class Verdict(msgspec.Struct, forbid_unknown_fields=True):
    """`uphold`: the order is credited to whoever objected, as a decision of a person. `words`: what they are told."""

    verdict: Literal["uphold", "dismiss"]
    words: Annotated[str, Meta(max_length=500)] = ""


class VerdictForm(Verdict, forbid_unknown_fields=False):
    """The same from a page."""


class ObjectionView(msgspec.Struct):
    """What a member said against a decision, and the answer. `state`: open, upheld, dismissed; `agreed` while an upheld
    one waits for the second person whom the programme asks for, `refused` when that person did not agree."""

    id: str
    order: str
    store: str
    state: str
    said: str
    answer: str
    created_at: str
    due_at: str


class StoreObjectionView(ObjectionView):
    """The same for the store's people: who objects, and who is credited now."""

    member: str
    winner: str | None


class ObjectionList(msgspec.Struct):
    items: list[StoreObjectionView]
    next: str | None
