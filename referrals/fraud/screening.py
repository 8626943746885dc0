"""Every commission is looked at once before it may be released; what a rule sees holds it and opens a case.

A commission is marked as screened after the last case it led to was opened: a crash in between leaves it unscreened,
and so unreleased, and what was reported is known when it is looked at again. Each case is a transaction of its own: two
in one would lock orders for the second after the books for the first, across everybody who settles orders.
"""

from datetime import timedelta
from typing import Any

import asyncpg

from app import clock, db
from referrals.commissions import holds
from referrals.fraud import cases, evidence, paths, risk
from referrals.fraud.facts import Facts
from referrals.fraud.rules import SCOPES, Hit, hits_of
from referrals.fraud.thresholds import thresholds_of

# Commissions that no job looked at for so long are looked at by the chore.
FORGOTTEN_AFTER = timedelta(minutes=2)
AT_ONCE = 200


async def screen(commission_id: int, *, again: bool = False) -> list[Hit]:
    """Look at a commission; once, unless its order's facts are other ones now (`again`). What struck."""
    subject = await evidence.subject_of(commission_id)
    if subject is None or (subject["screened_at"] is not None and not again):
        return []
    limits = await thresholds_of(subject["store_id"])
    hits = hits_of(await evidence.facts_of(subject), limits)
    store_id, member_id, source = subject["store_id"], subject["member_id"], f"commission:{commission_id}"
    for hit in hits:
        concerned = [commission_id, *await _others(subject, SCOPES.get(hit.rule, ""))]
        async with db.transaction():
            await cases.report(store_id, member_id, hit, source=source, concerned=concerned)
    async with db.transaction():
        await risk.hold_new_longer(commission_id, member_id, store_id)
        await holds.mark_screened([commission_id])
    return hits


async def screen_forgotten() -> int:
    """Whatever was never looked at: a job may have failed. How many were."""
    rows = await db.fetch(
        """SELECT id FROM commission WHERE screened_at IS NULL AND created_at < $1 ORDER BY created_at LIMIT $2""",
        clock.now() - FORGOTTEN_AFTER,
        AT_ONCE,
    )
    for row in rows:
        await screen(row["id"])
    return len(rows)


async def screen_order_again(order_id: int) -> None:
    """An order's facts are other ones now (an address came, a refund): what it earned is looked at, also when it was
    paid: a case that is confirmed takes it back.

    Also what a refund has ended: that most of a member's orders go back shows on the rest of them.
    """
    rows = await db.fetch(
        """SELECT id FROM commission WHERE order_id = $1 AND screened_at IS NOT NULL
              AND state <> 'rejected' ORDER BY id""",
        order_id,
    )
    for row in rows:
        await screen(row["id"], again=True)


async def screen_number_again(member_id: int) -> None:
    """A member has proven a number: what orders earned them that named it, and is not paid yet, is looked at anew."""
    rows = await db.fetch(
        """SELECT c.id FROM member_phone p JOIN orders o ON o.phone_hmac = p.fingerprint
             JOIN commission c ON c.order_id = o.id AND c.member_id = p.member_id
            WHERE p.member_id = $1 AND c.screened_at IS NOT NULL
              AND c.state IN ('tentative', 'pending', 'approved') ORDER BY c.id""",
        member_id,
    )
    for row in rows:
        await screen(row["id"], again=True)


async def suspect_shared_account(member_ids: list[int], fingerprint: str) -> None:
    """Several members are paid to one account: all that is pending of each waits for a person."""
    for member_id in member_ids:
        stores = await db.fetch(
            """SELECT p.store_id, array_agg(c.id) AS ids FROM commission c
                 JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
                WHERE c.member_id = $1 AND c.state IN ('tentative', 'pending', 'approved') GROUP BY p.store_id""",
            member_id,
        )
        hit = Hit("shared_account", {"members": len(member_ids)}, fingerprint)
        for store in stores:
            if "shared_account" not in (await thresholds_of(store["store_id"])).off:
                source = f"account:{store['store_id']}:{fingerprint[:16]}"
                async with db.transaction():
                    await cases.report(store["store_id"], member_id, hit, source=source, concerned=store["ids"])


