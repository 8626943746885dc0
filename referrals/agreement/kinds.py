"""What may take two people. The features that know how to do it say so here; this one knows only that it waits."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec

from app.auth import Viewer


class Change(msgspec.Struct, frozen=True):
    """What a feature wants to do once two people want it: its data is the struct itself."""


class Kind(msgspec.Struct, frozen=True):
    shape: type[Change]
    apply: Callable[[Viewer, asyncpg.Record, Any], Awaitable[None]]
    """For whoever proposed it, in the store. Raises a Problem when it cannot be done (any more)."""
    describe: Callable[[asyncpg.Record, Any], Awaitable[list[str]]]
    """Sentences for the second person."""
    gains: Callable[[Any], Awaitable[int | None]] | None = None
    """The member who gets something by it, who cannot be the second person."""


KINDS: dict[str, Kind] = {}


def takes_two(name: str, kind: Kind) -> None:
    KINDS[name] = kind


def name_of(change: Change) -> str:
    return next(name for name, kind in KINDS.items() if kind.shape is type(change))


def read(name: str, said: Any) -> Any:
    return msgspec.convert(said, KINDS[name].shape)
