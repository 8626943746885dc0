from collections.abc import Collection
from typing import Any

import asyncpg
import msgspec

from app import db
from app.money import Money
from community.members.queries import as_author


class Card(msgspec.Struct):
    """By which link a card leads, and who is credited by it."""

    code: str
    owner: dict[str, Any]


class Sum(msgspec.Struct):
    """What came of a host's cards so far. `earned` by currency, after refunds."""

    visits: int
    orders: int
    earned: list[Money]


async def cards_of(pin_ids: Collection[int]) -> dict[int, Card]:
    """By pin: by which link it leads now. One that its owner switched off leads nobody."""
    rows = await db.fetch(
        f"""SELECT p.pin_id, l.code, {as_author("m")} AS owner
              FROM live_pin_link p JOIN link l ON l.id = p.link_id JOIN member m ON m.id = l.owner_id
             WHERE p.pin_id = ANY($1::bigint[]) AND l.disabled_at IS NULL""",
        list(pin_ids),
    )
    return {row["pin_id"]: Card(row["code"], row["owner"]) for row in rows}


async def sum_of(event_id: int, member_id: int | None) -> Sum:
    """For one of its hosts: visits by their cards, orders they led to, and what those earn."""
    row = await db.fetch_one(
        """WITH links AS (SELECT DISTINCT c.link_id FROM live_pin_link c JOIN live_pin p ON p.id = c.pin_id
                             JOIN link l ON l.id = c.link_id WHERE p.event_id = $1 AND l.owner_id = $2),
                won AS (SELECT a.order_id, a.winner_id FROM attribution a
                         WHERE a.link_id IN (SELECT link_id FROM links) AND a.winner_id IS NOT NULL
                           AND NOT EXISTS (SELECT 1 FROM attribution later
                                            WHERE later.order_id = a.order_id AND later.version > a.version)),
                earned AS (SELECT c.currency, sum(s.amount)::bigint AS amount
                             FROM won JOIN commission c ON c.order_id = won.order_id AND c.member_id = won.winner_id
                             CROSS JOIN LATERAL (
                                  SELECT coalesce(sum(e.amount), 0) AS amount
                                    FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                                    JOIN ledger_account k ON k.id = e.account_id AND k.kind = 'commission_expense'
                                   WHERE t.ref_type = 'commission' AND t.ref_id = c.id) s
                            GROUP BY c.currency)
           SELECT (SELECT coalesce(sum(clicks), 0)::bigint FROM click_count
                    WHERE link_id IN (SELECT link_id FROM links) AND kind = 'human') AS visits,
                  (SELECT count(*) FROM won) AS orders,
                  (SELECT coalesce(jsonb_agg(jsonb_build_array(amount, currency) ORDER BY currency), '[]')
                     FROM earned) AS earned""",
        event_id,
        member_id,
    )
    assert row is not None
    return Sum(row["visits"], row["orders"], [Money(amount, currency) for amount, currency in row["earned"]])


async def titles_of(link_ids: Collection[int | None]) -> dict[int, asyncpg.Record]:
    """By link: the live event whose cards lead by it."""
    rows = await db.fetch(
        """SELECT DISTINCT ON (c.link_id) c.link_id, e.slug, e.title
             FROM live_pin_link c JOIN live_pin p ON p.id = c.pin_id JOIN live_event e ON e.id = p.event_id
            WHERE c.link_id = ANY($1::bigint[]) ORDER BY c.link_id, c.id DESC""",
        [link_id for link_id in link_ids if link_id],
    )
    return {row["link_id"]: row for row in rows}
