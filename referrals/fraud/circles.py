"""Members who buy by one another's word: A by B's and B by A's, or round over a third. Two queries, however large the
store; one for whoever never bought by anybody's word."""

from collections.abc import Collection
from datetime import timedelta

import asyncpg

from app import db

A_QUARTER = timedelta(days=90)
MOST_LED_BY = 50


async def circle_of(subject: asyncpg.Record) -> tuple[int, int]:
    """How often each bought by the next one's word at the weakest place of the strongest circle through a commission's
    member and the buyer, and of how many members that circle is; (0, 0) when there is none."""
    me, buyer = subject["member_id"], subject["buyer_id"]
    if subject["order_id"] is None or buyer is None or buyer == me:
        return 0, 0
    bought = await _bought_by(subject, {me, buyer})
    led_me = {seller: many for (who, seller), many in bought.items() if who == me}
    by_me = bought.get((buyer, me), 0)
    if not led_me or not by_me:
        return 0, 0
    two = min(led_me.get(buyer, 0), by_me)
    further = sorted(set(led_me) - {buyer}, key=lambda one: (-led_me[one], one))[:MOST_LED_BY]
    by_buyer = await _bought_by(subject, further) if further else {}
    three = max((min(led_me[one], by_buyer.get((one, buyer), 0), by_me) for one in further), default=0)
    return (two, 2) if two >= three and two else (three, 3) if three else (0, 0)


async def _bought_by(subject: asyncpg.Record, members: Collection[int]) -> dict[tuple[int, int], int]:
    """By buyer and whoever was credited: the orders of these members at the store within a quarter."""
    rows = await db.fetch(
        """SELECT cu.member_id AS buyer, a.winner_id AS seller, count(*) AS many
             FROM customer cu JOIN orders o ON o.customer_id = cu.id
             JOIN LATERAL (SELECT winner_id FROM attribution WHERE order_id = o.id
                            ORDER BY version DESC LIMIT 1) a ON a.winner_id <> cu.member_id
            WHERE cu.member_id = ANY($1::bigint[]) AND o.store_id = $2 AND o.created_at > $3
              AND o.created_at < $4 AND o.cancelled_at IS NULL
            GROUP BY 1, 2""",
        list(members),
        subject["store_id"],
        subject["created_at"] - A_QUARTER,
        subject["created_at"] + A_QUARTER,
    )
    return {(row["buyer"], row["seller"]): row["many"] for row in rows}
