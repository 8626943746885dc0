from piccolo.columns import BigSerial, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, count, document, moment, reference, words
from community.members.tables import Member
from referrals.attribution.tables import Attribution
from referrals.programs.tables import Program, ProgramVersion
from storefront.orders.tables import Customer, Order, OrderLine


class Commission(Table, tablename="commission"):
    """What a member earns on one order line, or, without an order, by a `source` of its own ("bounty:7").

    `base`, `granted` and `how` are as first decided; what stands now is the sum of its ledger entries, which follow
    every refund.
    """

    id = BigSerial(primary_key=True)
    order_id = reference(Order, null=True)
    order_line_id = reference(OrderLine, null=True, index=False)
    source = Text(default=None, null=True, unique=True)
    member_id = reference(Member)
    role = words()
    attribution_id = reference(Attribution, null=True)
    program_version_id = reference(ProgramVersion)
    base = amount()
    rate_bps = count()
    granted = amount()
    rule = words(optional=True)
    """The name of the rule that was used, as it was called then."""
    how = document()
    """How the grant came about, frozen (referrals.commissions.reckoning: How). Empty: `rate_bps` of the net."""
    reserved = big(null=True)
    """With limits on it: what it takes of each of them now. Null: nothing limits it."""
    currency = words()
    state = words()
    hold_until = moment()
    screened_at = moment(null=True)
    """When it was checked for fraud; nothing is released before."""
    risk_hold_until = moment(null=True)
    """A risk may ask for a longer hold than the store's returns do; the later of the two counts."""
    created_at = moment()

    commission_once = Unique([order_line_id, member_id, role, attribution_id])
    commission_has_one_cause = Check("(order_line_id IS NULL) <> (source IS NULL)")
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
    evidence = document()
    at = moment()

    commission_event_once = Unique([commission_id, seq])


class Limit(Table, tablename="commission_limit"):
    """What may be granted at most, and what is granted now: a budget, or a cap per order, customer, day or month.

    The check is the hard stop: however many orders settle at once, `used` never passes `most`.
    """

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    kind = words()
    name = words()
    """Of what: a budget's name, "order:7", "member:7:2026-11"."""
    currency = words()
    most = amount()
    used = amount()

    commission_limit_once = Unique([program_id, kind, name, currency])
    commission_limit_kind_known = Check("kind IN ('budget', 'order', 'customer', 'day', 'month')")
    commission_limit_holds = Check("used BETWEEN 0 AND most")


class RewardedPhone(Table, tablename="rewarded_phone"):
    """A number (its keyed hash) of a new member who was paid for: never of another one, whoever has it by then."""

    id = BigSerial(primary_key=True)
    fingerprint = words(unique=True)
    member_id = reference(Member)
    at = moment()


class LimitUse(Table, tablename="commission_limit_use"):
    """A commission that counts against a limit, with its `reserved`."""

    id = BigSerial(primary_key=True)
    commission_id = reference(Commission, index=False)
    limit_id = reference(Limit)

    commission_limit_use_once = Unique([commission_id, limit_id])


class FriendReward(Table, tablename="friend_reward"):
    """The buyer's side of a referred order: credit at the store, granted with the commission and taken back with it."""

    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    customer_id = reference(Customer)
    program_version_id = reference(ProgramVersion)
    attribution_id = reference(Attribution)
    base = amount()
    granted = amount()
    currency = words()
    how = document()
    created_at = moment()

    friend_reward_once = Unique([order_id])
