"""Who is told when a person decides on credit: the member who gains, the one who loses, and who must agree."""

from typing import Any

import asyncpg
import msgspec

from app import db
from referrals.attribution.addresses import why_address


class Notice(msgspec.Struct):
    member_id: int
    kind: str
    source: str
    url: str
    data: dict[str, Any]


async def of_override(override_id: int) -> list[Notice]:
    """For the member the override credits, and the one the facts had credited."""
    row = await _override(override_id)
    displaced = await db.fetch_val(
        """SELECT winner_id FROM attribution WHERE order_id = $1 AND rule NOT LIKE 'override%'
            ORDER BY version DESC LIMIT 1""",
        row["order_id"],
    )
    if displaced == row["winner_id"]:
        return []
    in_force = row["state"] == "in_force"
    url = why_address(row["order_ref"], row["store_slug"])
    data = {"order": row["number"] or row["order_ref"], "store": row["store_name"], "reason": row["reason"]}
    told = {row["winner_id"]: in_force, displaced: not in_force}
    return [
        Notice(member_id, "credit_overruled", f"override:{override_id}:{row['state']}", url, data | {"yours": yours})
        for member_id, yours in told.items()
        if member_id is not None
    ]


async def of_proposal(override_id: int) -> list[Notice]:
    """For the store's owner and the admins, except who proposed it."""
    row = await _override(override_id)
    people = await db.fetch(
        "SELECT id FROM member WHERE (id = $1 OR role = 'admin') AND id <> $2 ORDER BY id LIMIT 50",
        row["owner_id"],
        row["proposed_by"],
    )
    url = f"/admin/programs/{row['store_slug']}/overrides"
    data = {"order": row["number"] or row["order_ref"], "store": row["store_name"], "reason": row["reason"]}
    return [Notice(one["id"], "override_proposed", f"override:{override_id}:proposed", url, data) for one in people]


async def _override(override_id: int) -> asyncpg.Record:
    row = await db.fetch_one(
        """SELECT v.*, o.external_id AS order_ref, o.number, s.name AS store_name, s.slug AS store_slug, s.owner_id
             FROM attribution_override v JOIN orders o ON o.id = v.order_id JOIN store s ON s.id = o.store_id
            WHERE v.id = $1""",
        override_id,
    )
    assert row is not None
    return row
