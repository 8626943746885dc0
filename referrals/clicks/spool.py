"""Where clicks wait on disk while the database is away: appended in groups, synced before the visitor moves on.

A file belongs to one process, which holds a lock on it; the lock of a killed process is free, so the next one that
looks replays its file. A record is one line, its checksum and its JSON: what was torn by a crash is skipped. Clicks
are written again under their ids, which the database takes once, so a crash between writing and deleting harms nothing.
"""

import fcntl
import logging
import os
import secrets
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from app.settings import settings

log = logging.getLogger(__name__)

ENDING = ".clicks"
# A file of its own for each stretch: what is being replayed is never written to.
_open: IO[bytes] | None = None
_hand = threading.Lock()


def folder() -> Path:
    return settings().data_dir / "spool"


def append(records: list[bytes]) -> None:
    """Return when the records are on the disk."""
    global _open
    with _hand:
        if _open is None:
            _open = _new_file()
        _open.write(b"".join(b"%08x %s\n" % (zlib.crc32(record), record) for record in records))
        _open.flush()
        os.fsync(_open.fileno())


def close() -> None:
    """Begin another file at the next record; the one so far may be replayed."""
    global _open
    with _hand:
        if _open is not None:
            _open.close()
            _open = None


def waiting() -> list[Path]:
    """The files that hold clicks, the oldest first."""
    return sorted(folder().glob(f"*{ENDING}")) if folder().is_dir() else []


@contextmanager
def taken(file: Path) -> Iterator[list[bytes] | None]:
    """The records of a file nobody else has in hand (None: somebody has). Delete it inside, once they are safe."""
    try:
        opened = file.open("rb")
    except FileNotFoundError:
        yield None
        return
    with opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield list(_whole_records(opened)) if file.exists() else None


def delete(file: Path) -> None:
    file.unlink()


def _whole_records(lines: IO[bytes]) -> Iterator[bytes]:
    for line in lines:
        checksum, _space, record = line.rstrip(b"\n").partition(b" ")
        if line.endswith(b"\n") and checksum == b"%08x" % zlib.crc32(record):
            yield record
        else:
            log.warning("a torn click record was skipped in %s", lines.name)


def _new_file() -> IO[bytes]:
    place = folder()
    place.mkdir(parents=True, exist_ok=True)
    # The name sorts by time; the hidden name keeps others away until the lock is held.
    hidden = place / f".{secrets.token_hex(8)}"
    opened = hidden.open("wb")
    fcntl.flock(opened, fcntl.LOCK_EX)
    hidden.rename(place / f"{_next_number():016d}-{secrets.token_hex(4)}{ENDING}")
    _sync_folder(place)
    return opened


def _next_number() -> int:
    files = waiting()
    return int(files[-1].name.partition("-")[0]) + 1 if files else 1


def _sync_folder(place: Path) -> None:
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def encode(record: object) -> bytes:
    return msgspec.json.encode(record)
