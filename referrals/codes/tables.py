from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words, yes_no
from community.members.tables import Member
from referrals.programs.tables import Program
from storefront.orders.tables import Order


class Code(Table, tablename="code"):
    """What a buyer types at the shop: a member's own ("personal") or one of a campaign.

    `code_norm` is how two spellings are seen to be one. `leak_state` moves ok -> watch -> leaked; a person may vouch.
    """

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    text = words()
    code_norm = words()
    kind = words()
    owner_id = reference(Member, null=True)
    limit_total = count()
    """0: no limit."""
    limit_per_buyer = count()
    used_total = count()
    valid_from = moment(null=True)
    valid_until = moment(null=True)
    leak_state = words()
    watched_at = moment(null=True)
    leaked_at = moment(null=True)
    vouched_at = moment(null=True)
    """Somebody of the store looked and said that it is no leak; counted anew from here."""
    replaces_id = reference("self", null=True)
    disabled_at = moment(null=True)
    created_at = moment()

    code_once_per_program = Unique([program_id, code_norm])
    code_kind_known = Check("kind IN ('personal', 'campaign')")
    code_leak_state_known = Check("leak_state IN ('ok', 'watch', 'leaked')")
    code_limits_sane = Check("limit_total >= 0 AND limit_per_buyer >= 0 AND used_total >= 0")


class CodeUse(Table, tablename="code_use"):
    """An order carried this code: a fact, once. One beyond a limit is kept, and does not count."""

    id = BigSerial(primary_key=True)
    code_id = reference(Code)
    order_id = reference(Order, index=False)
    buyer_key = words(optional=True)
    refusal = words(optional=True)
    """Why it does not count: "used_up" or "buyer_used_up"; empty when it does."""
    is_cold = yes_no()
    """A new buyer of whom nothing else was known: no click, no sign-up. Many of them mean that the code leaked."""
    used_at = moment()

    code_use_once_per_order = Unique([order_id, code_id])


class CodeEntry(Table, tablename="code_entry"):
    """A member typed a friend's code here: it counts for their orders from then on, like a claimed click."""

    id = BigSerial(primary_key=True)
    code_id = reference(Code)
    member_id = reference(Member, cascade=True, index=False)
    entered_at = moment()

    code_entry_once = Unique([member_id, code_id])
