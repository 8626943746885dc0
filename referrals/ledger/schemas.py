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
