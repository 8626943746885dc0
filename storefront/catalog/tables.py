from piccolo.columns import BigSerial, Integer
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import amount, moment, reference, words
from storefront.stores.tables import Store


class Product(Table, tablename="product"):
    """Something a store sells, as the store last described it."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    slug = words(unique=True)
    title = words()
    description = words(optional=True)
    url = words()
    price = amount()
    currency = words()
    image_url = words(optional=True)
    """Where the shop keeps its picture. Nobody's browser is sent there: pages show `picture`."""
    picture = words(optional=True)
    """Our copy, as a path of ours, made from `picture_source`; empty until there is one."""
    picture_source = words(optional=True)
    picture_tried_at = moment(null=True)
    picture_problem = words(optional=True)
    brand = words(optional=True)
    category = words(optional=True)
    gtin = words(optional=True)
    stock = Integer(default=None, null=True)
    """How many the shop has left; null where it does not count, or does not say."""
    created_at = moment()
    updated_at = moment()
    withdrawn_at = moment(null=True)
    source_updated_at = moment(null=True)
    """When the store said so: an older message never overwrites a newer one."""

    product_once_per_store = Unique([store_id, external_id])
