"""Clicks as counted beside clicks as kept."""

from datetime import date

from app import clock, db
from referrals.clicks import days

MOST = 50


async def check_counts() -> list[str]:
    """Each link and finished day whose count is not the number of its clicks, as far back as clicks are kept."""
    rows = await db.fetch(
        """WITH kept AS (
               SELECT link_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, kind, count(*) AS clicks
                 FROM click
                WHERE blocked = '' AND (occurred_at AT TIME ZONE 'UTC')::date BETWEEN $1 AND $2 GROUP BY 1, 2, 3),
           counted AS (
               SELECT link_id, day, kind, sum(clicks) AS clicks FROM click_count
                WHERE day BETWEEN $1 AND $2 GROUP BY 1, 2, 3)
           SELECT coalesce(k.link_id, c.link_id) AS link_id, coalesce(k.day, c.day) AS day,
                  coalesce(k.clicks, 0) AS kept, coalesce(c.clicks, 0) AS counted, coalesce(k.kind, c.kind) AS kind
             FROM kept k FULL JOIN counted c ON (c.link_id, c.day, c.kind) = (k.link_id, k.day, k.kind)
            WHERE coalesce(k.clicks, 0) <> coalesce(c.clicks, 0)
            ORDER BY 2, 1 LIMIT $3""",
        await days.kept_since() or date(2000, 1, 1),
        clock.now().date(),
        MOST,
    )
    return [
        f"link {row['link_id']} has {row['kept']} {row['kind']} clicks on {row['day']}; {row['counted']} are counted"
        for row in rows
    ]
