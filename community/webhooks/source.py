from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import msgspec

from app.jobs import Work


class Place(msgspec.Struct, frozen=True):
    """Whose webhooks these are, as a page of theirs shows it."""

    owner_id: int
    url: str
    """The page of its webhooks."""
    shown: dict[str, Any] = {}
    """What the frame of that page needs besides."""


class Source(msgspec.Struct, frozen=True):
    """Something that tells: a group's room, or a store's programme. The features above fill it in.

    `access`: the place, for those who run it. `read`: what these deliveries say just now, None where nothing is left.
    `gather`: take over what happened since; whether there was anything. `send`: the job that sends to an endpoint.
    """

    owner_kind: str
    types: tuple[str, ...]
    access: Callable[..., Awaitable[Place]]
    """A dependency of the doors: it takes the viewer, and from the path whose webhooks they are."""
    read: Callable[[asyncpg.Record, list[asyncpg.Record]], Awaitable[list[Any]]]
    gather: Callable[[asyncpg.Record], Awaitable[bool]]
    start_at: Callable[[int], Awaitable[int]]
    """How far an owner's happenings have come, for an endpoint that begins now."""
    owner: Callable[[int], Awaitable[tuple[int, str] | None]]
    """Whose bell rings when something goes wrong, and the page it leads to."""
    send: Work
