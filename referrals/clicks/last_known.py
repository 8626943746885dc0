"""The last known way of each code, kept when the database is not: in memory, and in a file for a process that starts
while it is away.

Links that are visited come first, then whatever `learning` read, for as many as fit into `MOST_BYTES`. What was
switched off meanwhile cannot be known then; whatever the database says, once it answers, counts again.
"""

import logging
import os
import time
from collections import OrderedDict
from itertools import islice
from pathlib import Path
from typing import TypeVar

import msgspec

from app.settings import settings

log = logging.getLogger(__name__)

MOST_BYTES = 32 * 2**20
# What Python keeps beside the letters: two objects and their place in the book (measured: 276 of 466 for a usual link).
KEPT_BESIDE = 300
KEPT_DAYS = 7
# A book of 62,000 links takes 40 ms to write: never more than a hundredth of the time goes into it.
REST = 100
AT_ONCE = 1000

Kind = TypeVar("Kind")


def file() -> Path:
    return settings().data_dir / "links.snapshot"


class Header(msgspec.Struct):
    """The first line of the file. Each further one is a code, a space and its way."""

    at: float


# Least lately visited first. Kept as they are written down, which is smaller than the objects.
_ways: OrderedDict[str, bytes] = OrderedDict()
_bytes = 0
_is_new = False
_rests_until = 0.0


def remember(code: str, way: object) -> None:
    """Note what the database said of a code that somebody visits; who was not visited for longest falls out first."""
    _put(code, msgspec.json.encode(way))
    _ways.move_to_end(code)
    while _bytes > MOST_BYTES:
        oldest, way_of_oldest = _ways.popitem(last=False)
        _count(-_size(oldest, way_of_oldest))


def learn(code: str, way: object) -> bool:
    """Note what the database says of a code nobody asked for, if there is room: it displaces none that is visited."""
    encoded = msgspec.json.encode(way)
    if code not in _ways:
        if _bytes + _size(code, encoded) > MOST_BYTES:
            return False
        _put(code, encoded)
        _ways.move_to_end(code, last=False)
    else:
        _put(code, encoded)
    return True


def recall(code: str, kind: type[Kind]) -> Kind | None:
    way = _ways.get(code)
    if way is None:
        return None
    try:
        return msgspec.json.decode(way, type=kind)
    except msgspec.MsgspecError:
        # The file of another version, or of a disk that lies.
        forget(code)
        return None


def forget(code: str) -> None:
    """The database said that there is no such link."""
    global _is_new
    way = _ways.pop(code, None)
    if way is not None:
        _count(-_size(code, way))
        _is_new = True


def how_many() -> int:
    return len(_ways)


def save(*, at_once: bool = False) -> None:
    """Write the file anew when something in it changed; whole or not at all."""
    global _is_new, _rests_until
    started = time.monotonic()
    if not _is_new or (started < _rests_until and not at_once):
        return
    _is_new = False
    place = file()
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(f".{os.getpid()}")
    with beside.open("wb") as book:
        beside.chmod(0o600)
        book.write(msgspec.json.encode(Header(time.time())) + b"\n")
        ways = iter(list(_ways.items()))
        # Piece by piece: a thread that joins millions of bytes lets nobody else run meanwhile.
        while piece := list(islice(ways, AT_ONCE)):
            book.write(b"".join(b"%s %s\n" % (code.encode(), way) for code, way in piece))
    beside.replace(place)
    _rests_until = started + REST * (time.monotonic() - started)


def load() -> int:
    """Read the file of an earlier process; what is known already stays. How many codes were learnt."""
    try:
        with file().open("rb") as book:
            header = msgspec.json.decode(book.readline(), type=Header)
            lines = book.read().splitlines()
    except FileNotFoundError:
        return 0
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("the snapshot of links cannot be read: %s", error)
        return 0
    if time.time() - header.at > KEPT_DAYS * 86_400:
        return 0
    learnt = 0
    for line in lines:
        code, _space, way = line.decode(errors="replace").partition(" ")
        if code not in _ways and way:
            _put(code, way.encode())
            learnt += 1
    while _bytes > MOST_BYTES:
        _count(-_size(*_ways.popitem(last=False)))
    return learnt


def empty() -> None:
    """Forget everything this process knows (tests)."""
    global _is_new, _rests_until
    _ways.clear()
    _count(-_bytes)
    _is_new, _rests_until = False, 0.0


def _put(code: str, way: bytes) -> None:
    global _is_new
    was = _ways.get(code)
    if was == way:
        return
    if was is not None:
        _count(-_size(code, was))
    _ways[code] = way
    _count(_size(code, way))
    _is_new = True


def _size(code: str, way: bytes) -> int:
    return len(code) + len(way) + KEPT_BESIDE


def _count(more: int) -> None:
    global _bytes
    _bytes += more
