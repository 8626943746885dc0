import re

import asyncpg

from app import db
from app.errors import NotFound
from app.paging import Page, cut, decode
from community.groups.policy import readable_groups

_CODE = re.compile(r"[a-z0-9_-]{1,40}")


def could_be_code(given: str) -> bool:
    """Whether a (lower case) code from an address could be one of ours at all."""
    return _CODE.fullmatch(given) is not None


async def links_of(owner_id: int, *, cursor: str | None, limit: int = 20, search: str = "") -> Page[asyncpg.Record]:
    """A member's links, newest first, with what they are called and how many people and machines came by them.

    `search` finds a piece of the code, the placement, the external id or the address.
    """
    after = decode(cursor, (int,)) or (None,)
    piece = "%" + re.sub(r"([%_\\])", r"\\\1", search.strip()[:100]) + "%" if search.strip() else None
    rows = await db.fetch(
        f"""SELECT l.*, c.clicks, c.bots, coalesce(p.title, g.title, t.title, rp.title, gr.name) AS title
             FROM (SELECT * FROM link WHERE owner_id = $1 AND ($2::bigint IS NULL OR id < $2)
                      AND ($4::text IS NULL OR code ILIKE $4 OR placement ILIKE $4 OR external_id ILIKE $4
                           OR destination ILIKE $4)
                    ORDER BY id DESC LIMIT $3) l
             LEFT JOIN LATERAL (
                  SELECT coalesce(sum(clicks) FILTER (WHERE kind = 'human'), 0)::bigint AS clicks,
                         coalesce(sum(clicks) FILTER (WHERE kind <> 'human'), 0)::bigint AS bots
                    FROM click_count WHERE link_id = l.id) c ON true
             LEFT JOIN product p ON l.target_kind = 'product' AND p.id = l.target_id
             LEFT JOIN guide g ON l.target_kind = 'guide' AND g.id = l.target_id
             LEFT JOIN topic t ON l.target_kind = 'topic' AND t.id = l.target_id AND EXISTS (
                  SELECT 1 FROM groups tg WHERE tg.id = t.group_id AND {readable_groups("tg", "$1")})
             LEFT JOIN review r ON l.target_kind = 'review' AND r.id = l.target_id
             LEFT JOIN product rp ON rp.id = r.product_id
             LEFT JOIN groups gr ON l.target_kind = 'group' AND gr.id = l.target_id
            ORDER BY l.id DESC""",
        owner_id,
        *after,
        limit + 1,
        piece,
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def link_by_code(code: str) -> asyncpg.Record | None:
    """The link a code leads to: its own, the one on its QR, or one it was once called by."""
    code = code.lower()
    if not could_be_code(code):
        return None
    return await db.fetch_one(
        """SELECT * FROM link WHERE code = $1 OR scan_code = $1
           UNION ALL
           SELECT l.* FROM link_former_code f JOIN link l ON l.id = f.link_id WHERE f.code = $1
           LIMIT 1""",
        code,
    )


async def links_before(link_id: int, limit: int) -> list[asyncpg.Record]:
    """Everybody's links, newest first, with the codes each was once called by: for a walk through all of them."""
    return await db.fetch(
        """SELECT l.*, ARRAY(SELECT code FROM link_former_code WHERE link_id = l.id) AS former_codes
             FROM link l WHERE l.id < $1 ORDER BY l.id DESC LIMIT $2""",
        link_id,
        limit,
    )


async def own_link(owner_id: int, code: str) -> asyncpg.Record | None:
    link = await link_by_code(code)
    return link if link is not None and link["owner_id"] == owner_id else None


async def access_own_link(owner_id: int, code: str) -> asyncpg.Record:
    """The link, for its owner; somebody else's and none look the same."""
    link = await own_link(owner_id, code)
    if link is None:
        raise NotFound()
    return link


async def named_link(owner_id: int, external_id: str) -> asyncpg.Record | None:
    return await db.fetch_one("SELECT * FROM link WHERE owner_id = $1 AND external_id = $2", owner_id, external_id)


async def place_of(link_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(
        "SELECT kind, location, cost, currency FROM link_placement WHERE link_id = $1 AND removed_at IS NULL", link_id
    )


async def places_of(link_ids: list[int]) -> dict[int, asyncpg.Record]:
    rows = await db.fetch(
        """SELECT link_id, kind, location, cost, currency FROM link_placement
            WHERE link_id = ANY($1) AND removed_at IS NULL""",
        link_ids,
    )
    return {row["link_id"]: row for row in rows}


async def former_codes(link_id: int) -> list[str]:
    rows = await db.fetch("SELECT code FROM link_former_code WHERE link_id = $1 ORDER BY id", link_id)
    return [row["code"] for row in rows]
