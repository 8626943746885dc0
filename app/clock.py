"""The one source of time: UTC and aware. Tests travel; nothing else calls `datetime.now`."""

from datetime import UTC, datetime, timedelta

_offset = timedelta()


def now() -> datetime:
    """The current moment, UTC and aware."""
    return datetime.now(UTC) + _offset


def travel(by: timedelta) -> None:
    """Move every later `now()` by this much (tests only); `travel_home` undoes it."""
    global _offset
    _offset += by


def travel_home() -> None:
    global _offset
    _offset = timedelta()
