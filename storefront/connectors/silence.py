"""Webhooks that stopped without a word: providers switch them off after some failures and tell nobody of it."""

from datetime import datetime, timedelta

import msgspec

from app import clock, db
from community.notifications.service import notify

LEAST = timedelta(hours=24)
# Eight times the usual gap: once in a long while a quiet weekend, far more often a webhook that is off.
GAPS = 8
ENOUGH_TO_KNOW = 10
REMEMBERED = timedelta(days=30)


class Silent(msgspec.Struct, frozen=True):
    """`is_sure`: a pull found orders that came after the last message."""

    store_id: int
    slug: str
    name: str
    owner_id: int | None
    heard_at: datetime | None
    is_sure: bool


async def silent_stores(store_id: int | None = None) -> list[Silent]:
    """Stores (or that one) that sell and are not heard: longer than usual, or with orders only a pull has found."""
    rows = await db.fetch(
        """SELECT s.id, s.slug, s.name, s.owner_id, w.heard_at, w.first_at, w.messages,
                  EXISTS (SELECT 1 FROM store_pull p WHERE p.store_id = s.id AND p.missed > 0
                             AND (w.heard_at IS NULL OR p.started_at > w.heard_at)) AS is_sure
             FROM store s
             LEFT JOIN LATERAL (SELECT max(received_at) AS heard_at, min(received_at) AS first_at, count(*) AS messages
                                  FROM inbox i WHERE i.store_id = s.id AND i.via = 'webhook'
                                   AND i.received_at > $1) w ON true
            WHERE $2::bigint IS NULL OR s.id = $2
            ORDER BY s.slug""",
        clock.now() - REMEMBERED,
        store_id,
    )
    return [
        Silent(row["id"], row["slug"], row["name"], row["owner_id"], row["heard_at"], row["is_sure"])
        for row in rows
        if row["is_sure"] or _is_longer_than_usual(row["first_at"], row["heard_at"], row["messages"])
    ]


async def tell_owners() -> None:
    """Ring the bell of each silent store's owner, once for each silence."""
    for store in await silent_stores():
        if store.owner_id:
            await notify(
                store.owner_id,
                "store_silent",
                source=f"store:{store.store_id}:silent:{store.heard_at.isoformat() if store.heard_at else 'ever'}",
                url=f"/admin/programs/{store.slug}/orders",
                data={"store": store.name, "heard_at": store.heard_at.isoformat() if store.heard_at else ""},
            )


def _is_longer_than_usual(first: datetime | None, last: datetime | None, messages: int) -> bool:
    if first is None or last is None or messages < ENOUGH_TO_KNOW:
        return False
    usual = (last - first) / (messages - 1)
    return clock.now() - last > max(LEAST, usual * GAPS)
