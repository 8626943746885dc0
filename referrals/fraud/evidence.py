"""The facts that rules look at, gathered for one commission in a fixed number of queries."""

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

from app import clock, db
from community.phones.owners import ever_theirs
from referrals.clicks.classify import DATA_CENTRE, HIDDEN
from referrals.clicks.queries import is_click
from referrals.fraud.circles import circle_of
from referrals.fraud.clusters import cluster_of
from referrals.fraud.facts import Facts
from referrals.fraud.paths import sites_of
from referrals.fraud.rules import LEADERS
from referrals.fraud.stays import stays_at
from storefront.orders.fingerprints import mailbox_fingerprint

A_DAY, A_WEEK, A_QUARTER = timedelta(days=1), timedelta(days=7), timedelta(days=90)
# People who come by chance have gaps whose quartiles lie 1.585 medians apart (an exponential distribution). Unlike the
# standard deviation, one quiet night does not hide a clock.
QUARTILES_OF_CHANCE = 1.585
MOST_CLICKS, MOST_ORDERS = 5_000, 500


async def subject_of(commission_id: int) -> asyncpg.Record | None:
    """A commission with its order, buyer, and the click and candidate that it was credited by."""
    return await db.fetch_one(
        f"""SELECT c.id, c.member_id, c.role, c.order_id, c.created_at, c.screened_at, p.store_id, m.email,
                   o.address_hmac, o.instrument_hmac, o.phone_hmac, o.gv, cu.id AS customer_id,
                   coalesce(cu.member_id, r.member_id) AS buyer_id, cu.mailbox_hmac, a.click_id, a.candidates,
                   l.code AS link_code, l.placement, k.referrer_host, k.paid_click_param,
                   k.link_id AS click_link_id, k.occurred_at AS clicked_at, k.visitor_day_hash,
                   (k.occurred_at AT TIME ZONE 'UTC')::date AS click_day
              FROM commission c
              JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
              JOIN member m ON m.id = c.member_id
              LEFT JOIN orders o ON o.id = c.order_id
              LEFT JOIN customer cu ON cu.id = o.customer_id
              LEFT JOIN signup_referral r ON r.member_id = CASE
                   WHEN c.source LIKE 'activation:%' THEN split_part(c.source, ':', 2)::bigint END
              LEFT JOIN LATERAL (
                   SELECT click_id, link_id, candidates FROM attribution
                    WHERE order_id = c.order_id ORDER BY version DESC LIMIT 1) a ON true
              LEFT JOIN link l ON l.id = a.link_id
              LEFT JOIN click k ON {is_click("k", "a.click_id")}
             WHERE c.id = $1""",
        commission_id,
    )


async def facts_of(subject: asyncpg.Record) -> Facts:
    """Everything the rules ask of a commission. What an author or host is paid for, they did not bring a visit to."""
    own, (circle_orders, circle_members) = await _about_the_member(subject), await circle_of(subject)
    facts = Facts(
        role=subject["role"],
        same_mailbox=bool(subject["mailbox_hmac"]) and subject["mailbox_hmac"] == mailbox_fingerprint(subject["email"]),
        own_device_days=own["own_device_days"],
        device_key=f"buyer:{subject['buyer_id']}" if subject["buyer_id"] else subject["visitor_day_hash"] or "",
        own_address_orders=own["own_address_orders"],
        address=subject["address_hmac"] or "",
        own_card_orders=own["own_card_orders"],
        card=subject["instrument_hmac"] or "",
        own_phone_orders=own["own_phone_orders"],
        phone=subject["phone_hmac"] or "",
        is_own_number=own["is_own_number"],
        ring_customers=own["ring_customers"],
        circle_orders=circle_orders,
        circle_members=circle_members,
        **await cluster_of(subject),
        buyer=f"buyer:{subject['buyer_id']}" if subject["buyer_id"] else "",
        orders_hour=own["orders_hour"],
        signups_hour=own["signups_hour"],
        orders_day=own["orders_day"],
        orders_quarter=own["orders_quarter"],
        returned_quarter=own["returned_quarter"],
        paid_param=subject["paid_click_param"] or "",
        link_code=subject["link_code"] or "",
        placement=subject["placement"] or "",
        referrer=subject["referrer_host"] or "",
    )
    if subject["role"] not in LEADERS:
        return facts
    stays = await stays_at(subject["store_id"], subject["member_id"], subject["created_at"], A_WEEK)
    sites, code = await sites_of(subject), await _about_the_code(subject)
    return msgspec.structs.replace(facts, **await _about_visits(subject), **stays, **sites, **code)


