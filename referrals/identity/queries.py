from datetime import timedelta
from typing import Any

import asyncpg

from app import clock, db
from app.paging import Page, cut, decode
from referrals.identity.schemas import CheckView, StandingView, WaitingView

ANEW = timedelta(days=60)
"""So long before the end one may ask for the next look."""


def checked_at(member: str, now: str) -> str:
    """SQL: the stores whose newest word on this member is a good one, by a document that has not ended; an array."""
    return f"""ARRAY(SELECT newest.store_id FROM (
                   SELECT DISTINCT ON (store_id) store_id, result, valid_until FROM identity_check
                    WHERE member_id = {member} ORDER BY store_id, id DESC) newest
                    WHERE newest.result = 'checked' AND newest.valid_until > {now} ORDER BY 1)"""


async def earns_at(store_id: int, member_id: int) -> bool:
    return await db.fetch_val(
        """SELECT EXISTS (SELECT 1 FROM commission c JOIN program_version v ON v.id = c.program_version_id
                            JOIN program p ON p.id = v.program_id WHERE p.store_id = $1 AND c.member_id = $2)""",
        store_id,
        member_id,
    )


async def is_known_at(store_id: int, member_id: int) -> bool:
    """Whether the store's people have any reason to look: they earn there, or asked."""
    has_asked = await db.fetch_val(
        "SELECT EXISTS (SELECT 1 FROM identity_request WHERE store_id = $1 AND member_id = $2)", store_id, member_id
    )
    return has_asked or await earns_at(store_id, member_id)


async def standing_of(store: asyncpg.Record, member_id: int) -> StandingView:
    row = await db.fetch_one(
        """SELECT r.asked_at, c.result, c.valid_until FROM (SELECT 1) one
             LEFT JOIN identity_request r ON r.store_id = $1 AND r.member_id = $2 AND r.closed_at IS NULL
             LEFT JOIN LATERAL (SELECT result, valid_until FROM identity_check
                                 WHERE store_id = $1 AND member_id = $2 ORDER BY id DESC LIMIT 1) c ON true""",
        store["id"],
        member_id,
    )
    assert row is not None
    state: Any = row["result"] or "none"
    if state == "checked" and row["valid_until"] <= clock.now():
        state = "expired"
    if row["asked_at"] and state != "checked":
        state = "asked"
    may_ask = state != "checked" or row["valid_until"] <= clock.now() + ANEW
    return StandingView(store["slug"], state, row["asked_at"], row["valid_until"], may_ask)


async def waiting_at(store_id: int, *, cursor: str | None, limit: int = 50) -> Page[WaitingView]:
    """Who asked, the longest first."""
    (after,) = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(
        """SELECT r.id, m.handle, m.name, r.said, r.asked_at FROM identity_request r JOIN member m ON m.id = r.member_id
            WHERE r.store_id = $1 AND r.closed_at IS NULL AND r.id > $2 ORDER BY r.id LIMIT $3""",
        store_id,
        after,
        limit + 1,
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([WaitingView(row["handle"], row["name"], row["said"], row["asked_at"]) for row in found.items],
                found.next)  # fmt: skip


async def checks_at(
    store_id: int, *, cursor: str | None, limit: int = 50, check_id: int | None = None
) -> Page[CheckView]:
    """What a store's people said, the latest first: the log of it."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT c.*, m.handle, who.handle AS by_handle,
                  c.result = 'checked' AND c.valid_until > $5 AND NOT EXISTS (
                      SELECT 1 FROM identity_check later WHERE later.store_id = c.store_id
                         AND later.member_id = c.member_id AND later.id > c.id) AS in_force
             FROM identity_check c JOIN member m ON m.id = c.member_id JOIN member who ON who.id = c.by_id
            WHERE c.store_id = $1 AND ($2::bigint IS NULL OR c.id < $2) AND ($3::bigint IS NULL OR c.id = $3)
            ORDER BY c.id DESC LIMIT $4""",
        store_id,
        before,
        check_id,
        limit + 1,
        clock.now(),
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([_view(row) for row in found.items], found.next)


def _view(row: asyncpg.Record) -> CheckView:
    return CheckView(
        str(row["id"]),
        row["handle"],
        row["result"],
        row["document"],
        row["country"],
        row["valid_until"],
        row["note"],
        row["by_handle"],
        row["at"],
        row["in_force"],
    )
