"""Who earns from a store, and how much it pays: said beside what they wrote because the links say so, never typed."""

from collections.abc import Collection

import msgspec

from app import clock, db


class Terms(msgspec.Struct, frozen=True):
    """`earners`: those with a live link of their own to the store, or money from it. `rate_bps`: what it pays now."""

    earners: frozenset[int] = frozenset()
    rate_bps: int = 0

    @property
    def percent(self) -> str:
        return f"{self.rate_bps / 100:g}"


async def terms_of(
    store_ids: Collection[int], member_ids: Collection[int | None], *, guide_id: int | None = None
) -> Terms:
    """One query for a whole screen. Of several stores the best rate counts; a link to the guide itself counts too."""
    row = await db.fetch_one(
        """WITH paying AS (
               SELECT DISTINCT ON (p.store_id) p.store_id, v.rate_bps
                 FROM program p JOIN program_version v ON v.program_id = p.id
                WHERE p.store_id = ANY($1::bigint[]) AND v.published_at <= $3
                ORDER BY p.store_id, v.version DESC)
           SELECT coalesce(max(rate_bps), 0) AS rate_bps,
                  array(SELECT l.owner_id FROM link l
                         WHERE l.owner_id = ANY($2::bigint[]) AND l.disabled_at IS NULL
                           AND EXISTS (SELECT 1 FROM paying WHERE rate_bps > 0)
                           AND (l.store_id IN (SELECT store_id FROM paying WHERE rate_bps > 0)
                                OR (l.target_kind = 'guide' AND l.target_id = $4))
                        UNION
                        SELECT c.member_id FROM commission c JOIN orders o ON o.id = c.order_id
                         WHERE c.member_id = ANY($2::bigint[]) AND o.store_id = ANY($1::bigint[])) AS earners
             FROM paying""",
        list(store_ids),
        [member_id for member_id in member_ids if member_id],
        clock.now(),
        guide_id,
    )
    return Terms(frozenset(row["earners"]), row["rate_bps"]) if row else Terms()
