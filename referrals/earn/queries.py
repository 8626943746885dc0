from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict, NotFound
from app.i18n import gettext as _
from app.money import Money
from referrals.attribution.addresses import why_address
from referrals.clicks.queries import people_of
from referrals.commissions.causes import causes_of
from referrals.commissions.states import BUCKETS
from referrals.earn.schemas import Summary
from referrals.ledger.queries import balances_of

A_MONTH = timedelta(days=30)


async def summary_of(member_id: int) -> Summary:
    """A member's balances by currency and bucket, the people who clicked in thirty days, and those who joined."""
    balances: dict[str, dict[str, Money]] = {}
    for row in await balances_of(member_id):
        empty = {bucket: Money(0, row["currency"]) for bucket in BUCKETS}
        balances.setdefault(row["currency"], empty)[row["bucket"]] = Money(row["amount"], row["currency"])
    brought = await db.fetch_val("SELECT count(*) FROM signup_referral WHERE referrer_id = $1", member_id)
    days = await clicks_by_day(member_id)
    people = await people_of(member_id, days[0][0])
    return Summary(balances, sum(many for _day, many in days), people, brought)


async def clicks_by_day(member_id: int) -> list[tuple[datetime, int]]:
    """People who came by a member's links on each of the last thirty days, the oldest day first."""
    today = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    rows = await db.fetch(
        """SELECT c.day, sum(c.clicks)::bigint AS clicks FROM link l JOIN click_count c ON c.link_id = l.id
            WHERE l.owner_id = $1 AND c.kind = 'human' AND c.day > $2 GROUP BY c.day""",
        member_id,
        (today - A_MONTH).date(),
    )
    clicks = {row["day"]: row["clicks"] for row in rows}
    days = [today - timedelta(days=ago) for ago in range(A_MONTH.days - 1, -1, -1)]
    return [(day, clicks.get(day.date(), 0)) for day in days]


async def near_misses(member_id: int, limit: int = 5) -> list[asyncpg.Record]:
    """Orders of the last thirty days that a member had a part in, and for which they were not credited."""
    return await db.fetch(
        """SELECT o.external_id AS order_ref, o.number, s.name AS store_name, s.slug AS store_slug, a.decided_at
             FROM attribution a JOIN orders o ON o.id = a.order_id JOIN store s ON s.id = o.store_id
            WHERE a.candidates @> $2::jsonb AND a.winner_id IS DISTINCT FROM $1 AND a.decided_at > $3
              AND NOT a.shares @> $2::jsonb
              AND NOT EXISTS (SELECT 1 FROM attribution n WHERE n.order_id = a.order_id AND n.version > a.version)
            ORDER BY a.decided_at DESC LIMIT $4""",
        member_id,
        _naming(member_id),
        clock.now() - A_MONTH,
        limit,
    )


async def access_decision(viewer: Viewer, ref: str, store: str = "") -> asyncpg.Record:
    """The decision on an order that this member was a candidate for, by the store's order id, or NotFound.

    Stores number their orders alike: where several may be meant, the store has to be named.
    """
    rows = await decisions_called(viewer, ref, store)
    if not rows:
        raise NotFound(_("There is no such order among those you had a part in."))
    if len(rows) > 1:
        each = ", ".join(f"?store={row['store_slug']}" for row in rows)
        raise Conflict(_("Several stores have an order of this number. Say which: %(each)s", each=each))
    return rows[0]


async def decisions_called(viewer: Viewer, ref: str, store: str = "") -> list[asyncpg.Record]:
    """One for each store that has an order of this id in which the member had a part."""
    if "\0" in ref or "\0" in store:
        return []
    return await db.fetch(
        """SELECT a.*, o.external_id AS order_ref, o.number, o.currency, o.placed_at, o.paid_at, o.created_at, o.doubt,
                  o.cancelled_at, s.name AS store_name, s.slug AS store_slug, v.rate_bps, v.model, v.window_days,
                  v.hold_days, v.version AS rules_version, w.handle AS winner
             FROM orders o
             JOIN store s ON s.id = o.store_id
             JOIN LATERAL (SELECT * FROM attribution WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
             JOIN program_version v ON v.id = a.program_version_id
             LEFT JOIN member w ON w.id = a.winner_id
            WHERE o.external_id = $1 AND (a.candidates @> $2::jsonb OR a.shares @> $2::jsonb)
              AND ($3 = '' OR s.slug = $3)
            ORDER BY o.id DESC LIMIT 20""",
        ref,
        _naming(viewer.member_id),
        store,
    )


async def earned_at(order_id: int, member_id: int) -> dict[str, str | int]:
    """What a member was granted on an order, and the thing that earned most of it."""
    row = await db.fetch_one(
        """SELECT sum(c.granted)::bigint AS amount, min(c.currency) AS currency,
                  (array_agg(l.title ORDER BY c.granted DESC, l.id))[1] AS title
             FROM commission c JOIN order_line l ON l.id = c.order_line_id
            WHERE c.order_id = $1 AND c.member_id = $2 HAVING count(*) > 0""",
        order_id,
        member_id,
    )
    return dict(row) if row else {}


async def earned_without_order(commission_id: int) -> dict[str, str | int]:
    """What a member was granted for something else than an order."""
    row = await db.fetch_one("SELECT granted AS amount, currency FROM commission WHERE id = $1", commission_id)
    cause = (await causes_of([commission_id])).get(commission_id)
    return dict(row) | {"title": cause.title if cause else "", "cause": cause.kind if cause else ""} if row else {}


async def why_url(order_id: int) -> str:
    row = await db.fetch_one(
        "SELECT o.external_id, s.slug FROM orders o JOIN store s ON s.id = o.store_id WHERE o.id = $1", order_id
    )
    assert row is not None
    return why_address(row["external_id"], row["slug"])


async def handles_of(member_ids: list[int]) -> dict[int, str]:
    rows = await db.fetch("SELECT id, handle FROM member WHERE id = ANY($1::bigint[])", member_ids)
    return {row["id"]: row["handle"] for row in rows}


def _naming(member_id: int | None) -> str:
    return msgspec.json.encode([{"member_id": member_id}]).decode()
