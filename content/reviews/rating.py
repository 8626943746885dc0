"""How many visible reviews gave how many stars: counted from the rows, in the transaction that changes one."""

from collections.abc import Collection

from app import db
from content.reviews.policy import visible


async def hold_products(product_ids: Collection[int]) -> None:
    """One change of a product's reviews at a time, or two that count at once would both miss the other's."""
    # NO KEY UPDATE: rows that merely point at a product (orders, clicks) do not wait for it. In order of id, so that
    # two imports of the same products do not wait for each other.
    await db.fetch(
        "SELECT 1 FROM product WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE", list(product_ids)
    )


async def recount(product_ids: Collection[int]) -> None:
    """Make the histograms what the visible reviews say. Needs the products held. Doing it again changes nothing."""
    await db.execute(
        f"""INSERT INTO product_rating (product_id, stars, reviews)
            SELECT held.product_id, given.stars, count(r.id)
              FROM unnest($1::bigint[]) AS held (product_id)
             CROSS JOIN generate_series(1, 5) AS given (stars)
              LEFT JOIN review r ON r.product_id = held.product_id AND r.rating = given.stars AND {visible("r")}
             GROUP BY held.product_id, given.stars
            ON CONFLICT (product_id, stars) DO UPDATE SET reviews = excluded.reviews
             WHERE product_rating.reviews <> excluded.reviews""",
        list(product_ids),
    )
