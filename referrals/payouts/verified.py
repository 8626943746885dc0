"""Asking a payment provider whether it knows whose account it is: then the store's people need not look."""

from datetime import timedelta

from app import clock, db
from referrals.payouts.methods import details_of
from referrals.payouts.rails import RAILS

ASK_AGAIN_AFTER = timedelta(days=7)
AT_ONCE = 100


async def look(method_id: int) -> None:
    """Ask about one account. No answer changes nothing; a no takes an earlier yes back."""
    method = await db.fetch_one("SELECT * FROM payout_method WHERE id = $1 AND removed_at IS NULL", method_id)
    rail = RAILS.get(method["rail"]) if method else None
    if method is None or rail is None or rail.is_known is None or not rail.is_ready():
        return
    details = details_of(method)
    known = await rail.is_known(details) if details else None
    if known is not None:
        at = clock.now() if known else None
        await db.execute("UPDATE payout_method SET verified_at = $2 WHERE id = $1", method_id, at)


async def look_at_all() -> None:
    """Those nobody knows yet, and those that were known a week ago; as long as some store asks who it pays."""
    names = [rail.name for rail in RAILS.values() if rail.is_known and rail.is_ready()]
    rows = await db.fetch(
        """SELECT id FROM payout_method
            WHERE rail = ANY($1::text[]) AND removed_at IS NULL AND (verified_at IS NULL OR verified_at < $2)
              AND EXISTS (SELECT 1 FROM payout_terms WHERE identity_from > 0)
            ORDER BY random() LIMIT $3""",
        names,
        clock.now() - ASK_AGAIN_AFTER,
        AT_ONCE,
    )
    for row in rows:
        await look(row["id"])
