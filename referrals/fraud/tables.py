from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import document, moment, reference, words
from community.members.tables import Member
from referrals.commissions.tables import Commission
from storefront.stores.tables import Store


class FraudSettings(Table, tablename="fraud_settings"):
    """From when on a store's rules strike. Never changed: the newest row counts."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    settings = document()
    by_id = reference(Member, null=True, index=False)
    created_at = moment()


class FraudCase(Table, tablename="fraud_case"):
    """A member, a store and a rule that struck: one open case for all it finds, until a person decides.

    At most one is open for the three (partial index in the migration). Time alone never closes a case.
    """

    id = BigSerial(primary_key=True)
    store_id = reference(Store)
    member_id = reference(Member)
    rule = words()
    state = words()
    opened_at = moment()
    due_at = moment()
    escalated_at = moment(null=True)
    """When it was late and the admins were told."""
    decided_by_id = reference(Member, null=True, index=False)
    decided_at = moment(null=True)
    resolution = words(optional=True)
    """What the member is told about the decision."""
    appealed_at = moment(null=True)
    appeal_by_id = reference(Member, null=True, index=False)
    """Who decided the appeal: never who decided the case."""

    fraud_case_state_known = Check("state IN ('open', 'cleared', 'confirmed', 'appealed', 'upheld', 'dismissed')")


class FraudSignal(Table, tablename="fraud_signal"):
    """What a rule saw, once for each thing it looked at. Never changed."""

    id = BigSerial(primary_key=True)
    case_id = reference(FraudCase)
    member_id = reference(Member)
    rule = words()
    source = words()
    """What was looked at: "commission:12", "method:3"."""
    key = words(optional=True)
    """What it was seen by (a keyed hash, a code): the same one is not held against the member again once cleared."""
    evidence = document()
    at = moment()

    fraud_signal_once = Unique([rule, source, member_id])


class FraudHold(Table, tablename="fraud_hold"):
    """A commission that a case concerns."""

    id = BigSerial(primary_key=True)
    case_id = reference(FraudCase, index=False)
    commission_id = reference(Commission)
    at = moment()

    fraud_hold_once = Unique([case_id, commission_id])


class FraudEntry(Table, tablename="fraud_entry"):
    """What happened in a case, who did it, and what they said. Never changed."""

    id = BigSerial(primary_key=True)
    case_id = reference(FraudCase)
    kind = words()
    actor_id = reference(Member, null=True, index=False)
    said = words(optional=True)
    at = moment()

    fraud_entry_kind_known = Check(
        "kind IN ('opened', 'extended', 'answered', 'noted', 'escalated', 'cleared', 'confirmed', 'appealed',"
        " 'upheld', 'dismissed')"
    )
