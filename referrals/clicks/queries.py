from datetime import datetime
from uuid import UUID

import asyncpg

from app import db

UNIQUE_MINUTES = 60
DEFERRED = "deferred"
"""The trigger of a click that was no visit: what an app was told that it came by, perhaps."""


def click_id(given: str) -> UUID | None:
    """The id in a `gv`, which comes from outside and may be anything."""
    try:
        return UUID(given) if len(given) in (32, 36) else None
    except ValueError:
        return None


def is_click(click: str, id: str) -> str:
    """SQL: the row `click` is the click `id`. It opens the one partition of the id's day, not all of them."""
    return f"{click}.id = {id} AND {click}.occurred_at BETWEEN click_from({id}) AND click_until({id})"


async def click(given: str) -> asyncpg.Record | None:
    """A click with its link's owner, by the `gv` that travelled."""
    asked = click_id(given)
    if asked is None:
        return None
    return await db.fetch_one(
        f"""SELECT c.id, c.kind, c.occurred_at, c.link_id, l.owner_id, l.store_id, l.disabled_at
              FROM click c JOIN link l ON l.id = c.link_id WHERE {is_click("c", "$1::uuid")}""",
        asked,
    )


async def people_by_link(link_ids: list[int], since: datetime) -> dict[int, int]:
    """How many people came by each link: visits of one browser within the unique window are one.

    The window is the programme's `unique_minutes` (an hour unless it says otherwise), applied when asked, to the raw
    visits: another window gives another answer for the past as well. Whoever denied consent cannot be recognised, so
    each of their visits counts.
    """
    rows = await db.fetch(
        f"""WITH visit AS (
               SELECT c.link_id, c.visitor_day_hash, c.occurred_at,
                      lag(c.occurred_at) OVER (
                          PARTITION BY c.link_id, c.visitor_day_hash ORDER BY c.occurred_at) AS last,
                      make_interval(mins => coalesce((
                          SELECT (v.policy->>'unique_minutes')::int FROM program p
                            JOIN program_version v ON v.program_id = p.id
                           WHERE p.store_id = l.store_id ORDER BY v.version DESC LIMIT 1), {UNIQUE_MINUTES})) AS apart
                 FROM click c JOIN link l ON l.id = c.link_id
                WHERE c.link_id = ANY($1::bigint[]) AND c.occurred_at >= $2 AND c.kind = 'human' AND c.blocked = '')
            SELECT link_id, count(*) FILTER (
                       WHERE visitor_day_hash = '' OR last IS NULL OR occurred_at - last >= apart) AS people
              FROM visit GROUP BY link_id""",
        link_ids,
        since,
    )
    return {row["link_id"]: row["people"] for row in rows}


async def people_of(member_id: int, since: datetime) -> int:
    """How many people came by all links of a member."""
    links = await db.fetch("SELECT id FROM link WHERE owner_id = $1", member_id)
    return sum((await people_by_link([row["id"] for row in links], since)).values())


async def visitor_is_member(click_id: UUID, member_id: int) -> bool:
    """Whether a click came from a browser in which this member was signed in on the same day."""
    return bool(
        await db.fetch_val(
            f"""SELECT 1 FROM click c JOIN member_visitor v ON v.visitor_day_hash = c.visitor_day_hash
                 WHERE {is_click("c", "$1::uuid")} AND v.member_id = $2 AND c.visitor_day_hash <> ''
                   AND v.day = (c.occurred_at AT TIME ZONE 'UTC')::date LIMIT 1""",
            click_id,
            member_id,
        )
    )


async def counted_wrongly(since: datetime | None = None) -> list[asyncpg.Record]:
    """Days of links whose count is not the number of their clicks (days with dropped clicks are left out)."""
    return await db.fetch(
        """WITH kept AS (SELECT coalesce((SELECT max(before) FROM click_retention), '-infinity'::date) AS day),
           counted AS (SELECT link_id, day, kind, sum(clicks)::bigint AS clicks FROM click_count
                        WHERE day >= (SELECT day FROM kept) AND ($1::timestamptz IS NULL OR day > $1::date)
                        GROUP BY 1, 2, 3),
           there AS (SELECT link_id, (occurred_at AT TIME ZONE 'UTC')::date AS day, kind, count(*) AS clicks FROM click
                      WHERE blocked = '' AND trigger <> 'deferred'
                        AND occurred_at >= (SELECT day FROM kept)::timestamptz
                        AND ($1::timestamptz IS NULL OR (occurred_at AT TIME ZONE 'UTC')::date > $1::date)
                      GROUP BY 1, 2, 3)
           SELECT coalesce(c.link_id, t.link_id) AS link_id, coalesce(c.day, t.day) AS day,
                  coalesce(c.kind, t.kind) AS kind, coalesce(c.clicks, 0) AS counted, coalesce(t.clicks, 0) AS there
             FROM counted c FULL JOIN there t USING (link_id, day, kind)
            WHERE coalesce(c.clicks, 0) <> coalesce(t.clicks, 0) ORDER BY 2, 1, 3 LIMIT 100""",
        since,
    )
