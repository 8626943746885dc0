"""How many visits of a member were over before anybody could have looked, beside those to the same place by others."""

from datetime import datetime, timedelta
from typing import Any

from app import db
from referrals.clicks.dwell import STAYED

# A page that is still open has told nothing yet.
STILL_OPEN = timedelta(minutes=30)
MOST_CLICKS, MOST_OF_A_LINK, MOST_OF_OTHERS = 2_000, 200, 2_000


async def stays_at(store_id: int, member_id: int, until: datetime, span: timedelta) -> dict[str, Any]:
    """Visits of a week that could be measured, and those that were over at once or never told of.

    Pages without the script tell nothing, which must not count against who links to them. So a visit is compared
    only with visits by others that came to the same host in the same way, and only between the first and the last
    of those that was told: a shop that put the script in yesterday says nothing about the day before.
    """
    row = await db.fetch_one(
        f"""WITH links AS (
               SELECT id, owner_id = $2 AS is_mine,
                      CASE WHEN destination LIKE '/%' THEN '' ELSE substring(destination from '^[a-z]+://([^/?#]+)') END
                          AS host
                 FROM link WHERE store_id = $1 AND routes = '{{}}'),
           theirs AS (
               SELECT l.host, k.trigger = 'embed' AS is_direct, k.occurred_at, d.seconds
                 FROM links l CROSS JOIN LATERAL (
                      SELECT id, trigger, occurred_at FROM click
                       WHERE link_id = l.id AND kind = 'human' AND blocked = '' AND consent <> 'denied'
                         AND trigger <> 'deferred'
                         AND occurred_at BETWEEN $3::timestamptz - $4::interval AND $3::timestamptz - $5::interval
                       ORDER BY occurred_at DESC LIMIT {MOST_OF_A_LINK}) k
                 LEFT JOIN click_dwell d ON d.click_id = k.id
                WHERE NOT l.is_mine LIMIT {MOST_OF_OTHERS}),
           measured AS (
               SELECT host, is_direct, min(occurred_at) AS first, max(occurred_at) AS last
                 FROM theirs WHERE seconds >= {STAYED} GROUP BY host, is_direct),
           mine AS (
               SELECT l.host, k.trigger = 'embed' AS is_direct, k.occurred_at, d.seconds
                 FROM links l JOIN click k ON k.link_id = l.id
                 LEFT JOIN click_dwell d ON d.click_id = k.id
                WHERE l.is_mine AND k.kind = 'human' AND k.blocked = '' AND k.consent <> 'denied'
                  AND k.trigger <> 'deferred'
                  AND k.occurred_at BETWEEN $3::timestamptz - $4::interval AND $3::timestamptz - $5::interval
                ORDER BY k.occurred_at DESC LIMIT {MOST_CLICKS}),
           own AS (SELECT m.seconds, m.host, m.is_direct FROM mine m JOIN measured s USING (host, is_direct)
                    WHERE m.occurred_at BETWEEN s.first AND s.last),
           others AS (SELECT t.seconds FROM theirs t JOIN measured s USING (host, is_direct)
                       WHERE t.occurred_at BETWEEN s.first AND s.last
                         AND (host, is_direct) IN (SELECT host, is_direct FROM own))
           SELECT (SELECT count(*) FROM own) AS measured_week,
                  (SELECT count(*) FROM own WHERE coalesce(seconds, 0) < {STAYED}) AS fleeting_week,
                  (SELECT count(*) FROM others) AS measured_others,
                  (SELECT count(*) FROM others WHERE coalesce(seconds, 0) < {STAYED}) AS fleeting_others""",
        store_id,
        member_id,
        until,
        span,
        STILL_OPEN,
    )
    assert row is not None
    return dict(row)
