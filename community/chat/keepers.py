"""Who may have programs in a room: whoever runs it, and whom the feature above that opened it names besides.

A shop's people may let their stock speak in the room about their product; taking away what is said there is not theirs.
"""

from collections.abc import Awaitable, Callable

import asyncpg
import msgspec

from app import db
from app.auth import Viewer
from community.chat import policy

KINDS = ("product", "live")
"""Rooms that have programs of their own; a group's room has those of its group."""


class Keeper(msgspec.Struct, frozen=True):
    """`may_keep`: besides those who run the room. `owner`: whose bell rings, if it is anybody's."""

    may_keep: Callable[[Viewer, int], Awaitable[bool]]
    owner: Callable[[int], Awaitable[int | None]]


KEEPERS: dict[str, Keeper] = {}
"""By the room's kind. The features above fill it in."""


async def may_keep(viewer: Viewer, room: asyncpg.Record) -> bool:
    if room["kind"] not in KINDS or not viewer.is_member:
        return False
    if policy.may_moderate(viewer, room):
        return True
    keeper = KEEPERS.get(room["kind"])
    return keeper is not None and await keeper.may_keep(viewer, room["id"])


async def owner_of(room_id: int) -> int | None:
    kind = await db.fetch_val("SELECT kind FROM room WHERE id = $1", room_id)
    if kind in KEEPERS:
        return await KEEPERS[kind].owner(room_id)
    # The first of its hosts: who announced it, or after them who hosted along.
    return await db.fetch_val(
        """SELECT member_id FROM room_member WHERE room_id = $1 AND role = 'host' AND state = 'active'
            ORDER BY id LIMIT 1""",
        room_id,
    )
