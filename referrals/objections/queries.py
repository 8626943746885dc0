import asyncpg

from app import db
from app.errors import NotFound
from app.paging import Page, cut, decode
from referrals.objections.schemas import ObjectionView, StoreObjectionView

_SHOWN = """
SELECT b.*, o.external_id AS order_ref, o.number, s.slug AS store_slug, s.name AS store_name, s.owner_id,
       s.id AS store_id, m.handle, w.handle AS winner, a.winner_id, a.candidates, a.shares, v.state AS override_state,
       b.state = 'open' AS is_open
  FROM credit_objection b
  JOIN orders o ON o.id = b.order_id JOIN store s ON s.id = o.store_id JOIN member m ON m.id = b.member_id
  JOIN LATERAL (SELECT * FROM attribution WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
  LEFT JOIN member w ON w.id = a.winner_id
  LEFT JOIN attribution_override v ON v.id = b.override_id
"""
_PLACE = "CASE b.state WHEN 'open' THEN -b.id ELSE b.id END"


async def objection_by_id(objection_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"{_SHOWN} WHERE b.id = $1", objection_id)
    assert row is not None
    return row


async def objection_at(store_id: int, objection_id: int, *, lock: bool = False) -> asyncpg.Record:
    for_update = "FOR UPDATE OF b" if lock else ""
    row = await db.fetch_one(f"{_SHOWN} WHERE b.id = $1 AND s.id = $2 {for_update}", objection_id, store_id)
    if row is None:
        raise NotFound()
    return row


async def objections_at(store_id: int, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    """Of a store: what waits on top, the oldest of it first; then what was decided, the newest first."""
    after = decode(cursor, (bool, int)) or (None, None)
    rows = await db.fetch(
        f"""{_SHOWN}
            WHERE s.id = $1 AND ($2::bool IS NULL OR (b.state = 'open', {_PLACE}) < ($2, $3::bigint))
            ORDER BY b.state = 'open' DESC, {_PLACE} DESC LIMIT $4""",
        store_id,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["is_open"], -row["id"] if row["is_open"] else row["id"]))


async def last_of(order_id: int, member_id: int) -> asyncpg.Record | None:
    """The newest objection of a member to how an order was decided."""
    return await db.fetch_one(
        f"{_SHOWN} WHERE b.order_id = $1 AND b.member_id = $2 ORDER BY b.id DESC LIMIT 1", order_id, member_id
    )


def people_in(row: asyncpg.Record) -> set[int | None]:
    """Who wins or loses by the answer: whoever objects, who is credited, with what share, and who might have been."""
    parts = [*row["candidates"], *(row["shares"] or [])]
    return {row["member_id"], row["winner_id"], *(one["member_id"] for one in parts)}


def state_of(row: asyncpg.Record) -> str:
    """Upheld is not credited yet while a second person has to agree, and not at all when they did not."""
    if row["state"] != "upheld":
        return str(row["state"])
    return {"proposed": "agreed", "refused": "refused"}.get(row["override_state"], "upheld")


def view_of(row: asyncpg.Record) -> ObjectionView:
    return ObjectionView(**_facts(row))


def store_view_of(row: asyncpg.Record) -> StoreObjectionView:
    return StoreObjectionView(**_facts(row), member=row["handle"], winner=row["winner"])


def _facts(row: asyncpg.Record) -> dict[str, str]:
    return {
        "id": str(row["id"]),
        "order": row["order_ref"],
        "store": row["store_slug"],
        "state": state_of(row),
        "said": row["said"],
        "answer": row["answer"],
        "created_at": row["created_at"].isoformat(),
        "due_at": row["due_at"].isoformat(),
    }
