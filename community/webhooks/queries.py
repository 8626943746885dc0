from typing import Any

import asyncpg
import msgspec

from app import db
from app.errors import NotFound
from app.paging import Page, cut, decode
from community.webhooks.schemas import AttemptView, DeliveryView, EndpointView

MOST_ENDPOINTS = 20
COUNTED = 1000
ATTEMPTS_SHOWN = 10

_ENDPOINT = f"""
    SELECT e.*, (SELECT count(*) FROM (SELECT 1 FROM webhook_delivery d
                  WHERE d.endpoint_id = e.id AND d.state = 'waiting' LIMIT {COUNTED:d}) few) AS waiting
      FROM webhook_endpoint e"""


async def endpoints_of(
    owner_kind: str, owner_id: int, *, cursor: str | None = None, limit: int = MOST_ENDPOINTS
) -> Page[EndpointView]:
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""{_ENDPOINT} WHERE e.owner_kind = $1 AND e.owner_id = $2 AND ($3::bigint IS NULL OR e.id < $3)
             ORDER BY e.id DESC LIMIT $4""",
        owner_kind,
        owner_id,
        before,
        limit + 1,
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([endpoint_view(row) for row in found.items], found.next)


async def everybody_told() -> list[asyncpg.Record]:
    """Every address, for whoever runs the server: `owner` is "group:3", "room:7" or "store:1"."""
    return await db.fetch(
        f"""SELECT e.id, e.owner_kind || ':' || e.owner_id AS owner, e.url, e.off_reason, e.resting_until, e.waiting,
                   (SELECT max(d.done_at) FROM webhook_delivery d
                     WHERE d.endpoint_id = e.id AND d.state = 'delivered') AS taken_at
              FROM ({_ENDPOINT}) e ORDER BY e.id"""
    )


async def count_on(owner_kind: str, owner_id: int) -> int:
    """How many addresses are told just now."""
    return await db.fetch_val(
        "SELECT count(*) FROM webhook_endpoint WHERE owner_kind = $1 AND owner_id = $2 AND off_at IS NULL",
        owner_kind,
        owner_id,
    )


async def told_by(owner_kind: str, maker_id: int) -> list[int]:
    """The owners for which this member gave us an address that is told just now."""
    rows = await db.fetch(
        "SELECT DISTINCT owner_id FROM webhook_endpoint WHERE owner_kind = $1 AND made_by_id = $2 AND off_at IS NULL",
        owner_kind,
        maker_id,
    )
    return [row["owner_id"] for row in rows]


async def endpoint_of(owner_kind: str, owner_id: int, endpoint_id: int) -> asyncpg.Record:
    """An endpoint of this owner, or NotFound."""
    row = None
    if endpoint_id < 2**63:
        row = await db.fetch_one(
            f"{_ENDPOINT} WHERE e.id = $3 AND e.owner_kind = $1 AND e.owner_id = $2", owner_kind, owner_id, endpoint_id
        )
    if row is None:
        raise NotFound()
    return row


async def deliveries_of(endpoint_id: int, cursor: str | None, limit: int = 20) -> Page[DeliveryView]:
    """The log of an endpoint, newest first, each with its last tries."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""SELECT d.*, coalesce(a.tries, '[]'::jsonb) AS attempts
              FROM webhook_delivery d
              LEFT JOIN LATERAL (
                  SELECT jsonb_agg(jsonb_build_object('at', at, 'status', status, 'why', why, 'took_ms', took_ms,
                                                      'answer', answer) ORDER BY id DESC) AS tries
                    FROM (SELECT * FROM webhook_attempt a WHERE a.delivery_id = d.id
                           ORDER BY a.id DESC LIMIT {ATTEMPTS_SHOWN:d}) few) a ON true
             WHERE d.endpoint_id = $1 AND ($2::bigint IS NULL OR d.id < $2)
             ORDER BY d.id DESC LIMIT $3""",
        endpoint_id,
        before,
        limit + 1,
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([_delivery_view(row) for row in found.items], found.next)


def endpoint_view(row: asyncpg.Record) -> EndpointView:
    return EndpointView(
        id=str(row["id"]),
        url=row["url"],
        types=row["types"],
        on=row["off_at"] is None,
        off_reason=row["off_reason"],
        waiting=row["waiting"],
        resting_until=row["resting_until"],
        created_at=row["created_at"],
    )


def _delivery_view(row: asyncpg.Record) -> DeliveryView:
    attempts: list[Any] = row["attempts"]
    return DeliveryView(
        id=str(row["id"]),
        message_id=row["message_id"],
        type=row["type"],
        state=row["state"],
        tries=row["tries"],
        occurred_at=row["occurred_at"],
        next_at=row["next_at"] if row["state"] == "waiting" else None,
        attempts=msgspec.convert(attempts, list[AttemptView]),
    )
