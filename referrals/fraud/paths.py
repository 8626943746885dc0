"""Where visits came from and where they led: sites that are new, and orders by paths that no buyer takes."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import asyncpg
import msgspec

from app import db
from referrals.clicks.queries import is_click

A_WEEK, BEFORE, A_QUARTER = timedelta(days=7), timedelta(days=60), timedelta(days=90)
MOST_SITES = 2_000


class Paths(msgspec.Struct, kw_only=True):
    """Orders by click, and what the clicks before them looked like."""

    orders: int = 0
    late: int = 0
    """Began inside the shop itself or led to its checkout: whoever clicked was buying already."""
    led: int = 0
    """By links to a product, where the shop told which products were bought."""
    unmet: int = 0
    """Of these, orders without that product."""


async def sites_of(subject: asyncpg.Record) -> dict[str, Any]:
    """The sites that sent two people or more to the link of a sale within the week before it, as (site, people), by
    whether any had come from there in the sixty days before; and how many had come from sites at all by then."""
    if subject["click_link_id"] is None or not subject["referrer_host"]:
        return {}
    rows = await db.fetch(
        f"""SELECT referrer_host AS site, min(occurred_at) AS first,
                   count(DISTINCT visitor_day_hash) FILTER (WHERE occurred_at > $2::timestamptz - $3::interval) AS week,
                   count(*) FILTER (WHERE occurred_at <= $2::timestamptz - $3::interval) AS earlier
              FROM click
             WHERE link_id = $1 AND occurred_at BETWEEN $2::timestamptz - $3::interval - $4::interval AND $2
               AND kind = 'human' AND blocked = '' AND consent <> 'denied' AND referrer_host <> ''
             GROUP BY referrer_host ORDER BY week DESC, site LIMIT {MOST_SITES}""",
        subject["click_link_id"],
        subject["clicked_at"],
        A_WEEK,
        BEFORE,
    )
    known = [row for row in rows if row["earlier"]]
    # As many as appear in a week anyway, rounded up.
    weeks = BEFORE / A_WEEK
    return {
        "new_sites": tuple((row["site"], row["week"]) for row in rows if not row["earlier"] and row["week"] >= 2),
        "sites_a_week": -int(-len(known) // weeks),
        "known_visits": sum(row["earlier"] for row in known),
    }


async def paths_at(store_id: int, now: datetime, checkouts: tuple[str, ...]) -> dict[int, Paths]:
    """The paths of a quarter's orders, by who was credited. One query for a whole store."""
    rows = await db.fetch(
        f"""SELECT a.winner_id, l.destination,
                   k.referrer_host <> '' AND (k.referrer_host = substring(s.origin from '^[a-z]+://([^/:]+)')
                       OR EXISTS (SELECT 1 FROM store_host h
                                   WHERE h.store_id = s.id AND h.host = k.referrer_host)) AS is_within,
                   l.target_kind = 'product' AND bought.is_told AS is_led, bought.is_met, count(*) AS many
              FROM orders o JOIN store s ON s.id = o.store_id
              JOIN LATERAL (SELECT winner_id, click_id FROM attribution
                             WHERE order_id = o.id ORDER BY version DESC LIMIT 1) a ON true
              JOIN click k ON {is_click("k", "a.click_id")}
              JOIN link l ON l.id = k.link_id AND l.routes = '{{}}'
              JOIN LATERAL (SELECT coalesce(bool_or(product_id IS NOT NULL), false) AS is_told,
                                   coalesce(bool_or(product_id = l.target_id), false) AS is_met
                              FROM order_line WHERE order_id = o.id) bought ON true
             WHERE o.store_id = $1 AND o.created_at > $2::timestamptz - $3::interval
               AND a.winner_id IS NOT NULL AND k.consent <> 'denied' AND k.trigger <> 'embed'
             GROUP BY 1, 2, 3, 4, 5""",
        store_id,
        now,
        A_QUARTER,
    )
    found: dict[int, Paths] = {}
    for row in rows:
        mine, many = found.setdefault(row["winner_id"], Paths()), row["many"]
        path = row["destination"].partition("?")[0].lower()
        mine.orders += many
        mine.late += many * (row["is_within"] or any(fnmatchcase(path, one) for one in checkouts))
        mine.led += many * row["is_led"]
        mine.unmet += many * (row["is_led"] and not row["is_met"])
    return found


def together(paths: Iterable[Paths]) -> Paths:
    """Those of all of them, added up."""
    kept = list(paths)
    return Paths(**{name: sum(getattr(one, name) for one in kept) for name in Paths.__struct_fields__})


def beside(mine: Paths, everybodys: Paths) -> dict[str, Any]:
    """A member's paths as facts, and those of everybody else together."""
    facts: dict[str, Any] = {}
    for name in Paths.__struct_fields__:
        own, all_of_them = getattr(mine, name), getattr(everybodys, name)
        facts |= {f"path_{name}": own, f"path_{name}_others": all_of_them - own}
    return facts
