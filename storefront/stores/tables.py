from piccolo.columns import BigSerial
from piccolo.constraints import Check
from piccolo.table import Table

from app.columns import moment, reference, words
from community.members.tables import Member


class Store(Table, tablename="store"):
    """A shop that sends us its orders. `secret` signs its webhooks, `publishable_key` names it in its widgets."""

    id = BigSerial(primary_key=True)
    slug = words(unique=True)
    name = words()
    provider = words()
    currency = words()
    origin = words()
    secret = words()
    publishable_key = words(unique=True)
    owner_id = reference(Member, null=True)
    created_at = moment()

    store_provider_known = Check("provider IN ('generic', 'shopify', 'woocommerce', 'stripe', 'medusa')")
