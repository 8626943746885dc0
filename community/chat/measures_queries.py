from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from app import db
from app.paging import Page, cut, decode
from community.chat.measures_schemas import MeasureView
from community.chat.schemas import Author, Order
from community.members.queries import as_author

_MEASURES = f"""
    SELECT x.*, x.lifted_at IS NULL AND (x.until IS NULL OR x.until > now()) AS stands,
           CASE WHEN m.id IS NOT NULL THEN {as_author("m")} END AS member,
           {as_author("b")} AS by, CASE WHEN l.id IS NOT NULL THEN {as_author("l")} END AS lifted_by
      FROM room_measure x
      LEFT JOIN member m ON m.id = x.member_id
      JOIN member b ON b.id = x.by_id
      LEFT JOIN member l ON l.id = x.lifted_by_id
     WHERE x.room_id = $1"""


async def standing(room_id: int) -> list[asyncpg.Record]:
    """What stands at the moment, the newest first."""
    return await db.fetch(
        f"""{_MEASURES} AND x.lifted_at IS NULL AND (x.until IS NULL OR x.until > now())
            ORDER BY x.id DESC LIMIT 200""",
        room_id,
    )


async def log_of(room_id: int, *, cursor: str | None, limit: int = 30) -> Page[asyncpg.Record]:
    """All that was ever done here, the newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"{_MEASURES} AND ($2::bigint IS NULL OR x.id < $2) ORDER BY x.id DESC LIMIT $3", room_id, before, limit + 1
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def measure(room_id: int, measure_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"{_MEASURES} AND x.id = $2", room_id, measure_id)
    assert row is not None
    return row


async def author_of(room_id: int, message_id: int) -> str:
    """The handle of who wrote a message of this room; empty when there is none."""
    return (
        await db.fetch_val(
            "SELECT a.handle FROM message m JOIN member a ON a.id = m.author_id WHERE m.id = $1 AND m.room_id = $2",
            message_id,
            room_id,
        )
        or ""
    )


def orders_on(room: asyncpg.Record) -> list[Order]:
    """What keeps the viewer of this room (as `policy.access_room` gave it) from writing; what weighs most first."""
    orders = []
    if room["is_silenced"]:
        orders.append(Order("silence", room["silenced_until"], room["silenced_why"]))
    about_all = room["measures"] or {}
    for kind, holds in (("freeze", room["frozen_at"] is not None), ("slow", room["slow_seconds"] > 0)):
        if holds:
            told = about_all.get(kind, {})
            until = datetime.fromisoformat(told["until"]) if told.get("until") else None
            seconds = room["slow_seconds"] if kind == "slow" else 0
            orders.append(Order(kind, until, told.get("reason", ""), seconds))
    return orders


def notice_of(room: asyncpg.Record) -> dict[str, Any]:
    """What the line above the composer shows."""
    orders = orders_on(room)
    return {"orders": orders, "orders_json": msgspec.json.encode(orders).decode()}


def view(row: asyncpg.Record) -> MeasureView:
    return MeasureView(
        id=str(row["id"]),
        kind=row["kind"],
        member=_author(row["member"]),
        reason=row["reason"],
        seconds=row["seconds"],
        until=row["until"],
        by=_author(row["by"]),  # type: ignore[arg-type]
        created_at=row["created_at"],
        stands=row["stands"],
        lifted_at=row["lifted_at"],
        lifted_by=_author(row["lifted_by"]),
    )


def _author(found: dict | None) -> Author | None:
    return Author(str(found["id"]), found["handle"], found["name"], found.get("avatar_url") or "") if found else None
