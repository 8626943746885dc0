"""The last known way of each code, kept when the database is not: in memory, and in a file for a process that starts
while it is away.

What was switched off meanwhile cannot be known then; whatever the database says, once it answers, counts again.
"""

import logging
import os
import time
from pathlib import Path

import msgspec

from app.settings import settings

log = logging.getLogger(__name__)

MOST = 20_000
KEPT_DAYS = 7


def file() -> Path:
    return settings().data_dir / "links.snapshot"


class Book(msgspec.Struct):
    """What was known of each code, and when it was written down."""

    at: float
    ways: dict[str, msgspec.Raw]


_ways: dict[str, object] = {}
_is_new = False


def remember(code: str, way: object) -> None:
    """Note what the database said of a code; the oldest fall out first."""
    global _is_new
    if _ways.get(code) == way:
        return
    _ways.pop(code, None)
    if len(_ways) >= MOST:
        del _ways[next(iter(_ways))]
    _ways[code] = way
    _is_new = True


def recall(code: str) -> object | None:
    return _ways.get(code)


def forget(code: str) -> None:
    """The database said that there is no such link."""
    global _is_new
    if _ways.pop(code, None) is not None:
        _is_new = True


def save() -> None:
    """Write the file anew when something in it changed; whole or not at all."""
    global _is_new
    if not _is_new:
        return
    _is_new = False
    place = file()
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_suffix(f".{os.getpid()}")
    beside.write_bytes(msgspec.json.encode({"at": time.time(), "ways": dict(_ways)}))
    beside.chmod(0o600)
    beside.replace(place)


def load(kind: type) -> int:
    """Read the file of an earlier process; what is known already stays. How many codes were learnt."""
    try:
        book = msgspec.json.decode(file().read_bytes(), type=Book)
        ways: dict[str, object] = {code: msgspec.json.decode(way, type=kind) for code, way in book.ways.items()}
    except FileNotFoundError:
        return 0
    except (OSError, msgspec.MsgspecError) as error:
        log.warning("the snapshot of links cannot be read: %s", error)
        return 0
    if time.time() - book.at > KEPT_DAYS * 86_400:
        return 0
    for code, way in ways.items():
        _ways.setdefault(code, way)
    return len(ways)


def empty() -> None:
    """Forget everything this process knows (tests)."""
    global _is_new
    _ways.clear()
    _is_new = False
