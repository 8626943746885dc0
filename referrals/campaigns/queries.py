from datetime import datetime

import asyncpg

from app import db
from app.auth import Viewer
from app.errors import NotFound
from app.paging import Page, cut, decode
from storefront.stores.policy import access_own_store

_CONTRACT = """
SELECT c.*, k.program_id, k.name, k.brief, k.starts_at, k.ends_at, k.currency, s.id AS store_id,
       s.slug, s.name AS store_name, m.handle
  FROM campaign_contract c
  JOIN campaign k ON k.id = c.campaign_id
  JOIN program p ON p.id = k.program_id
  JOIN store s ON s.id = p.store_id
  JOIN member m ON m.id = c.member_id
"""


async def access_campaign(viewer: Viewer, slug: str, campaign_id: int) -> asyncpg.Record:
    """A store's campaign, for who runs the store."""
    store = await access_own_store(viewer, slug)
    row = await db.fetch_one(
        """SELECT k.*, s.slug, s.name AS store_name, s.id AS store_id FROM campaign k
             JOIN program p ON p.id = k.program_id JOIN store s ON s.id = p.store_id
            WHERE k.id = $1 AND p.store_id = $2""",
        campaign_id,
        store["id"],
    )
    if row is None:
        raise NotFound()
    return row


async def access_contract(member_id: int, contract_id: int, *, lock: bool = False) -> asyncpg.Record:
    """A member's own part in a campaign; somebody else's and none look the same."""
    # The campaign first: what moves its promises locks in one order.
    order = " FOR UPDATE OF k, c" if lock else ""
    row = await db.fetch_one(f"{_CONTRACT} WHERE c.id = $1 AND c.member_id = $2{order}", contract_id, member_id)
    if row is None:
        raise NotFound()
    return row


async def access_milestone(
    milestone_id: int, *, member_id: int | None = None, campaign_id: int | None = None
) -> asyncpg.Record:
    """A milestone of this member, or of this campaign, locked."""
    row = await db.fetch_one(
        """SELECT x.*, c.member_id, c.campaign_id, c.by_id, c.state AS contract_state, c.escrowed_at, k.currency,
                  s.id AS store_id, s.slug, m.handle
             FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
             JOIN campaign k ON k.id = c.campaign_id JOIN program p ON p.id = k.program_id
             JOIN store s ON s.id = p.store_id JOIN member m ON m.id = c.member_id
            WHERE x.id = $1 AND ($2::bigint IS NULL OR c.member_id = $2) AND ($3::bigint IS NULL OR k.id = $3)
              FOR UPDATE OF k, c, x""",
        milestone_id,
        member_id,
        campaign_id,
    )
    if row is None:
        raise NotFound()
    return row


async def campaigns_of(program_id: int, *, cursor: str | None, limit: int = 20) -> Page[asyncpg.Record]:
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT k.*,
                  (SELECT count(*) FROM campaign_contract c
                    WHERE c.campaign_id = k.id AND c.state = 'accepted') AS taking,
                  (SELECT count(*) FROM campaign_milestone x JOIN campaign_contract c ON c.id = x.contract_id
                    WHERE c.campaign_id = k.id AND x.state = 'handed_in') AS to_look_at
             FROM campaign k WHERE k.program_id = $1 AND ($2::bigint IS NULL OR k.id < $2)
            ORDER BY k.id DESC LIMIT $3""",
        program_id,
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def contracts_of(campaign_id: int) -> list[asyncpg.Record]:
    return await db.fetch(f"{_CONTRACT} WHERE c.campaign_id = $1 ORDER BY c.id LIMIT 500", campaign_id)


async def contracts_with(member_id: int, *, limit: int = 100) -> list[asyncpg.Record]:
    """What a member was offered: what waits for an answer first."""
    return await db.fetch(
        f"{_CONTRACT} WHERE c.member_id = $1 ORDER BY c.state <> 'offered', c.id DESC LIMIT $2", member_id, limit
    )


async def milestones_of(contract_ids: list[int]) -> dict[int, list[asyncpg.Record]]:
    found: dict[int, list[asyncpg.Record]] = {one: [] for one in contract_ids}
    for row in await db.fetch(
        "SELECT * FROM campaign_milestone WHERE contract_id = ANY($1::bigint[]) ORDER BY due_at, id", contract_ids
    ):
        found[row["contract_id"]].append(row)
    return found


async def products_of(campaign_id: int) -> list[asyncpg.Record]:
    return await db.fetch(
        """SELECT p.id, p.slug, p.title FROM campaign_product c JOIN product p ON p.id = c.product_id
            WHERE c.campaign_id = $1 ORDER BY p.title, p.id""",
        campaign_id,
    )


def phase_of(campaign: asyncpg.Record, now: datetime) -> str:
    if now < campaign["starts_at"]:
        return "to_come"
    return "running" if now <= campaign["ends_at"] else "over"
