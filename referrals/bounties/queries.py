from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import asyncpg

from app import db
from app.errors import NotFound
from app.paging import Page, cut, decode
from referrals.bounties.watch_queries import GROWING

_BOUNTY = """SELECT b.*, s.id AS store_id, s.slug AS store_slug, s.name AS store_name,
                    (SELECT count(*) FROM bounty_submission x
                      WHERE x.bounty_id = b.id AND x.state = 'approved') AS awarded
               FROM bounty b JOIN program p ON p.id = b.program_id JOIN store s ON s.id = p.store_id"""
_COLUMNS = """x.*, b.title, b.amount, b.currency, b.metric, b.least, b.opens_at, b.created_at AS offered_at,
              b.closes_at, p.store_id, s.name AS store_name, s.slug AS store_slug, s.owner_id, m.handle, m.name"""
_WORK = """bounty_submission x JOIN bounty b ON b.id = x.bounty_id JOIN program p ON p.id = b.program_id
           JOIN store s ON s.id = p.store_id JOIN member m ON m.id = x.member_id"""
_SUBMISSION = f"SELECT {_COLUMNS} FROM {_WORK}"
_URGENT = f"CASE WHEN x.state <> 'waiting' THEN 0 WHEN {GROWING} THEN 1 ELSE 2 END"


async def open_bounties(now: datetime, *, cursor: str | None = None, limit: int = 50) -> Page[asyncpg.Record]:
    """What still takes work, or will, what closes first before."""
    after = decode(cursor, (datetime, int)) or (None, None)
    rows = await db.fetch(
        f"""{_BOUNTY} WHERE b.closes_at > $1 AND ($2::timestamptz IS NULL OR (b.closes_at, b.id) > ($2, $3::bigint))
             ORDER BY b.closes_at, b.id LIMIT $4""",
        now,
        *after,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["closes_at"], row["id"]))


async def bounties_of(program_id: int, limit: int = 100) -> list[asyncpg.Record]:
    return await db.fetch(f"{_BOUNTY} WHERE b.program_id = $1 ORDER BY b.id DESC LIMIT $2", program_id, limit)


async def bounty(bounty_id: int) -> asyncpg.Record | None:
    return await db.fetch_one(f"{_BOUNTY} WHERE b.id = $1", bounty_id)


async def submissions_to(
    program_id: int, *, state: str = "", cursor: str | None = None, limit: int = 30
) -> Page[asyncpg.Record]:
    """What was handed in for a programme's bounties: what waits for a person first, then what still grows."""
    urgent, before = decode(cursor, (int, int)) or (None, None)
    rows = await db.fetch(
        f"""SELECT * FROM (SELECT {_COLUMNS}, {_URGENT} AS urgent FROM {_WORK}
              LEFT JOIN bounty_watch w ON w.submission_id = x.id
             WHERE b.program_id = $1 AND ($2 = '' OR x.state = $2)) found
             WHERE $3::bigint IS NULL OR (urgent, id) < ($3, $4::bigint)
             ORDER BY urgent DESC, id DESC LIMIT $5""",
        program_id,
        state,
        urgent,
        before,
        limit + 1,
    )
    return cut(rows, limit, lambda row: (row["urgent"], row["id"]))


async def submission(submission_id: int) -> asyncpg.Record:
    row = await db.fetch_one(f"{_SUBMISSION} WHERE x.id = $1", submission_id)
    if row is None:
        raise NotFound()
    return row


async def submissions_by(bounty_ids: Sequence[int], member_id: int | None) -> dict[int, list[asyncpg.Record]]:
    """A member's own, by bounty, the newest first."""
    found: dict[int, list[asyncpg.Record]] = {one: [] for one in bounty_ids}
    for row in await db.fetch(
        f"{_SUBMISSION} WHERE x.bounty_id = ANY($1::bigint[]) AND x.member_id = $2 ORDER BY x.id DESC",
        list(bounty_ids),
        member_id,
    ):
        found[row["bounty_id"]].append(row)
    return found


async def files_of(submission_ids: Sequence[int]) -> dict[int, list[asyncpg.Record]]:
    found: dict[int, list[asyncpg.Record]] = {one: [] for one in submission_ids}
    for row in await db.fetch(
        "SELECT * FROM bounty_file WHERE submission_id = ANY($1::bigint[]) ORDER BY id", list(submission_ids)
    ):
        found[row["submission_id"]].append(row)
    return found


async def counted_for(submissions: Sequence[Any]) -> dict[int, int]:
    """What is counted here, by submission, for those whose metric we count: in their period, or since the offer.

    Clicks of people on the member's links to the store, by day (UTC); orders whose commission of theirs still stands
    and is not looked at. Two queries, however many.
    """
    spans = {one["id"]: span_of(one) for one in submissions}
    found: dict[int, int] = {}
    for metric, question in (("clicks", _CLICKS), ("orders", _ORDERS)):
        asked = [one for one in submissions if one["metric"] == metric]
        if asked:
            rows = await db.fetch(
                question,
                [one["id"] for one in asked],
                [one["member_id"] for one in asked],
                [one["store_id"] for one in asked],
                [spans[one["id"]][0] for one in asked],
                [spans[one["id"]][1] for one in asked],
            )
            found |= {row["id"]: row["n"] for row in rows}
    return found


_ASKED = """SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
                       AS a (id, member_id, store_id, since, until)"""
_CLICKS = f"""SELECT a.id, coalesce((SELECT sum(c.clicks) FROM link l JOIN click_count c ON c.link_id = l.id
                      WHERE l.owner_id = a.member_id AND l.store_id = a.store_id AND c.kind = 'human'
                        AND c.day BETWEEN (a.since AT TIME ZONE 'UTC')::date AND (a.until AT TIME ZONE 'UTC')::date
                     ), 0)::bigint AS n FROM ({_ASKED}) a"""
_ORDERS = f"""SELECT a.id, (SELECT count(DISTINCT c.order_id) FROM commission c JOIN orders o ON o.id = c.order_id
                             WHERE c.member_id = a.member_id AND o.store_id = a.store_id
                               AND c.state IN ('pending', 'approved', 'allocated', 'paid')
                               AND o.paid_at BETWEEN a.since AND a.until) AS n FROM ({_ASKED}) a"""


def span_of(submission: Any) -> tuple[datetime, datetime]:
    """From when until when its figure counts."""
    began = submission["opens_at"] or submission["offered_at"]
    since, until = began, submission["closes_at"]
    if period := submission["period"]:
        by_week = "W" in period
        day = datetime.strptime(f"{period}-1", "%G-W%V-%u" if by_week else "%Y-%m-%d").date()
        end = day + timedelta(days=7) if by_week else (day + timedelta(days=31)).replace(day=1)
        since = max(since, datetime.combine(day, time(), UTC))
        until = min(until, datetime.combine(end, time(), UTC) - timedelta(microseconds=1))
    return since, until


def period_at(period: str, now: datetime) -> str:
    """What a member is paid for once: the week (ISO, from Monday), the month, or all of it."""
    return {"week": f"{now:%G-W%V}", "month": f"{now:%Y-%m}"}.get(period, "")


def state_of(bounty: asyncpg.Record, now: datetime) -> str:
    if bounty["closes_at"] <= now or bounty["awarded"] >= bounty["most_awards"]:
        return "closed"
    return "to_come" if bounty["opens_at"] and bounty["opens_at"] > now else "open"