async def _about_the_member(subject: asyncpg.Record) -> asyncpg.Record:
    """Their own purchases, at whatever store, their browsers and their pace."""
    row = await db.fetch_one(
        f"""SELECT
             (SELECT count(*) FROM orders x JOIN customer xc ON xc.id = x.customer_id
               WHERE x.address_hmac = $3 AND $3 <> '' AND x.id <> $2
                 AND (xc.member_id = $1 OR (xc.mailbox_hmac = $5 AND $5 <> ''))) AS own_address_orders,
             (SELECT count(*) FROM orders x JOIN customer xc ON xc.id = x.customer_id
               WHERE x.instrument_hmac = $4 AND $4 <> '' AND x.id <> $2
                 AND (xc.member_id = $1 OR (xc.mailbox_hmac = $5 AND $5 <> ''))) AS own_card_orders,
             (SELECT count(*) FROM orders x JOIN customer xc ON xc.id = x.customer_id
               WHERE x.phone_hmac = $14 AND $14 <> '' AND x.id <> $2
                 AND (xc.member_id = $1 OR (xc.mailbox_hmac = $5 AND $5 <> ''))) AS own_phone_orders,
             {ever_theirs("$1", "$14")} AS is_own_number,
             (SELECT count(DISTINCT x.customer_id) FROM commission y JOIN orders x ON x.id = y.order_id
               WHERE y.member_id = $1 AND ((x.address_hmac = $3 AND $3 <> '')
                                           OR (x.instrument_hmac = $4 AND $4 <> ''))) AS ring_customers,
             (SELECT count(DISTINCT y.order_id) FROM commission y
               WHERE y.member_id = $1 AND y.created_at BETWEEN $8::timestamptz - interval '1 hour' AND $8
             ) AS orders_hour,
             (SELECT count(*) FROM signup_referral s
               WHERE s.referrer_id = $1 AND s.created_at BETWEEN $8::timestamptz - interval '1 hour' AND $8
             ) AS signups_hour,
             (SELECT count(DISTINCT y.order_id) FROM commission y
               WHERE y.member_id = $1 AND y.created_at BETWEEN $8::timestamptz - interval '1 day' AND $8) AS orders_day,
             (SELECT count(DISTINCT mine.day) FROM member_visitor mine
               WHERE mine.member_id = $1 AND (
                     (mine.visitor_day_hash = $9 AND $9 <> '' AND mine.day = $10)
                     OR EXISTS (SELECT 1 FROM member_visitor theirs
                                 WHERE theirs.member_id = $6 AND theirs.visitor_day_hash = mine.visitor_day_hash
                                   AND theirs.day = mine.day AND $6 <> $1))) AS own_device_days,
             quarter.*
           FROM (SELECT count(*) AS orders_quarter, count(*) FILTER (WHERE went_back) AS returned_quarter FROM (
                     SELECT y.order_id, bool_or(x.cancelled_at IS NOT NULL OR EXISTS (
                                SELECT 1 FROM refund r WHERE r.store_id = x.store_id
                                   AND r.order_external_id = x.external_id AND r.kind <> 'dispute_won')) AS went_back
                       FROM (SELECT order_id FROM commission
                              WHERE member_id = $1 AND created_at > $12::timestamptz - $11::interval
                              ORDER BY created_at DESC LIMIT $13) y
                       JOIN orders x ON x.id = y.order_id AND x.store_id = $7
                      GROUP BY y.order_id) ordered) quarter""",
        subject["member_id"],
        subject["order_id"] or 0,
        subject["address_hmac"] or "",
        subject["instrument_hmac"] or "",
        mailbox_fingerprint(subject["email"]),
        subject["buyer_id"] or 0,
        subject["store_id"],
        subject["created_at"],
        subject["visitor_day_hash"] or "",
        subject["click_day"],
        A_QUARTER,
        clock.now(),
        MOST_ORDERS,
        subject["phone_hmac"] or "",
    )
    assert row is not None
    return row


