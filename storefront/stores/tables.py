from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words
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
    old_secret = words(optional=True)
    """Still taken until `old_secret_until`, while a new one spreads."""
    old_secret_until = moment(null=True)
    keys_origin = words(optional=True)
    """Whose published keys sign its webhooks (Saleor); empty: the secret does."""
    channel = words(optional=True)
    """Of a Saleor with several channels the one that this store is; empty: all of them."""
    publishable_key = words(unique=True)
    owner_id = reference(Member, null=True)
    created_at = moment()

    store_provider_is_known = Check("provider IN ('generic', 'shopify', 'woocommerce', 'stripe', 'medusa', 'saleor')")


class StoreAccess(Table, tablename="store_access"):
    """How we may ask a store for its orders, and write codes into it. The keys are kept encrypted."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    url = words()
    keys = words(optional=True)
    created_at = moment()

    store_access_once = Unique([store_id])


class StorePull(Table, tablename="store_pull"):
    """One look at what a store says it sold, and what its webhooks had not told us."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    since = moment()
    started_at = moment()
    ended_at = moment(null=True)
    seen = count()
    missed = count()
    """Orders we had never heard of."""
    stale = count()
    """Orders of which something was new."""
    extra = count()
    """Orders we know and the store did not name."""
    error = words(optional=True)


class StorePullFind(Table, tablename="store_pull_find"):
    """One order of which a pull found that we and the store had not known the same."""

    id = BigSerial(primary_key=True)
    pull_id = reference(StorePull, index=False)
    order_external_id = words()
    kind = words()

    store_pull_find_once = Unique([pull_id, order_external_id])
    store_pull_find_kind = Check("kind IN ('missing', 'differs', 'extra')")
