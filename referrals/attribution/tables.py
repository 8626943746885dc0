from piccolo.columns import UUID, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, count, document, moment, reference, words, yes_no
from community.members.tables import Member
from referrals.links.tables import Link
from referrals.programs.tables import ProgramVersion
from storefront.orders.tables import Order
from storefront.stores.tables import Store


class Attribution(Table, tablename="attribution"):
    """A decision: who is credited for an order, by which rule, and why each other candidate was not.

    Never changed; a later version with the next number supersedes it. The newest is in force.
    """

    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    version = count()
    program_version_id = reference(ProgramVersion)
    winner_id = reference(Member, null=True)
    link_id = reference(Link, null=True)
    click_id = UUID(default=None, null=True)
    rule = words()
    candidates = document()
    shares = document()
    """Who gets which part, in basis points that sum to 10,000; empty: the winner gets it all."""
    decided_at = moment()

    attribution_once_per_version = Unique([order_id, version])


class Override(Table, tablename="attribution_override"):
    """A person decided who is credited for an order, and why. Above the programme's threshold a second one agrees.

    While it is in force it stands above every touch, however often the order is decided anew.
    """

    id = BigSerial(primary_key=True)
    order_id = reference(Order)
    winner_id = reference(Member, null=True)
    """Nobody, when null."""
    reason = words()
    state = words()
    stake = amount()
    currency = words()
    needs_second = yes_no()
    proposed_by = reference(Member)
    proposed_at = moment()
    decided_by = reference(Member, null=True)
    decided_at = moment(null=True)
    withdrawn_by = reference(Member, null=True)
    withdrawn_at = moment(null=True)

    attribution_override_state_known = Check("state IN ('proposed', 'in_force', 'refused', 'withdrawn')")
    attribution_override_two_people = Check("NOT needs_second OR state <> 'in_force' OR decided_by <> proposed_by")


class Conversion(Table, tablename="conversion"):
    """What a store's server told of a click or a customer: a sign-up, a lead, an order, or an event of its own.

    Together with a click it is a touch: of the order it names, or of all orders of the customer it names.
    """

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    kind = words()
    click_id = UUID(default=None, null=True, index=True)
    link_id = reference(Link, null=True)
    """The link that was followed, when a person followed it and it may lead to this store."""
    customer_external_id = words(optional=True)
    order_external_id = words(optional=True)
    quantity = count(1)
    value = big(null=True)
    currency = words(optional=True)
    fields = document()
    """What the rules of then say that its kind carries."""
    occurred_at = moment()
    created_at = moment()

    conversion_once_per_store = Unique([store_id, external_id])
    conversion_quantity_sane = Check("quantity > 0")


class Invite(Table, tablename="invite"):
    """A member told a friend by e-mail. Only keyed hashes of the address are kept, to know the friend when they buy."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    email_hmac = words(index=True)
    invited_at = moment()

    invite_once = Unique([member_id, email_hmac])


class PhoneInvite(Table, tablename="phone_invite"):
    """A member says that they told somebody with this number. We write to nobody: it counts for nothing until whoever
    got the member's message opens it and says so, and then less than anything else."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    phone_hmac = words(index=True)
    token_hmac = words(unique=True)
    was_known = yes_no()
    """An order here had named the number before: whoever has it was nobody's to invite."""
    invited_at = moment()
    accepted_at = moment(null=True)
    accepted_from = words(optional=True)
    """The browser of that day; one of them speaks for one friend of a member."""

    phone_invite_once = Unique([member_id, phone_hmac])


class DeferredMatch(Table, tablename="deferred_match"):
    """An app that was installed after a click was told which click it probably was, and how sure that is.

    A guess is handed out as a click of its own (`click_id`, a copy of `original_id`): the doubt about who started the
    app is no doubt about whoever has the original in their browser.
    """

    id = BigSerial(primary_key=True)
    click_id = UUID(default=None, null=False)
    original_id = UUID(default=None, null=True)
    confidence = count()
    how = words()
    matched_at = moment()

    deferred_match_once = Unique([click_id])
    deferred_match_original_once = Unique([original_id])
