"""The people of a shop may have programs in the rooms about its products: their owner, and who runs all shops."""

from app import db
from app.auth import Viewer
from community.chat.keepers import Keeper
from storefront.stores.policy import may_run

_STORE = """SELECT s.* FROM product_room c JOIN product p ON p.id = c.product_id JOIN store s ON s.id = p.store_id
             WHERE c.room_id = $1"""


async def may_keep(viewer: Viewer, room_id: int) -> bool:
    store = await db.fetch_one(_STORE, room_id)
    return store is not None and may_run(viewer, store)


async def owner(room_id: int) -> int | None:
    store = await db.fetch_one(_STORE, room_id)
    return store["owner_id"] if store else None


SHOP = Keeper(may_keep, owner)
