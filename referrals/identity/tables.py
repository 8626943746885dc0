from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class IdentityRequest(Table, tablename="identity_request"):
    """A member asks a store's people to look at who they are. One a store; closed by what they say."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    member_id = reference(Member)
    said = words(optional=True)
    """How they can be met, in their own words."""
    asked_at = moment()
    closed_at = moment(null=True)

    identity_request_once = Unique([store_id, member_id])


class IdentityCheck(Table, tablename="identity_check"):
    """What somebody of a store said about who a member is; never changed, the newest counts.

    No picture, number or name of a document is kept: what kind it was, whose, until when, and who looked.
    """

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    member_id = reference(Member)
    by_id = reference(Member, index=False)
    result = words()
    document = words(optional=True)
    country = words(optional=True)
    valid_until = moment(null=True)
    note = words(optional=True)
    at = moment()

    identity_check_result_known = Check("result IN ('checked', 'refused', 'withdrawn')")
    identity_check_by_another = Check("by_id <> member_id")
    identity_check_ends = Check("(result = 'checked') = (valid_until IS NOT NULL)")
