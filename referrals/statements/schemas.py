import msgspec

from app.money import Money


class Move(msgspec.Struct):
    """What one entry put into a bucket of yours, or took out of it."""

    bucket: str
    amount: Money


class StatementEntry(msgspec.Struct):
    """One transaction on your accounts. `amount` is what it added to, or took from, all that is yours; `balance` is
    what is yours after it. `reason` is a stable word, `words` the same for a person."""

    at: str
    kind: str
    reason: str
    words: str
    order: str
    store: str
    title: str
    amount: Money
    moves: list[Move]
    balance: Money
    hash: str
    why_url: str = ""
    """Where it is explained."""
    arrives: Money | None = None
    """Of a payout to an account in another currency: what became of it there, by `rate`."""
    rate: str = ""


class Statement(msgspec.Struct):
    """A month of one currency. Opening plus entries is closing, bucket by bucket; `stamp` is the chain's hash at your
    last entry up to its end. `balance_before` is where this page of entries starts."""

    member: str
    month: str
    currency: str
    opening: dict[str, Money]
    closing: dict[str, Money]
    opening_total: Money
    closing_total: Money
    earned: Money
    taken_back: Money
    paid_out: Money
    balance_before: Money
    entries: list[StatementEntry]
    next: str | None
    stamp: str


class Months(msgspec.Struct):
    """The months in which something moved, the newest first, with their currencies."""

    months: list["Month"]


class Month(msgspec.Struct):
    month: str
    currency: str
    entries: int
    closing: Money


class Link(msgspec.Struct):
    """One of your transactions in the chain: sha256(prev_hash + told) is hash, all hashes as hex."""

    transaction: str
    prev_hash: str
    told: str
    hash: str


class Proof(msgspec.Struct):
    """What you need to check your statement without us."""

    member: str
    month: str
    currency: str
    algorithm: str
    accounts: list[list[str]]
    opening: dict[str, int]
    closing: dict[str, int]
    links: list[Link]
