"""Where each code leads, remembered by this process for a moment, so that a popular link costs no query.

A link that was switched off, changed or removed is noticed after `FRESH_SECONDS` at the latest.
"""

import asyncio
import re
import time

import msgspec

from app import db
from referrals.links.queries import could_be_code

FRESH_SECONDS = 3.0
MOST = 20_000
_GV = re.compile(r"(?:^|&)gv=[^&]*")


class Way(msgspec.Struct, frozen=True):
    """A link as the redirect needs it: the address is `before` + click id + `after`."""

    link_id: int
    before: str
    after: str
    open: bool


_ways: dict[str, tuple[float, Way | None]] = {}
_asking: dict[str, asyncio.Task[Way | None]] = {}


def remembered(code: str) -> tuple[bool, Way | None]:
    """Whether the answer is known and fresh, and the answer (None: there is no such link)."""
    known = _ways.get(code)
    if known is None or known[0] < time.monotonic():
        return False, None
    return True, known[1]


async def look_up(code: str) -> Way | None:
    """The way of a code from the database; many who ask at once cause one query."""
    if not could_be_code(code):
        return None
    asking = _asking.get(code)
    if asking is None:
        asking = _asking[code] = asyncio.create_task(_ask(code))
    # Shielded: one visitor who goes away must not cancel the answer of the others.
    return await asyncio.shield(asking)


def forget(code: str) -> None:
    _ways.pop(code, None)


async def _ask(code: str) -> Way | None:
    try:
        row = await db.fetch_one("SELECT id, destination, disabled_at FROM link WHERE code = $1", code)
        way = None
        if row is not None:
            way = Way(row["id"], *split_for_click(row["destination"]), open=row["disabled_at"] is None)
        if len(_ways) >= MOST:
            _ways.clear()
        _ways[code] = (time.monotonic() + FRESH_SECONDS, way)
        return way
    finally:
        _asking.pop(code, None)


def split_for_click(destination: str) -> tuple[str, str]:
    """The destination around the click id: an older `gv` is replaced, other parameters and the fragment stay."""
    address, hash_sign, fragment = destination.partition("#")
    path, _question, query = address.partition("?")
    query = _GV.sub("", query).lstrip("&")
    return f"{path}?{query}&gv=" if query else f"{path}?gv=", hash_sign + fragment
