import asyncpg

from app import db
from app.auth import Viewer
from community.groups.policy import readable_rooms


async def room_about(product_id: int, viewer: Viewer) -> asyncpg.Record | None:
    """The room about a product: how much was said there, and whether it is among the viewer's own."""
    return await db.fetch_one(
        f"""SELECT r.id, r.said, EXISTS (SELECT 1 FROM room_member m WHERE m.room_id = r.id AND m.member_id = $2
                                             AND m.state = 'active') AS is_mine
              FROM product_room c JOIN room r ON r.id = c.room_id
             WHERE c.product_id = $1 AND {readable_rooms("r", "$2")}""",
        product_id,
        viewer.member_id,
    )


async def slug_of_room(room_id: int) -> str | None:
    return await db.fetch_val(
        "SELECT p.slug FROM product_room c JOIN product p ON p.id = c.product_id WHERE c.room_id = $1", room_id
    )
