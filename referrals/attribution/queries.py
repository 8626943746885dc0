from datetime import datetime, timedelta

import asyncpg
import msgspec

from app import db
from referrals.attribution.rules import Touch
from storefront.orders.fingerprints import mailbox_fingerprint

MOST_CLICKS = 100
# Suspended at the moment of the order, not now: a later decision must not undo an earlier one.
_SUSPENDED = """EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = l.owner_id AND s.created_at <= $2
                  AND (s.until IS NULL OR s.until > $2) AND (s.lifted_at IS NULL OR s.lifted_at > $2))"""
_CLICK = f"""ck.id, ck.kind, ck.occurred_at, ck.link_id, l.owner_id, l.store_id, m.email,
             coalesce(l.disabled_at <= $2, false) AS link_closed, {_SUSPENDED} AS suspended"""


async def in_force(order_id: int) -> asyncpg.Record | None:
    """The newest decision on an order."""
    return await db.fetch_one("SELECT * FROM attribution WHERE order_id = $1 ORDER BY version DESC LIMIT 1", order_id)


async def touches_of(
    order: asyncpg.Record, ordered_at: datetime, window: timedelta, *, earliest_first: bool
) -> list[Touch]:
    """Everything that may have led to an order: the click it carries, the buyer's claimed clicks, who brought them."""
    buyer_id, mailbox = order["buyer_id"], order["buyer_mailbox"] or ""
    touches: dict[str, Touch] = {}
    for row in await _clicks_of(buyer_id, ordered_at, window, earliest_first):
        touches[row["id"].hex] = _touch("claimed", row, buyer_id, mailbox)
    if order["gv"] is not None and (row := await _carried_click(order["gv"], ordered_at)):
        # The same click may also be claimed; what travelled with the order says more.
        carried = _touch("carried", row, buyer_id, mailbox)
        is_too_late = row["occurred_at"] > order["created_at"]
        touches[row["id"].hex] = msgspec.structs.replace(carried, is_too_late=is_too_late)
    if row := await _signup_of(buyer_id, ordered_at):
        touches["signup"] = Touch(
            via="signup",
            member_id=row["owner_id"],
            at=row["created_at"],
            is_buyer=_is_buyer(row["owner_id"], row["email"], buyer_id, mailbox),
            is_suspended=row["suspended"],
        )
    return list(touches.values())


async def _carried_click(click_id: object, ordered_at: datetime) -> asyncpg.Record | None:
    return await db.fetch_one(
        f"""SELECT {_CLICK}, cc.member_id AS claimed_by
              FROM click ck JOIN link l ON l.id = ck.link_id JOIN member m ON m.id = l.owner_id
              LEFT JOIN click_claim cc ON cc.click_id = ck.id
             WHERE ck.id = $1""",
        click_id,
        ordered_at,
    )


async def _clicks_of(
    buyer_id: int | None, ordered_at: datetime, window: timedelta, earliest_first: bool
) -> list[asyncpg.Record]:
    """The clicks a buyer claimed, those within the window first, and some that came too early or too late."""
    if buyer_id is None:
        return []
    return await db.fetch(
        f"""SELECT {_CLICK}, cc.member_id AS claimed_by
              FROM click_claim cc JOIN click ck ON ck.id = cc.click_id
              JOIN link l ON l.id = ck.link_id JOIN member m ON m.id = l.owner_id
             WHERE cc.member_id = $1 AND ck.occurred_at > $2 - 2 * $3::interval
             ORDER BY ck.occurred_at BETWEEN $2 - $3::interval AND $2 DESC,
                      CASE WHEN $4 THEN ck.occurred_at END, ck.occurred_at DESC, ck.id
             LIMIT $5""",
        buyer_id,
        ordered_at,
        window,
        earliest_first,
        MOST_CLICKS,
    )


async def _signup_of(buyer_id: int | None, ordered_at: datetime) -> asyncpg.Record | None:
    return await db.fetch_one(
        f"""SELECT l.owner_id, l.created_at, m.email, {_SUSPENDED} AS suspended
              FROM (SELECT referrer_id AS owner_id, created_at FROM signup_referral WHERE member_id = $1) l
              JOIN member m ON m.id = l.owner_id""",
        buyer_id,
        ordered_at,
    )


def _touch(via: str, row: asyncpg.Record, buyer_id: int | None, mailbox: str) -> Touch:
    return Touch(
        via=via,  # type: ignore[arg-type]
        member_id=row["owner_id"],
        at=row["occurred_at"],
        click_id=row["id"].hex,
        link_id=row["link_id"],
        link_store_id=row["store_id"],
        kind=row["kind"],
        # Whoever signed in where the click was made sat at that browser, also when the order names somebody else.
        is_buyer=row["claimed_by"] == row["owner_id"] or _is_buyer(row["owner_id"], row["email"], buyer_id, mailbox),
        link_closed=row["link_closed"],
        is_suspended=row["suspended"],
    )


def _is_buyer(member_id: int, email: str, buyer_id: int | None, mailbox: str) -> bool:
    return member_id == buyer_id or (bool(mailbox) and mailbox_fingerprint(email) == mailbox)
