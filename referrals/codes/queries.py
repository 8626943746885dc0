from collections.abc import Iterable, Sequence
from datetime import datetime

import asyncpg

from app import clock, db
from app.errors import NotFound
from app.i18n import gettext as _
from app.paging import Page, cut, decode
from referrals.codes.spelling import norm_of

_STATE = """CASE WHEN c.leak_state = 'leaked' THEN 'leaked' WHEN c.disabled_at IS NOT NULL THEN 'off'
                 WHEN c.valid_until <= $2 THEN 'over' WHEN c.valid_from > $2 THEN 'later'
                 WHEN c.limit_total > 0 AND c.used_total >= c.limit_total THEN 'used_up' ELSE 'live' END"""


async def program_of(store_id: int) -> int:
    program_id: int | None = await db.fetch_val("SELECT id FROM program WHERE store_id = $1", store_id)
    if program_id is None:
        raise NotFound(_("This store has no programme yet."))
    return program_id


async def member_called(handle: str) -> int | None:
    return await db.fetch_val(
        "SELECT id FROM member WHERE lower(handle) = lower($1)", handle.strip().removeprefix("@").replace("\0", "")
    )


async def personal_code(program_id: int, owner_id: int) -> asyncpg.Record | None:
    """The one that is not leaked."""
    return await db.fetch_one(
        """SELECT * FROM code WHERE program_id = $1 AND owner_id = $2 AND kind = 'personal'
              AND leak_state <> 'leaked' AND disabled_at IS NULL""",
        program_id,
        owner_id,
    )


async def usable_code(slug: str, norm: str, now: datetime) -> asyncpg.Record | None:
    """A code of a store that counts at this moment."""
    if not norm:
        return None
    return await db.fetch_one(
        f"""SELECT c.* FROM code c JOIN program p ON p.id = c.program_id JOIN store s ON s.id = p.store_id
             WHERE s.slug = $1 AND c.code_norm = $3 AND {_STATE} = 'live' AND c.owner_id IS NOT NULL""",
        slug.replace("\0", ""),
        now,
        norm,
    )


async def codes_of_store(
    store_id: int, *, cursor: str | None, limit: int = 50, search: str = ""
) -> Page[asyncpg.Record]:
    """A store's codes, oldest first, so that a shop that asks again from its last cursor hears of the new ones."""
    after = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(
        f"""SELECT c.*, m.handle AS owner, {_STATE} AS state
              FROM program p JOIN code c ON c.program_id = p.id LEFT JOIN member m ON m.id = c.owner_id
             WHERE p.store_id = $1 AND c.id > $3 AND ($5 = '' OR c.code_norm LIKE $5 || '%' OR m.handle = lower($6))
             ORDER BY c.id LIMIT $4""",
        store_id,
        clock.now(),
        *after,
        limit + 1,
        _as_prefix(search),
        search.strip().removeprefix("@").replace("\0", ""),
    )
    return cut(rows, limit, lambda row: (row["id"],))


async def codes_of_member(member_id: int) -> list[asyncpg.Record]:
    """A member's codes, those that work first."""
    return await db.fetch(
        f"""SELECT c.*, s.slug AS store, s.name AS store_name, s.origin, {_STATE} AS state
              FROM code c JOIN program p ON p.id = c.program_id JOIN store s ON s.id = p.store_id
             WHERE c.owner_id = $1 ORDER BY ({_STATE} = 'live') DESC, s.name, c.id DESC LIMIT 200""",
        member_id,
        clock.now(),
    )


async def codes_on(order_ids: Sequence[int]) -> list[int]:
    """The codes that these orders are known to carry."""
    rows = await db.fetch("SELECT DISTINCT code_id FROM code_use WHERE order_id = ANY($1::bigint[])", order_ids)
    return [row["code_id"] for row in rows]


async def lock_codes(code_ids: Iterable[int]) -> list[asyncpg.Record]:
    return await db.fetch(
        "SELECT * FROM code WHERE id = ANY($1::bigint[]) ORDER BY id FOR UPDATE", sorted(set(code_ids))
    )


async def known_uses(pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], str]:
    """By order and code, the refusal that was noted, empty where it counts."""
    rows = await db.fetch(
        """SELECT u.order_id, u.code_id, u.refusal FROM unnest($1::bigint[], $2::bigint[]) AS t (order_id, code_id)
             JOIN code_use u ON u.order_id = t.order_id AND u.code_id = t.code_id""",
        *zip(*pairs, strict=True),
    )
    return {(row["order_id"], row["code_id"]): row["refusal"] for row in rows}


