"""How many visible reviews gave how many stars: counted from the rows, in the transaction that changes one."""

from app import db
from content.reviews.policy import visible


async def hold_product(product_id: int) -> None:
    """One change of a product's reviews at a time, or two that count at once would both miss the other's."""
    # NO KEY UPDATE: rows that merely point at the product (orders, clicks) do not wait for it.
    await db.execute("SELECT 1 FROM product WHERE id = $1 FOR NO KEY UPDATE", product_id)


async def recount(product_id: int) -> None:
    """Make the histogram what the visible reviews say. Needs the product held. Doing it again changes nothing."""
    await db.execute(
        f"""INSERT INTO product_rating (product_id, stars, reviews)
            SELECT $1, given.stars, count(r.id)
              FROM generate_series(1, 5) AS given (stars)
              LEFT JOIN review r ON r.product_id = $1 AND r.rating = given.stars AND {visible("r")}
             GROUP BY given.stars
            ON CONFLICT (product_id, stars) DO UPDATE SET reviews = excluded.reviews
             WHERE product_rating.reviews <> excluded.reviews""",
        product_id,
    )
