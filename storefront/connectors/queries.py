import asyncpg

from app import db
from app.paging import Page, cut, decode


async def unapplied(*, limit: int = 100) -> list[asyncpg.Record]:
    """Messages that count for nothing so far: flagged for a person, or not understood. The newest first."""
    return await db.fetch(
        """SELECT i.id, s.slug AS store, i.event_id, i.topic, i.state, i.note, i.received_at
             FROM inbox i JOIN store s ON s.id = i.store_id
            WHERE i.state IN ('flagged', 'kept') ORDER BY i.id DESC LIMIT $1""",
        limit,
    )


async def unapplied_of(store_id: int, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT id, event_id, topic, state, note, via, received_at FROM inbox
            WHERE store_id = $1 AND state IN ('flagged', 'kept') AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def held_orders(store_id: int | None = None, cursor: str | None = None, limit: int = 20) -> Page[asyncpg.Record]:
    """Orders whose amounts do not add up; nothing is earned on them until somebody says that they are right."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT o.id, o.external_id, o.number, o.currency, o.doubt, o.placed_at, o.created_at, o.total,
                  s.slug AS store, (SELECT coalesce(sum(l.gross - l.discount), 0)::bigint FROM order_line l
                                     WHERE l.order_id = o.id) AS goods
             FROM orders o JOIN store s ON s.id = o.store_id
            WHERE o.doubt <> '' AND ($1::bigint IS NULL OR o.store_id = $1) AND ($2::bigint IS NULL OR o.id < $2)
            ORDER BY o.id DESC LIMIT $3""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def wire_of(store_id: int) -> asyncpg.Record:
    """How a store's messages come in: the newest one, how many in a week, and what was asked for last."""
    row = await db.fetch_one(
        """SELECT (SELECT max(received_at) FROM inbox WHERE store_id = $1 AND via = 'webhook') AS heard_at,
                  (SELECT count(*) FROM inbox WHERE store_id = $1 AND via = 'webhook'
                      AND received_at > now() - interval '7 days') AS in_a_week,
                  (SELECT count(*) FROM inbox WHERE store_id = $1 AND state = 'received') AS waiting,
                  EXISTS (SELECT 1 FROM store_access WHERE store_id = $1) AS can_ask,
                  p.started_at AS pulled_at, p.ended_at, p.seen, p.missed, p.stale, p.extra, p.error
             FROM (SELECT 1) one
             LEFT JOIN LATERAL (SELECT * FROM store_pull WHERE store_id = $1 ORDER BY id DESC LIMIT 1) p ON true""",
        store_id,
    )
    assert row is not None
    return row


async def finds_of(store_id: int, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """Orders that the looks at a store found to be missing, differing, or unknown to the store; the newest first."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT f.id, f.order_external_id, f.kind, p.started_at AS found_at, o.number
             FROM store_pull p JOIN store_pull_find f ON f.pull_id = p.id
             LEFT JOIN orders o ON o.store_id = p.store_id AND o.external_id = f.order_external_id
            WHERE p.store_id = $1 AND ($2::bigint IS NULL OR f.id < $2)
            ORDER BY f.id DESC LIMIT $3""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def pulls_of(store_id: int, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """The looks at a store, each with how many orders it found, the newest first."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT * FROM store_pull WHERE store_id = $1 AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))
