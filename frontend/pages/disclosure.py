"""Who earns from a store, and how much it pays: said beside what they wrote because the links say so, never typed."""

from collections.abc import Collection

import msgspec

from app import clock, db


class Terms(msgspec.Struct, frozen=True):
    """`earners`: those with a live link of their own to the store, or money from it. `rate_bps`: what it pays now.

    `codes`: their links to the products of this screen, by member and product.
    """

    earners: frozenset[int] = frozenset()
    rate_bps: int = 0
    codes: dict[tuple[int, int], str] = {}

    @property
    def percent(self) -> str:
        return f"{self.rate_bps / 100:g}"

    @property
    def facts(self) -> tuple:
        """All of it, in an order that does not change: what a page was made from."""
        return sorted(self.earners), self.rate_bps, sorted(self.codes.items())

    def link_of(self, member_id: int | None, product_id: int) -> str:
        """The member's own way to the shop, or nothing."""
        code = self.codes.get((member_id, product_id)) if member_id in self.earners else None
        return f"/r/{code}" if code else ""


async def terms_of(
    store_ids: Collection[int],
    member_ids: Collection[int | None],
    *,
    product_ids: Collection[int] = (),
    guide_id: int | None = None,
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
                         WHERE c.member_id = ANY($2::bigint[]) AND o.store_id = ANY($1::bigint[])) AS earners,
                  (SELECT coalesce(jsonb_agg(jsonb_build_array(l.owner_id, l.target_id, l.code)
                                             ORDER BY l.id DESC), '[]')
                     FROM link l
                    WHERE l.owner_id = ANY($2::bigint[]) AND l.disabled_at IS NULL
                      AND l.target_kind = 'product' AND l.target_id = ANY($5::bigint[])) AS links
             FROM paying""",
        list(store_ids),
        [member_id for member_id in member_ids if member_id],
        clock.now(),
        guide_id,
        list(product_ids),
    )
    assert row is not None
    # Oldest last: of several links to one product the first one made is kept.
    codes = {(owner_id, product_id): code for owner_id, product_id, code in row["links"]}
    return Terms(frozenset(row["earners"]), row["rate_bps"], codes)
