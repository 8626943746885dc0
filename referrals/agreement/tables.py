from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import document, moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class SecondPerson(Table, tablename="second_person"):
    """A store wants two people for what it pays and whom it checks. It is off again when two people say so."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    by_id = reference(Member)
    since = moment()

    second_person_once = Unique([store_id])


class PendingChange(Table, tablename="pending_change"):
    """What one person of a store wants to change; it counts when another one agrees. `said` is the change as data."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    kind = words()
    said = document()
    state = words()
    proposed_by_id = reference(Member)
    proposed_at = moment()
    decided_by_id = reference(Member, null=True)
    decided_at = moment(null=True)
    reason = words(optional=True)

    pending_change_state_known = Check("state IN ('waiting', 'agreed', 'refused', 'withdrawn')")
    pending_change_by_two = Check("state <> 'agreed' OR decided_by_id <> proposed_by_id")
