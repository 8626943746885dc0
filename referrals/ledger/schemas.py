import msgspec


class AccountName(msgspec.Struct, frozen=True):
    """A bucket: of whom, which, in what currency."""

    owner_kind: str
    owner_id: int
    kind: str
    currency: str


class Leg(msgspec.Struct, frozen=True):
    """One side of a transaction: debit positive, credit negative."""

    account: AccountName
    amount: int


class Posting(msgspec.Struct, frozen=True):
    """One transaction to be written, once for each (kind, ref_type, ref_id, ref_seq)."""

    kind: str
    ref_type: str
    ref_id: int
    ref_seq: int
    legs: tuple[Leg, ...]
    reason: str = ""

    @property
    def key(self) -> tuple[str, str, int, int]:
        return self.kind, self.ref_type, self.ref_id, self.ref_seq
