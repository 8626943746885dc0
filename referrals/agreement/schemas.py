from datetime import datetime

import msgspec


class ChangeView(msgspec.Struct):
    """`says` is what would be different. `state`: waiting, agreed, refused or withdrawn."""

    id: str
    kind: str
    says: list[str]
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str
    reason: str


class ChangeList(msgspec.Struct):
    takes_two: bool
    items: list[ChangeView]
    next: str | None = None
