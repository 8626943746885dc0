from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import reference
from community.groups.tables import Room
from storefront.catalog.tables import Product


class ProductRoom(Table, tablename="product_room"):
    """Where people talk about a product as they go: opened by the first who wants to, open to everybody."""

    id = BigSerial(primary_key=True)
    product_id = reference(Product, index=False)
    room_id = reference(Room, cascade=True, index=False)

    product_room_once = Unique([product_id])
    product_room_of_room_once = Unique([room_id])
