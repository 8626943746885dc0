"""Who earns from a store, and how much it pays: said beside what they wrote because the links say so, never typed."""

from collections.abc import Collection

import msgspec

from app import clock, db


class Terms(msgspec.Struct, frozen=True):
    """`earners`: those who keep a live link of their own to the store. `rate_bps`: what it pays now, 0 for nothing."""

    earners: frozenset[int] = frozenset()
    rate_bps: int = 0

    @property
    def percent(self) -> str:
        return f"{self.rate_bps / 100:g}"


async def terms_of(store_ids: Collection[int], member_ids: Collection[int | None]) -> Terms:
    """One query for a whole screen. Of several stores the best rate counts."""
    row = await db.fetch_one(
        """WITH paying AS (
               SELECT DISTINCT ON (p.store_id) p.store_id, v.rate_bps
                 FROM program p JOIN program_version v ON v.program_id = p.id
                WHERE p.store_id = ANY($1::bigint[]) AND v.published_at <= $3
                ORDER BY p.store_id, v.version DESC)
           SELECT coalesce(max(rate_bps), 0) AS rate_bps,
                  array(SELECT DISTINCT l.owner_id FROM link l JOIN paying USING (store_id)
                         WHERE l.owner_id = ANY($2::bigint[]) AND l.disabled_at IS NULL AND rate_bps > 0) AS earners
             FROM paying""",
        list(store_ids),
        [member_id for member_id in member_ids if member_id],
        clock.now(),
    )
    return Terms(frozenset(row["earners"]), row["rate_bps"]) if row else Terms()
