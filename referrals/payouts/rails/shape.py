"""What every rail says and can do. A rail moves money, or says how far it got; it writes nothing in our books."""

import re
from collections.abc import Awaitable, Callable
from typing import Literal

import msgspec


class Field(msgspec.Struct, frozen=True):
    """One thing a member tells about an account. `check` returns it as we keep it, or raises Invalid."""

    name: str
    most: int = 100
    required: bool = True
    check: Callable[[str, str], str] | None = None


class PayOrder(msgspec.Struct, frozen=True):
    """What a rail needs to move one payout. `key` is the same for the same attempt, for ever."""

    payout_id: int
    key: str
    member_id: int
    amount: int
    currency: str
    details: dict[str, str]


class Outcome(msgspec.Struct, frozen=True):
    """How far it got. `unknown`: nobody can say yet, so it is looked up before anything is asked again; `never_came`
    is what only a look-up can find: the provider never heard of it."""

    outcome: Literal["sent", "settled", "failed", "unknown", "never_came"]
    provider_ref: str = ""
    said: str = ""


class Rail(msgspec.Struct, frozen=True):
    """`send` is None where a person moves the money; such payouts are exported, and marked when they arrived."""

    name: str
    fields: tuple[Field, ...]
    account: str
    """The field that names the account; what its fingerprint is made of."""
    send: Callable[[PayOrder], Awaitable[Outcome]] | None = None
    look_up: Callable[[PayOrder], Awaitable[Outcome]] | None = None
    is_ready: Callable[[], bool] = lambda: True
    is_known: Callable[[dict[str, str]], Awaitable[bool | None]] | None = None
    """Whether the provider has looked at whose account this is; None: it did not say. Without it, it never does."""

    @property
    def is_by_hand(self) -> bool:
        return self.send is None and bool(self.fields)


def masked(account: str) -> str:
    """Enough to recognise one's own account by: "DE•• 3000", "a•••@example.org"."""
    if "@" in account:
        name, _, host = account.partition("@")
        return f"{name[:1]}•••@{host}"
    plain = re.sub(r"\s", "", account)
    shown = plain[:2] if plain[:2].isalpha() else ""
    return f"{shown}•• {plain[-4:] if len(plain) > 7 else plain[-2:]}"
