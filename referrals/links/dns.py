"""Asking the domain name system, for the proof that a domain is a store's."""

from collections.abc import Awaitable, Callable

SECONDS = 5.0

TextLookup = Callable[[str], Awaitable[list[str]]]


class NoAnswer(Exception):
    """The name has no such record, or nobody answered. The sentence says which."""


async def texts_of(name: str) -> list[str]:
    """The TXT records of a name, as the system's resolver knows them."""
    # Loaded when it is used, which only a worker does, now and then.
    import dns.asyncresolver
    import dns.exception

    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=SECONDS)
    except dns.exception.DNSException as error:
        raise NoAnswer(type(error).__name__) from error
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