async def look_at_times() -> int:
    """Members whose orders come after their clicks at other times than everybody else's; how many."""
    now, struck = clock.now(), 0
    for row in await db.fetch("SELECT DISTINCT store_id FROM program"):
        limits = await thresholds_of(row["store_id"])
        times = await evidence.times_at(row["store_id"], now)
        for member_id, mine in times.items():
            if len(mine) < limits.odd_orders:
                continue
            others = [delay for other, delays in times.items() if other != member_id for delay in delays]
            hits = [
                hit for hit in hits_of(Facts(delays=mine, delays_of_others=others), limits) if hit.rule == "odd_times"
            ]
            for hit in hits:
                concerned = await _pending(member_id, row["store_id"])
                source = f"times:{row['store_id']}:{now:%Y-%m-%d}"
                if concerned:
                    async with db.transaction():
                        struck += await cases.report(
                            row["store_id"], member_id, hit, source=source, concerned=concerned
                        )
    return struck


async def look_at_paths() -> int:
    """Members whose orders took paths that nobody else's take; how many."""
    now, struck = clock.now(), 0
    for row in await db.fetch("SELECT DISTINCT store_id FROM program"):
        store_id = row["store_id"]
        limits = await thresholds_of(store_id)
        found = await paths.paths_at(store_id, now, limits.checkout_paths)
        everybodys = paths.together(found.values())
        for member_id, mine in found.items():
            if mine.orders < limits.path_orders:
                continue
            hits = hits_of(Facts(**paths.beside(mine, everybodys)), limits)
            for hit in [hit for hit in hits if hit.rule == "odd_paths"]:
                source = f"paths:{store_id}:{now:%Y-%m-%d}"
                if concerned := await _pending(member_id, store_id):
                    async with db.transaction():
                        struck += await cases.report(store_id, member_id, hit, source=source, concerned=concerned)
    return struck


async def _others(subject: asyncpg.Record, scope: str) -> list[int]:
    """The member's further commissions that a hit of this scope concerns."""
    if not scope:
        return []
    if scope == "pending":
        return await _pending(subject["member_id"], subject["store_id"])
    since = subject["created_at"] - timedelta(hours=1 if scope == "hour" else 24)
    by_scope, asked = _BY_SCOPE[scope], [subject["member_id"], subject["store_id"]]
    more: list[Any] = {
        "ring": [subject["address_hmac"] or "", subject["instrument_hmac"] or ""],
        "buyer": [subject["buyer_id"]],
    }.get(scope, [since])
    rows = await db.fetch(_EARNED + by_scope, *asked, *more)
    return [row["id"] for row in rows]


async def _pending(member_id: int, store_id: int) -> list[int]:
    return [row["id"] for row in await db.fetch(_UNPAID, member_id, store_id)]


_THEIRS = """
SELECT c.id FROM commission c
  JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
 WHERE c.member_id = $1 AND p.store_id = $2"""
_UNPAID = f"{_THEIRS} AND c.state IN ('tentative', 'pending', 'held', 'approved')"
# What was seen together is one thing, whatever of it was paid by now.
_EARNED = f"{_THEIRS} AND c.state NOT IN ('rejected', 'reversed')"
_BY_SCOPE = {
    "hour": " AND c.created_at > $3",
    "day": " AND c.created_at > $3",
    "buyer": """ AND EXISTS (SELECT 1 FROM orders o JOIN customer cu ON cu.id = o.customer_id
                    WHERE o.id = c.order_id AND cu.member_id = $3)""",
    "ring": """ AND EXISTS (SELECT 1 FROM orders o WHERE o.id = c.order_id
                    AND ((o.address_hmac = $3 AND $3 <> '') OR (o.instrument_hmac = $4 AND $4 <> '')))""",
}
