"""Bulk writing: ids are taken first, so that everything can be copied in with its references."""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import msgspec

from app import clock, db
from app.auth import Viewer
from demo.content.model import DemoContent, Order


class Filling(msgspec.Struct):
    """What is known so far while the community is being filled in."""

    content: DemoContent
    now: datetime
    seed: int
    members: dict[str, int] = {}
    groups: dict[str, int] = {}
    rooms: dict[str, int] = {}
    topics: dict[tuple[str, int], int] = {}
    posts: dict[tuple[int, int], int] = {}
    stores: dict[str, int] = {}
    secrets: dict[str, str] = {}
    """The webhook secret of each store, by its slug."""
    products: dict[str, int] = {}
    reviews: dict[tuple[str, str], int] = {}
    guides: dict[str, int] = {}
    links: dict[str, int] = {}
    clicks: dict[str, UUID] = {}
    pictures: dict[str, str] = {}
    """The storage key of a product's or a member's picture, by "product/slug" or "member/handle"."""

    def at(self, ago: int) -> datetime:
        return self.now - timedelta(seconds=ago)

    def rng(self, part: str) -> Random:
        return Random(f"{self.seed}:filling:{part}")

    def viewer(self, handle: str) -> Viewer:
        """Somebody of the community, doing something themselves."""
        role = next(member.role for member in self.content.members if member.handle == handle)
        return Viewer(member_id=self.members[handle], handle=handle, role=role)

    def order(self, tag: str) -> Order:
        """An order of the story by its name in it."""
        return next(order for order in self.content.orders if order.tag == tag)


def go_to(moment: datetime) -> None:
    """Set our clock to this moment."""
    clock.travel_home()
    clock.travel(moment - clock.now())


async def take_ids(table: str, wanted: int) -> list[int]:
    """So many new ids of a table, rising."""
    rows = await db.fetch(
        "SELECT nextval(pg_get_serial_sequence($1, 'id')) AS id FROM generate_series(1, $2) ORDER BY id", table, wanted
    )
    return [row["id"] for row in rows]


async def copy_in(table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
    await db.copy_rows(table, columns.split(), list(rows))


def uuid_at(moment: datetime, name: str) -> UUID:
    """The id of a click as the redirect makes it (the millisecond, then noise), the same for a name."""
    noise = int.from_bytes(hashlib.sha256(name.encode()).digest()[:10])
    bits = (int(moment.timestamp() * 1000) << 80) | noise
    bits = bits & ~(0xF << 76) & ~(0x3 << 62) | (7 << 76) | (2 << 62)
    return UUID(int=bits)


def tag(lang: str) -> str:
    """The language as the application names it."""
    return "zh-Hans" if lang == "zh" else "en"
