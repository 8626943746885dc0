"""An order's lines as told, by the newest telling; others may point at a line, so none ever goes away."""

from app import db
from storefront.orders.schemas import OrderTold


async def write_lines(store_id: int, order_id: int, told: OrderTold, stamp: str) -> bool:
    """The lines as told now. One that is no longer told is worth nothing: others may point at it, so it stays."""
    lines = told.lines or []
    changed = await db.fetch(
        """INSERT INTO order_line AS l
                  (order_id, external_id, external_product_id, title, quantity, gross, discount, tax, product_id, stamp)
           SELECT $1, t.external_id, t.product, t.title, t.quantity, t.gross, t.discount, t.tax, p.id, $10
             FROM unnest($3::text[], $4::text[], $5::text[], $6::int[], $7::bigint[], $8::bigint[], $9::bigint[])
                  WITH ORDINALITY AS t (external_id, product, title, quantity, gross, discount, tax, place)
             LEFT JOIN product p ON p.store_id = $2 AND p.external_id = t.product
            ORDER BY t.place
           ON CONFLICT (order_id, external_id) DO UPDATE
              SET external_product_id = excluded.external_product_id, title = excluded.title,
                  quantity = excluded.quantity, gross = excluded.gross, discount = excluded.discount,
                  tax = excluded.tax, product_id = excluded.product_id, stamp = excluded.stamp
            WHERE (l.external_product_id, l.title, l.quantity, l.gross, l.discount, l.tax, l.product_id)
                  IS DISTINCT FROM (excluded.external_product_id, excluded.title, excluded.quantity, excluded.gross,
                                    excluded.discount, excluded.tax, excluded.product_id)
        RETURNING l.id""",
        order_id,
        store_id,
        [line.external_id for line in lines],
        [line.external_product_id for line in lines],
        [line.title for line in lines],
        [line.quantity for line in lines],
        [line.gross for line in lines],
        [line.discount for line in lines],
        [line.tax for line in lines],
        stamp,
    )
    dropped = await db.execute(
        """UPDATE order_line SET quantity = 0, gross = 0, discount = 0, tax = 0
            WHERE order_id = $1 AND external_id <> ALL($2::text[]) AND quantity + gross + discount + tax <> 0""",
        order_id,
        [line.external_id for line in lines],
    )
    await db.execute(
        "UPDATE order_line SET stamp = $2 WHERE order_id = $1 AND external_id = ANY($3::text[]) AND stamp <> $2",
        order_id,
        stamp,
        [line.external_id for line in lines],
    )
    return bool(changed) or dropped > 0


async def remember_dropped_lines(store_id: int, order_id: int, told: OrderTold, stamp: str) -> None:
    """Lines of an older telling that the newer one dropped stand with nothing, as if they had been told in order."""
    lines = told.lines or []
    await db.execute(
        """INSERT INTO order_line AS l
                  (order_id, external_id, external_product_id, title, quantity, gross, discount, tax, product_id, stamp)
           SELECT $1, t.external_id, t.product, t.title, 0, 0, 0, 0, p.id, $6
             FROM unnest($3::text[], $4::text[], $5::text[]) AS t (external_id, product, title)
             LEFT JOIN product p ON p.store_id = $2 AND p.external_id = t.product
           ON CONFLICT (order_id, external_id) DO UPDATE
              SET external_product_id = excluded.external_product_id, title = excluded.title,
                  product_id = excluded.product_id, stamp = excluded.stamp
            WHERE l.stamp < excluded.stamp AND l.quantity + l.gross + l.discount + l.tax = 0""",
        order_id,
        store_id,
        [line.external_id for line in lines],
        [line.external_product_id for line in lines],
        [line.title for line in lines],
        stamp,
    )
