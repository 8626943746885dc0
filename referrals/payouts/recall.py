"""Calling a payout back before it is sent: something in it breaks the rules. What is right in it goes on its own.

The figures of a payout never change, and two people may have approved them: so the whole payout is cancelled. What its
member had asked for themselves is asked for once more, without what was taken out; the rest waits for the next batch.
"""

from collections.abc import Iterable

import asyncpg

from app import db
from app.events import publish
from referrals.payouts.claims import cancel_locked, claim
from referrals.payouts.events import PayoutRecalled
from referrals.payouts.settlement import count_in_batch, note


class StaysWithThem(Exception):
    """A claim that is undone: the rest cannot be paid by itself, so it waits with the member's other money."""


async def lock_recallable(commission_ids: Iterable[int]) -> list[asyncpg.Record]:
    """The payouts with any of these that no bank has heard of, each locked. Before anything else is."""
    rows = await db.fetch(
        """SELECT * FROM payout
            WHERE id IN (SELECT payout_id FROM payout_item WHERE active AND commission_id = ANY($1::bigint[]))
            ORDER BY id FOR UPDATE""",
        list(commission_ids),
    )
    return [row for row in rows if row["state"] in ("claimed", "approved")]


async def items_of(payout_ids: Iterable[int]) -> list[int]:
    rows = await db.fetch(
        "SELECT commission_id AS id FROM payout_item WHERE payout_id = ANY($1::bigint[]) AND active", list(payout_ids)
    )
    return [row["id"] for row in rows]


async def on_their_way(commission_ids: Iterable[int]) -> dict[int, int]:
    """The live payout of each commission that is in one."""
    rows = await db.fetch(
        "SELECT commission_id, payout_id FROM payout_item WHERE active AND commission_id = ANY($1::bigint[])",
        list(commission_ids),
    )
    return {row["commission_id"]: row["payout_id"] for row in rows}


async def recall(payouts: Iterable[asyncpg.Record], *, actor_id: int | None) -> None:
    """Cancel locked payouts; all their money is available again. The caller takes out what is wrong."""
    for payout in payouts:
        await cancel_locked(payout["id"], actor_id=actor_id)
        if payout["state"] == "approved":
            # Its batch is on its way. One that is not may not be waited for here: it is locked before its payouts.
            await count_in_batch(payout, failed=False)
        await publish(PayoutRecalled(payout_id=payout["id"]), actor_id=actor_id)


async def ask_again(payout_id: int) -> int | None:
    """Claim the rest of a payout that its member had asked for and that was called back; the new payout, if any."""
    try:
        async with db.transaction():
            old = await db.fetch_one("SELECT * FROM payout WHERE id = $1 FOR UPDATE", payout_id)
            if old is None or old["state"] != "cancelled" or old["asked_by"] != "member":
                return None
            if await db.fetch_val("SELECT 1 FROM payout_step WHERE payout_id = $1 AND step = 'asked_again'", payout_id):
                return None
            made = await claim(
                old["member_id"],
                old["store_id"],
                old["currency"],
                old["rail"],
                asked_by="member",
                until=old["created_at"],
            )
            if made is None:
                return None
            if made[1].trouble:
                raise StaysWithThem(made[1].trouble)
            await note("asked_again", payout_id=payout_id, note_=f"PO-{made[0]}")
            again = made[0]
    except StaysWithThem:
        return None
    return again
