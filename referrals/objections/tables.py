from piccolo.columns import BigSerial, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words
from community.members.tables import Member
from referrals.attribution.tables import Override
from storefront.orders.tables import Order


class Objection(Table, tablename="credit_objection"):
    """A member who had a part in an order and was not credited contests the decision: once for each decision."""

    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    version = count()
    """Of the decision."""
    member_id = reference(Member)
    said = words()
    state = words()
    waits = Text(default=None, null=True, unique=True)
    """ "7:12" (order, member) while nobody has decided: one at a time, whatever is decided anew meanwhile."""
    due_at = moment()
    escalated_at = moment(null=True)
    decided_by_id = reference(Member, null=True, index=False)
    decided_at = moment(null=True)
    answer = words(optional=True)
    override_id = reference(Override, null=True, index=False)
    """What an upheld one led to; above the programme's threshold a second person has to agree to it."""
    created_at = moment()

    credit_objection_once = Unique([order_id, member_id, version])
    credit_objection_state_known = Check("state IN ('open', 'upheld', 'dismissed')")
