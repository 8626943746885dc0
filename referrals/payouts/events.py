from app.events import Event


class PayoutMethodChanged(Event):
    """A member told where their money goes, or took that back (`is_removed`). `fingerprint` is a keyed hash."""

    member_id: int
    method_id: int
    rail: str
    fingerprint: str
    is_removed: bool = False
    replaced_hint: str = ""
    """What stood there before, as its owner may recognise it."""


class PayoutMethodShared(Event):
    """Several members told the same account."""

    rail: str
    fingerprint: str
    member_ids: list[int]


class BatchFrozen(Event):
    """A batch waits for its two approvals."""

    batch_id: int
    store_id: int


class BatchPaused(Event):
    """Sending stopped after too many failures."""

    batch_id: int
    store_id: int


class PayoutSettled(Event):
    payout_id: int
    member_id: int
    store_id: int


class PayoutFailed(Event):
    """It did not arrive, or came back; the member's money is available again."""

    payout_id: int
    member_id: int
    store_id: int
    reason: str


class PayoutRecalled(Event):
    """It was called off before it was sent, as something in it breaks the rules; the rest may go."""

    payout_id: int
