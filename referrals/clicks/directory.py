"""Where each code leads, remembered by this process for a moment, so that a popular link costs no query.

A link that was switched off, changed or removed is noticed after `FRESH_SECONDS` at the latest.
"""

import asyncio
import re
import time
from collections import OrderedDict
from datetime import datetime

import asyncpg
import msgspec
from litestar.types import Scope

from app import clock, db
from app.errors import Unavailable
from referrals.clicks import last_known
from referrals.links import passing
from referrals.links.passing import Turns
from referrals.links.queries import could_be_code, link_by_code

FRESH_SECONDS = 3.0
ASK_SECONDS = 2.0
MOST = 20_000
_GV = re.compile(r"(?:^|&)(?:gv|afsrc)=[^&]*")
# Says to shopping extensions, in the words the trade agreed on, that a partner led here: they stand down.
STAND_DOWN = "&afsrc=1"


class Way(msgspec.Struct, frozen=True):
    """A link as the redirect needs it: the address is `before` + click id + `after`."""

    link_id: int
    before: str
    after: str
    open: bool
    blocked: str = ""
    """Why nobody is sent on, when it is not open: `disabled`, `early`, `expired` or `used_up`."""
    trigger: str = "link"
    """`qr` for the code that only the link's QR holds."""
    turns: Turns | None = None
    """A password, counted visits, rules or a split: ask `pass_by`. None for most links."""
    store_id: int | None = None
    ends_at: datetime | None = None


class Passage(msgspec.Struct, frozen=True):
    """What `pass_by` decided for one visit: where to, by which side of a split, or why not at all."""

    before: str
    after: str
    variant: str = ""
    blocked: str = ""


# Least lately visited first.
_ways: OrderedDict[str, tuple[float, Way | None]] = OrderedDict()
_asking: dict[str, asyncio.Task[Way | None]] = {}


def remembered(code: str) -> tuple[bool, Way | None]:
    """Whether the answer is known and fresh, and the answer (None: there is no such link)."""
    known = _ways.get(code)
    if known is None or known[0] < time.monotonic():
        return False, None
    _ways.move_to_end(code)
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


async def pass_by(way: Way, scope: Scope, at: datetime, *, is_person: bool) -> Passage:
    """Where this visit goes by a way with `turns`. Asks the database only when the link's visits are counted."""
    assert way.turns is not None
    client = scope["client"]
    passage = await passing.pass_by(
        way.link_id,
        way.turns,
        scope["headers"],  # type: ignore[arg-type]
        at=at,
        address=client[0] if client else "",
        is_person=is_person,
    )
    if passage.blocked:
        return Passage("", "", blocked=passage.blocked)
    return Passage(*split_for_click(passage.destination), variant=passage.variant)


def forget(code: str) -> None:
    _ways.pop(code, None)


async def _ask(code: str) -> Way | None:
    try:
        way = await _known_way(code)
        _ways[code] = (time.monotonic() + FRESH_SECONDS, way)
        _ways.move_to_end(code)
        # One at a time: whoever tries a hundred thousand codes must not make the popular links cost a query each.
        while len(_ways) > MOST:
            _ways.popitem(last=False)
        return way
    finally:
        _asking.pop(code, None)


async def _known_way(code: str) -> Way | None:
    """What the database says of a code; while it is away, what it said last."""
    last = last_known.recall(code, Way)
    try:
        async with asyncio.timeout(ASK_SECONDS if last is not None else None):
            row = await link_by_code(code)
    except (*db.LOST, Unavailable, TimeoutError):
        if last is None:
            raise
        # The day a link ends comes also while the database is away.
        ended = last.ends_at is not None and clock.now() >= last.ends_at
        return msgspec.structs.replace(last, open=False, blocked=passing.EXPIRED) if ended and last.open else last
    if row is None:
        last_known.forget(code)
        return None
    way = way_of(row, code)
    last_known.remember(code, way)
    return way


def way_of(link: asyncpg.Record, code: str) -> Way:
    blocked = passing.closed_because(link, clock.now())
    return Way(
        link["id"],
        *split_for_click(link["destination"]),
        open=not blocked,
        blocked=blocked,
        trigger="qr" if code == link["scan_code"] else "link",
        turns=passing.turns_of(link),
        store_id=link["store_id"],
        ends_at=link["ends_at"],
    )


def split_for_click(destination: str) -> tuple[str, str]:
    """The destination around the click id: an older `gv` is replaced, other parameters and the fragment stay.

    At a shop's address the id is followed by the signal that a partner led there.
    """
    address, hash_sign, fragment = destination.partition("#")
    path, _question, query = address.partition("?")
    query = _GV.sub("", query).lstrip("&")
    at_a_shop = STAND_DOWN if not address.startswith("/") else ""
    return f"{path}?{query}&gv=" if query else f"{path}?gv=", at_a_shop + hash_sign + fragment
