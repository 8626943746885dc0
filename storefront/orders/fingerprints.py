"""What we keep of an e-mail, an address, a card: keyed hashes, which find the same one again and tell nothing else."""

import unicodedata
from collections.abc import Iterable

from app import phone_numbers
from app.auth import sign

# Providers whose mailboxes ignore dots in the name.
_DOTS_DO_NOT_COUNT = {"gmail.com", "googlemail.com"}


def email_fingerprint(email: str) -> str:
    """The address as it was told, whatever its case."""
    return sign("email", email.strip().lower()) if email.strip() else ""


def mailbox_fingerprint(email: str) -> str:
    """The mailbox behind the address: `ann.b+shop@googlemail.com` reaches `annb@gmail.com`.

    Good for suspicion (whoever buys by their own link), never as proof that two people are one.
    """
    name, _at, host = email.strip().lower().rpartition("@")
    name = name.partition("+")[0] or name
    if host in _DOTS_DO_NOT_COUNT:
        name, host = name.replace(".", ""), "gmail.com"
    return sign("mailbox", f"{name}@{host}") if name else ""


def phone_fingerprint(phone: str | None, country: str | None = None) -> str:
    """The number however it is spelt, with its country's code; nothing where that is not known, rather than a guess.

    Good for suspicion and for a weak hint, never as proof: whoever types a number at a checkout may type any.
    """
    return phone_numbers.fingerprint(phone_numbers.digits_of(phone, country))


def address_fingerprint(parts: Iterable[str | None]) -> str:
    """The place a parcel goes to (street lines, postcode, country), however it is spelt and spaced."""
    text = unicodedata.normalize("NFKC", "".join(part or "" for part in parts)).casefold()
    place = "".join(letter for letter in text if letter.isalnum())
    return sign("address", place) if len(place) > 5 else ""


def instrument_fingerprint(name: str | None) -> str:
    """The card or account that paid, by whatever name the payment provider has for it."""
    return sign("instrument", name.strip()) if name and name.strip() else ""
