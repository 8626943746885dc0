"""The store's pay day: a batch is put together by itself, and waits for its two approvals like any other."""

from datetime import datetime

from app import db
from app.errors import Conflict
from referrals.payouts.batches import open_batch, preview, waiting_requests
from referrals.payouts.terms import terms_of


async def open_due(now: datetime) -> int:
    """Open the batches of this day, once each, where there is anybody to pay; how many."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    rows = await db.fetch(
        """SELECT DISTINCT p.store_id, c.currency FROM commission c
             JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
            WHERE c.state = 'approved'
            UNION SELECT store_id, currency FROM payout WHERE state = 'claimed' AND batch_id IS NULL ORDER BY 1, 2"""
    )
    opened = 0
    for row in rows:
        terms = await terms_of(row["store_id"], row["currency"])
        if terms.pay_day != now.day or await _was_opened(row["store_id"], row["currency"], midnight):
            continue
        store = await db.fetch_one("SELECT * FROM store WHERE id = $1", row["store_id"])
        assert store is not None
        ready = [one for one in await preview(store, terms.currency, midnight, terms.minimum) if not one.trouble]
        if not ready and not await waiting_requests(row["store_id"], terms.currency, midnight):
            continue
        try:
            await open_batch(row["store_id"], terms.currency, midnight, terms.minimum, requested_by=None)
            opened += 1
        except Conflict:
            continue  # Last month's still waits for its approvals; what is ready now stays where it is.
    return opened


async def _was_opened(store_id: int, currency: str, since: datetime) -> bool:
    return bool(
        await db.fetch_val(
            """SELECT 1 FROM payout_batch WHERE store_id = $1 AND currency = $2 AND requested_by IS NULL
                  AND created_at >= $3""",
            store_id,
            currency,
            since,
        )
    )
