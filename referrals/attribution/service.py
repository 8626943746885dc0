from datetime import timedelta

import asyncpg
import msgspec

from app import clock, db
from referrals.attribution import queries
from referrals.attribution.rules import Candidate, Decision, decide
from referrals.programs.queries import version_at


async def attribute(order: asyncpg.Record) -> asyncpg.Record | None:
    """The decision in force on an order, made anew when the facts ask for another one. The caller holds its lock.

    The rules are those in force when we first heard of the order; they stay with it.
    """
    current = await queries.in_force(order["id"])
    rules = await version_at(order["store_id"], order["created_at"])
    if rules is None:
        return current
    ordered_at = order["placed_at"] or order["paid_at"] or order["created_at"]
    window = timedelta(days=rules["window_days"])
    touches = await queries.touches_of(order, ordered_at, window, earliest_first=rules["model"] == "first")
    decision = decide(touches, store_id=order["store_id"], ordered_at=ordered_at, window=window, model=rules["model"])
    if not _says_something_new(decision, current):
        return current
    return await _write(order["id"], (current["version"] if current else 0) + 1, rules["id"], decision)


def _says_something_new(decision: Decision, current: asyncpg.Record | None) -> bool:
    if current is None:
        return bool(decision.candidates)
    kept = msgspec.convert(current["candidates"], list[Candidate])
    return kept != decision.candidates or current["rule"] != decision.rule


async def _write(order_id: int, version: int, rules_id: int, decision: Decision) -> asyncpg.Record | None:
    winner = decision.winner
    return await db.fetch_one(
        """INSERT INTO attribution
                  (order_id, version, program_version_id, winner_id, link_id, click_id, rule, candidates, decided_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8::jsonb, $9) RETURNING *""",
        order_id,
        version,
        rules_id,
        winner.member_id if winner else None,
        winner.link_id if winner else None,
        winner.click_id if winner else None,
        decision.rule,
        msgspec.json.encode(decision.candidates).decode(),
        clock.now(),
    )
