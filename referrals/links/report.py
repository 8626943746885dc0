"""What came of links: people, scans, sides of a split, and what a customer cost where the link hangs."""

from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db
from app.money import Money
from app.paging import Page, cut, decode

DAYS = 90


class Side(msgspec.Struct):
    name: str
    people: int
    orders: int


class Report(msgspec.Struct):
    """One link in the last 90 days. Clicks of bots and previews, and visits to a closed link, stand apart."""

    people: int
    scans: int
    bots: int
    previews: int
    blocked: int
    orders: int
    sides: list[Side]


class Placed(msgspec.Struct):
    """A printed link and what it brought. `per_order` is its cost over the orders that still stand, once there are."""

    code: str
    name: str
    kind: str
    location: str
    cost: Money
    clicks: int
    scans: int
    orders: int
    per_order: Money | None


class PlacedList(msgspec.Struct):
    items: list[Placed]
    next: str | None


# The newest decision of each order names the link that won it. What was refunded in full is no customer; one whose
# order pays nothing (a rate of zero, a budget used up) is one all the same.
_ORDERS = """
    SELECT a.link_id, a.click_id FROM attribution a
     WHERE a.link_id = ANY($1) AND a.winner_id IS NOT NULL
       AND NOT EXISTS (SELECT 1 FROM attribution later WHERE later.order_id = a.order_id AND later.version > a.version)
       AND (NOT EXISTS (SELECT 1 FROM commission c WHERE c.order_id = a.order_id AND c.member_id = a.winner_id)
            OR EXISTS (SELECT 1 FROM commission c WHERE c.order_id = a.order_id AND c.member_id = a.winner_id
                          AND c.state NOT IN ('rejected', 'reversed')))"""


async def report_of(link: asyncpg.Record) -> Report:
    rows = await db.fetch(
        """SELECT kind, trigger, blocked <> '' AS blocked, variant, count(*)::bigint AS n FROM click
            WHERE link_id = $1 AND occurred_at > $2 AND trigger <> 'deferred' GROUP BY 1, 2, 3, 4""",
        link["id"],
        clock.now() - timedelta(days=DAYS),
    )
    orders = await db.fetch(
        f"""SELECT coalesce(k.variant, '') AS variant, count(*)::bigint AS n
              FROM ({_ORDERS}) o LEFT JOIN click k ON k.id = o.click_id
               AND k.occurred_at BETWEEN click_from(o.click_id) AND click_until(o.click_id) GROUP BY 1""",
        [link["id"]],
    )
    came = [row for row in rows if row["kind"] == "human" and not row["blocked"]]
    bought = {row["variant"]: row["n"] for row in orders}
    sides = sorted({row["variant"] for row in came if row["variant"]} | {name for name in bought if name})
    return Report(
        people=sum(row["n"] for row in came),
        scans=sum(row["n"] for row in came if row["trigger"] == "qr"),
        bots=sum(row["n"] for row in rows if row["kind"] in ("bot", "prefetch")),
        previews=sum(row["n"] for row in rows if row["kind"] == "preview"),
        blocked=sum(row["n"] for row in rows if row["kind"] == "human" and row["blocked"]),
        orders=sum(bought.values()),
        sides=[
            Side(name, sum(row["n"] for row in came if row["variant"] == name), bought.get(name, 0)) for name in sides
        ],
    )


async def placements_of(owner_id: int, *, cursor: str | None, limit: int = 30) -> Page[Placed]:
    """A member's printed links, newest first. Three queries however many there are."""
    after = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT p.id, l.id AS link_id, l.code, coalesce(nullif(l.placement, ''), l.code) AS name,
                  p.kind, p.location, p.cost, p.currency
             FROM link_placement p JOIN link l ON l.id = p.link_id
            WHERE l.owner_id = $1 AND p.removed_at IS NULL AND ($2::bigint IS NULL OR p.id < $2)
            ORDER BY p.id DESC LIMIT $3""",
        owner_id,
        *after,
        limit + 1,
    )
    links = [row["link_id"] for row in rows]
    people = await db.fetch(
        """SELECT l.id AS link_id, c.clicks, s.scans FROM unnest($1::bigint[]) l(id)
             LEFT JOIN LATERAL (SELECT coalesce(sum(clicks), 0)::bigint AS clicks FROM click_count
                                 WHERE link_id = l.id AND kind = 'human') c ON true
             LEFT JOIN LATERAL (SELECT count(*)::bigint AS scans FROM click
                                 WHERE link_id = l.id AND trigger = 'qr' AND kind = 'human' AND blocked = '') s
               ON true""",
        links,
    )
    orders = await db.fetch(f"SELECT link_id, count(*)::bigint AS n FROM ({_ORDERS}) o GROUP BY 1", links)
    came = {row["link_id"]: row for row in people}
    bought = {row["link_id"]: row["n"] for row in orders}
    page = cut(rows, limit, lambda row: (row["id"],))
    placed = [_placed(row, came.get(row["link_id"]), bought.get(row["link_id"], 0)) for row in page.items]
    return Page(placed, page.next)


def _placed(row: asyncpg.Record, came: asyncpg.Record | None, orders: int) -> Placed:
    # Half a cent of a price that is only read is rounded up, like any price of a unit.
    per_order = Money(-(-row["cost"] // orders), row["currency"]) if orders else None
    return Placed(
        code=row["code"],
        name=row["name"],
        kind=row["kind"],
        location=row["location"],
        cost=Money(row["cost"], row["currency"]),
        clicks=came["clicks"] if came else 0,
        scans=came["scans"] if came else 0,
        orders=orders,
        per_order=per_order,
    )
