from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, count, moment, reference, words
from community.members.tables import Member
from referrals.attribution.tables import Attribution
from referrals.programs.tables import ProgramVersion
from storefront.orders.tables import Order, OrderLine


class Commission(Table, tablename="commission"):
    """What a member earns on one order line. `base` and `granted` are as first decided; what stands now is the
    sum of its ledger entries, which follow every refund."""

    id = BigSerial(primary_key=True)
    order_id = reference(Order)
    order_line_id = reference(OrderLine, index=False)
    member_id = reference(Member)
    role = words()
    attribution_id = reference(Attribution)
    program_version_id = reference(ProgramVersion)
    base = amount()
    rate_bps = count()
    granted = amount()
    currency = words()
    state = words()
    hold_until = moment()
    screened_at = moment(null=True)
    """When it was checked for fraud; nothing is released before."""
    created_at = moment()

    commission_once = Unique([order_line_id, member_id, role, attribution_id])
    commission_state_known = Check(
        "state IN ('tentative', 'pending', 'held', 'approved', 'allocated', 'paid', 'rejected', 'reversed')"
    )


class CommissionEvent(Table, tablename="commission_event"):
    """Each step of a commission's state, with who and why."""

    id = BigSerial(primary_key=True)
    commission_id = reference(Commission, index=False)
    seq = count()
    from_state = words(optional=True)
    to_state = words()
    reason = words()
    actor_id = reference(Member, null=True)
    at = moment()

    commission_event_once = Unique([commission_id, seq])
