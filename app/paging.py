"""Cursor pages: the next page starts after the last row seen, whatever was added in between. No OFFSET."""

import base64
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import msgspec

from app.errors import Malformed

R = TypeVar("R")

MOST = 100


class Page(msgspec.Struct, Generic[R]):
    """One page of a list and the cursor of the next, or None at the end."""

    items: list[R]
    next: str | None = None


def encode(*key: Any) -> str:
    """An opaque cursor of the last row's sort key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode(cursor: str | None, shape: tuple[type, ...]) -> tuple[Any, ...] | None:
    """The sort key in a cursor, or Malformed for one we did not make."""
    if not cursor:
        return None
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.json.decode(raw, type=tuple[shape])  # type: ignore[valid-type]
    except (ValueError, msgspec.MsgspecError) as error:
        raise Malformed("This page address is not one of ours. Start from the first page.") from error


def cut(rows: Sequence[R], limit: int, key: Any) -> Page[R]:
    """A page out of `limit + 1` rows: the extra one only tells that there is more."""
    items = list(rows[:limit])
    return Page(items, encode(*key(items[-1])) if len(rows) > limit else None)


def limit_of(asked: int | None, default: int = 20) -> int:
    return min(max(default if asked is None else asked, 1), MOST)
