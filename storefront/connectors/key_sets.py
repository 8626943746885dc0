"""The keys that a shop signs with and publishes, as `/.well-known/jwks.json` of where its operator says it stands.

Each process keeps them for an hour. A name it does not know, or a signature that does not fit, makes it look again,
once a minute at most: whoever makes them up costs the shop one request a minute and process.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app import clock
from app.http import CannotFetch, fetch
from storefront.connectors.jws import read_keys
from storefront.connectors.schemas import KeysUnavailable

log = logging.getLogger(__name__)
FRESH = timedelta(hours=1)
# When the shop says nothing for so long, nobody knows whether a key still counts.
KEPT = timedelta(days=1)
BETWEEN_LOOKS = timedelta(minutes=1)
MOST_BYTES = 64 * 1024
SECONDS = 5


class Known(msgspec.Struct):
    """`read_at` is of the last look that brought something, `asked_at` of the last one."""

    keys: dict[str, Any] = {}
    read_at: datetime | None = None
    asked_at: datetime | None = None

    def has(self, key_id: str, age: timedelta) -> bool:
        """Whether it had a key of this name, no longer ago than this."""
        return key_id in self.keys and self.read_at is not None and clock.now() - self.read_at < age


_known: dict[str, Known] = {}
_turns: dict[str, asyncio.Lock] = {}


async def key_of(origin: str, key_id: str) -> Any:
    """The key of this name; None when the shop has no such key, KeysUnavailable when that cannot be said just now."""
    known, began = _known.setdefault(origin, Known()), clock.now()
    if known.has(key_id, FRESH):
        return known.keys[key_id]
    # Whoever comes meanwhile waits for the same answer.
    async with _turns.setdefault(origin, asyncio.Lock()):
        if not known.has(key_id, FRESH):
            await _look(origin, known)
    if known.has(key_id, KEPT):
        return known.keys[key_id]
    if known.read_at is None or known.read_at < began:
        raise KeysUnavailable()
    return None


async def key_since(origin: str, key_id: str, since: datetime) -> Any:
    """The same as of a look at the shop after this moment: it may have put another key under a name that is known."""
    known = _known.setdefault(origin, Known())
    async with _turns.setdefault(origin, asyncio.Lock()):
        if known.read_at is None or known.read_at < since:
            await _look(origin, known)
    if known.read_at is None or known.read_at < since:
        raise KeysUnavailable()
    return known.keys.get(key_id)


async def _look(origin: str, known: Known) -> None:
    """Read the keys anew, unless the last time was just now."""
    if known.asked_at and clock.now() - known.asked_at < BETWEEN_LOOKS:
        return
    known.asked_at = clock.now()
    try:
        known.keys, known.read_at = await _read(origin), clock.now()
    except (CannotFetch, ValueError) as failed:
        log.warning("the keys of %s could not be read: %s", origin, failed)


async def _read(origin: str) -> dict[str, Any]:
    answer = await fetch("GET", f"{origin}/.well-known/jwks.json", most_bytes=MOST_BYTES, seconds=SECONDS)
    if answer.status != 200:
        raise ValueError(f"answered {answer.status}")
    return read_keys(answer.body)


async def what_is_wrong_at(origin: str) -> str:
    """For whoever sets it up: why no key can be read there; empty when some can."""
    try:
        return "" if await _read(origin) else "there is no key that signs with RS256"
    except (CannotFetch, ValueError) as failed:
        return str(failed)


def forget() -> None:
    _known.clear()
    _turns.clear()