async def _about_visits(subject: asyncpg.Record) -> dict[str, Any]:
    """How the visits of a day came, and how many of a week nobody chose to make."""
    row = await db.fetch_one(
        f"""WITH mine AS (
               SELECT k.occurred_at, k.kind, k.visitor_day_hash, k.signals, k.fetch_dest
                 FROM link l JOIN click k ON k.link_id = l.id
                WHERE l.owner_id = $1 AND k.occurred_at > $2::timestamptz - $3::interval AND k.occurred_at <= $2
                  AND k.blocked = '' ORDER BY k.occurred_at DESC LIMIT {MOST_CLICKS}),
           day AS (
               SELECT visitor_day_hash, signals, extract(epoch FROM occurred_at
                        - lag(occurred_at) OVER (ORDER BY occurred_at))::float8 AS gap
                 FROM mine WHERE kind = 'human' AND visitor_day_hash <> '' AND occurred_at > $2 - $4::interval)
           SELECT (SELECT count(*) FROM day) AS clicks_day,
                  (SELECT CASE WHEN q[2] IS NULL THEN 100 WHEN q[2] = 0 THEN 0
                               ELSE least(999, 100 * (q[3] - q[1]) / q[2] / {QUARTILES_OF_CHANCE}) END::int
                     FROM (SELECT percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY gap) AS q
                             FROM day) quartiles) AS spread_percent,
                  (SELECT coalesce(100 * max(n) / nullif(sum(n), 0), 0)::int
                     FROM (SELECT count(*) AS n FROM day GROUP BY visitor_day_hash) one) AS one_browser_percent,
                  (SELECT coalesce(100 * count(*) FILTER (WHERE signals & {DATA_CENTRE} > 0) / nullif(count(*), 0), 0)
                     FROM day)::int AS data_centre_percent,
                  (SELECT count(*) FROM mine WHERE signals & {HIDDEN} > 0) AS hidden_week,
                  (SELECT count(*) FROM mine) AS visits_week,
                  (SELECT coalesce(string_agg(DISTINCT fetch_dest, ', '), '') FROM mine
                    WHERE signals & {HIDDEN} > 0) AS hidden_kinds""",
        subject["member_id"],
        subject["created_at"],
        A_WEEK,
        A_DAY,
    )
    assert row is not None
    return dict(row)


async def _about_the_code(subject: asyncpg.Record) -> dict[str, Any]:
    """The leak state of the code that won, and how many strangers used it."""
    won: dict[str, Any] = next((one for one in subject["candidates"] or [] if one.get("outcome") == "won"), {})
    if not won.get("code"):
        return {}
    row = await db.fetch_one(
        """SELECT c.text, c.leak_state,
                  (SELECT count(*) FROM code_use u WHERE u.code_id = c.id AND u.is_cold
                      AND u.used_at > coalesce(c.vouched_at, '-infinity')) AS cold_uses
             FROM code c JOIN program p ON p.id = c.program_id
            WHERE p.store_id = $1 AND c.owner_id = $2 AND c.id = $3""",
        subject["store_id"],
        subject["member_id"],
        int(won["code"]),
    )
    return {"code": row["text"], "code_state": row["leak_state"], "cold_uses": row["cold_uses"]} if row else {}


async def times_at(store_id: int, now: datetime) -> dict[int, list[float]]:
    """Seconds from click to order of a quarter, by who was credited. One query for a whole store."""
    rows = await db.fetch(
        f"""SELECT a.winner_id, array_agg(
                   extract(epoch FROM coalesce(o.placed_at, o.paid_at, o.created_at) - k.occurred_at)::float8) AS delays
              FROM orders o
              JOIN LATERAL (SELECT winner_id, click_id FROM attribution
                             WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
              JOIN click k ON {is_click("k", "a.click_id")}
             WHERE o.store_id = $1 AND o.created_at > $2::timestamptz - $3::interval
               AND a.winner_id IS NOT NULL AND k.consent <> 'denied'
             GROUP BY a.winner_id""",
        store_id,
        now,
        A_QUARTER,
    )
    return {row["winner_id"]: row["delays"] for row in rows}
