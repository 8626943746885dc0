from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import big, moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class Link(Table, tablename="link"):
    """A member's share link. `destination` was checked when it was made: the redirect goes nowhere else.

    `target_kind`/`target_id` keep what is shared, so that its content can be credited too.
    """

    id = BigSerial(primary_key=True)
    code = words(unique=True)
    owner_id = reference(Member)
    store_id = reference(Store, null=True)
    target_kind = words()
    target_id = big(null=True)
    destination = words()
    placement = words(optional=True)
    created_at = moment()
    disabled_at = moment(null=True)