async def uses_by_buyers(asked: Sequence[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """How often each buyer has used each code; nobody knows it of an order without a customer."""
    rows = await db.fetch(
        """SELECT t.code_id, t.buyer, (SELECT count(*) FROM code_use u WHERE u.code_id = t.code_id
                                          AND u.buyer_key = t.buyer AND t.buyer <> '' AND u.refusal = '') AS many
             FROM (SELECT DISTINCT * FROM unnest($1::bigint[], $2::text[]) AS t (code_id, buyer)) t""",
        *zip(*asked, strict=True),
    )
    return {(row["code_id"], row["buyer"]): row["many"] for row in rows}


async def write_uses(rows: Sequence[tuple[int, int, str, str, bool]], at: datetime) -> None:
    await db.execute(
        """INSERT INTO code_use (code_id, order_id, buyer_key, refusal, is_cold, used_at)
           SELECT t.*, $6::timestamptz FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bool[]) t""",
        *zip(*rows, strict=True),
        at,
    )


async def write_totals(totals: dict[int, int]) -> None:
    await db.execute(
        """UPDATE code c SET used_total = t.total FROM unnest($1::bigint[], $2::int[]) AS t (id, total)
            WHERE c.id = t.id""",
        list(totals),
        list(totals.values()),
    )


async def uses_since(code_id: int, since: datetime) -> tuple[int, int]:
    """Cold uses and all uses of a code since a moment."""
    row = await db.fetch_one(
        """SELECT count(*) FILTER (WHERE is_cold) AS cold, count(*) AS uses
             FROM code_use WHERE code_id = $1 AND used_at >= $2 AND refusal = ''""",
        code_id,
        since,
    )
    assert row is not None
    return row["cold"], row["uses"]


async def first_orders(order_ids: Sequence[int]) -> set[int]:
    """Those of these orders whose buyer never bought at the store before."""
    rows = await db.fetch(
        """SELECT o.id FROM orders o WHERE o.id = ANY($1::bigint[]) AND NOT EXISTS (
                  SELECT 1 FROM orders p WHERE p.customer_id = o.customer_id AND p.id <> o.id AND p.paid_at IS NOT NULL
                     AND coalesce(p.placed_at, p.paid_at, p.created_at)
                       < coalesce(o.placed_at, o.paid_at, o.created_at))""",
        list(order_ids),
    )
    return {row["id"] for row in rows}


async def leak_rules_of(code_id: int) -> asyncpg.Record | None:
    """The policy in force for a code's programme."""
    return await db.fetch_one(
        """SELECT v.policy FROM code c JOIN program_version v ON v.program_id = c.program_id
            WHERE c.id = $1 ORDER BY v.version DESC LIMIT 1""",
        code_id,
    )


def _as_prefix(search: str) -> str:
    return norm_of(search) or search.strip().upper().replace("\0", "").replace("%", "").replace("_", "")


async def is_personal_link(link_id: int) -> bool:
    """Whether a link is the one each member has from the start."""
    return bool(await db.fetch_val("SELECT target_kind = 'member' FROM link WHERE id = $1", link_id))


async def codes_by_id(code_ids: list[int]) -> dict[int, asyncpg.Record]:
    rows = await db.fetch("SELECT * FROM code WHERE id = ANY($1::bigint[])", code_ids)
    return {row["id"]: row for row in rows}


async def code_of_store(program_id: int, code_id: int) -> asyncpg.Record:
    """A code as `codes_of_store` shows it."""
    row = await db.fetch_one(
        f"""SELECT c.*, m.handle AS owner, {_STATE} AS state FROM code c LEFT JOIN member m ON m.id = c.owner_id
             WHERE c.id = $1 AND c.program_id = $3""",
        code_id,
        clock.now(),
        program_id,
    )
    assert row is not None
    return row


async def stores_with_programs() -> list[asyncpg.Record]:
    return await db.fetch(
        "SELECT s.slug, s.name FROM store s JOIN program p ON p.store_id = s.id ORDER BY s.name, s.id LIMIT 200"
    )


async def codes_in_doubt(store_id: int, limit: int = 20) -> list[asyncpg.Record]:
    """Personal codes that are watched or leaked, the latest first, with how many strangers used each."""
    return await db.fetch(
        """SELECT c.*, m.handle AS owner, n.text AS new_code,
                  (SELECT count(*) FROM code_use u WHERE u.code_id = c.id AND u.is_cold AND u.refusal = '') AS strangers
             FROM program p JOIN code c ON c.program_id = p.id LEFT JOIN member m ON m.id = c.owner_id
             LEFT JOIN code n ON n.replaces_id = c.id
            WHERE p.store_id = $1 AND c.leak_state <> 'ok'
            ORDER BY coalesce(c.leaked_at, c.watched_at) DESC LIMIT $2""",
        store_id,
        limit,
    )
