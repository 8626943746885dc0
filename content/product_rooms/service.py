import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import NotFound
from community.chat import reads
from community.chat.keepers import KEEPERS
from community.chat.policy import access_room
from content.product_rooms.keepers import SHOP

KEEPERS["product"] = SHOP


async def enter(viewer: Viewer, slug: str) -> int:
    """The room about a product among the viewer's own; the first who enters opens it. Its id.

    What was said before they came is not unread. Whoever was shown out finds no room.
    """
    member_id = require_member(viewer)
    async with db.transaction():
        # Of two who come first at once, the second finds the room of the other.
        product = await db.fetch_one("SELECT id, title FROM product WHERE slug = $1 FOR NO KEY UPDATE", slug)
        if product is None:
            raise NotFound()
        room_id = await db.fetch_val("SELECT room_id FROM product_room WHERE product_id = $1", product["id"])
        if room_id is None:
            room_id = await _open(product)
        room = await access_room(viewer, room_id)
        await db.execute(
            """INSERT INTO room_member (room_id, member_id, role, state, joined_at)
               VALUES ($1, $2, 'member', 'active', $3)
               ON CONFLICT (room_id, member_id) DO UPDATE SET state = 'active' WHERE room_member.state = 'left'""",
            room_id,
            member_id,
            clock.now(),
        )
        await reads.move([(room_id, member_id, room["seq"])])
    return room_id


async def leave(viewer: Viewer, slug: str) -> None:
    """Out of the viewer's list; it can still be read, and entered again."""
    await db.execute(
        """UPDATE room_member SET state = 'left'
            WHERE member_id = $1 AND state = 'active' AND room_id = (
                  SELECT c.room_id FROM product_room c JOIN product p ON p.id = c.product_id WHERE p.slug = $2)""",
        require_member(viewer),
        slug,
    )


async def _open(product: asyncpg.Record) -> int:
    room_id: int = await db.fetch_val(
        """INSERT INTO room (kind, name, is_open, seq, epoch, created_at)
           VALUES ('product', $1, true, 0, $2, $3) RETURNING id""",
        product["title"],
        ids.new_code(6),
        clock.now(),
    )
    await db.execute("INSERT INTO product_room (product_id, room_id) VALUES ($1, $2)", product["id"], room_id)
    return room_id
