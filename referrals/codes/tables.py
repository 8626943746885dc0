from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words, yes_no
from community.members.tables import Member
from referrals.programs.tables import Program
from storefront.orders.tables import Order
from storefront.stores.tables import Store


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


class ShopCodes(Table, tablename="shop_codes"):
    """A store wants its codes written into its shop, and said what they take off there."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, cascade=True, index=False)
    percent_bps = count()
    discount_id = words(optional=True)
    is_alone = yes_no()
    set_by_id = reference(Member, null=True, index=False)
    set_at = moment()
    looked_at = moment(null=True)
    found = count()
    strange = count()
    """Codes of the shop that are none of ours."""
    error = words(optional=True)
    """What the shop said when it was asked last, if it did not do as asked."""

    shop_codes_once = Unique([store_id])
    shop_codes_percent_sane = Check("percent_bps BETWEEN 0 AND 10000")


class CodeInShop(Table, tablename="code_in_shop"):
    """The shop was given a code: it takes it, or said why not."""

    id = BigSerial(primary_key=True)
    code_id = reference(Code, cascade=True, index=False)
    asked_at = moment()
    taken_at = moment(null=True)
    refusal = words(optional=True)

    code_in_shop_once = Unique([code_id])
