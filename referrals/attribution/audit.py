"""Decide every order once more, from its facts and the rules it was decided under, and compare."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import asyncpg

from app import db
from referrals.attribution.facts import Case, decided, gather
from referrals.attribution.service import case_of, what_differs
from referrals.attribution.shares import WHOLE, shares_of

BATCH = 500
MOST_ERRORS = 1000
WAIT_SECONDS = 3

_ORDERS = """SELECT o.*, c.member_id AS buyer_id, c.mailbox_hmac AS buyer_mailbox
               FROM orders o LEFT JOIN customer c ON c.id = o.customer_id"""


async def check_attributions() -> list[str]:
    """Each order whose decision in force is not what its facts ask for, or whose shares are not a whole."""
    faults = await _faults(None)
    if faults and await _jobs_are_waiting():
        # A fact that came a moment ago is still on its way to its orders.
        await asyncio.sleep(WAIT_SECONDS)
        faults = await _faults(list(faults))
    return list(faults.values())


async def _faults(among: Sequence[int] | None) -> dict[int, str]:
    faults: dict[int, str] = {}
    async for cases in _decided_orders(among):
        for case in cases:
            assert case.current is not None
            shares = shares_of(case.current)
            if shares and (sum(one.bps for one in shares) != WHOLE or min(one.bps for one in shares) <= 0):
                faults[case.id] = f"order {case.id}: the shares of its credit are not a whole"
            elif differs := what_differs(decided(case), case.current):
                faults[case.id] = f"order {case.id} was decided otherwise than its facts ask for: {differs}"
        if len(faults) >= MOST_ERRORS:
            break
    return faults


async def _jobs_are_waiting() -> bool:
    return bool(
        await db.fetch_val(
            """SELECT EXISTS (SELECT 1 FROM pgqueuer WHERE entrypoint LIKE 'referrals.%'
                  AND status IN ('queued', 'picked') AND execute_after <= now())"""
        )
    )


async def _decided_orders(among: Sequence[int] | None) -> AsyncIterator[list[Case]]:
    """The decided orders with their facts, some hundred at a time."""
    versions: dict[int, asyncpg.Record] = {row["id"]: row for row in await db.fetch("SELECT * FROM program_version")}
    last_id = 0
    while rows := await db.fetch(
        f"""SELECT orders.*, a.program_version_id FROM ({_ORDERS}) orders
              JOIN LATERAL (SELECT program_version_id FROM attribution WHERE order_id = orders.id
                             ORDER BY version DESC LIMIT 1) a ON true
             WHERE orders.id > $1 AND ($3::bigint[] IS NULL OR orders.id = ANY($3)) ORDER BY orders.id LIMIT $2""",
        last_id,
        BATCH,
        among,
    ):
        last_id = rows[-1]["id"]
        cases = [case_of(row, versions[row["program_version_id"]]) for row in rows]
        await gather(cases)
        yield cases
