from piccolo.columns import UUID, BigInt, BigSerial, Date, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, count, document, moment, raw_bytes, reference, words, yes_no
from community.members.tables import Member
from storefront.catalog.tables import Product
from storefront.stores.tables import Store


class Inbox(Table, tablename="inbox"):
    """Every message a store's signature vouched for, once per event id, kept for ever.

    As it came until it was applied; from then on, or after `inbox_days`, without the customer's name and e-mail.
    """

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    event_id = words()
    topic = words(optional=True)
    payload = raw_bytes()
    payload_sha256 = raw_bytes()
    received_at = moment()
    state = words()
    note = words(optional=True)
    stripped_at = moment(null=True)
    """When a message that was never applied lost what it said of the customer."""
    via = Text(default="webhook", null=False)
    """`webhook`, or `pull` when the store did not tell it and we had to ask."""

    inbox_once_per_event = Unique([store_id, event_id])
    inbox_state_known = Check("state IN ('received', 'applied', 'kept', 'flagged')")


class Refusal(Table, tablename="inbox_refusal"):
    """How many messages that say they are a store's were refused on a day, and why the last one was. Of what they said
    nothing is kept: nobody vouched for it."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    day = Date(default=None, null=False)
    kind = words()
    many = big()
    reason = words(optional=True)
    """`unsigned`, `stale` or `wrong` of a signature; the id of a message that came with another body; a size."""
    first_at = moment()
    last_at = moment()

    inbox_refusal_once_a_day = Unique([store_id, day, kind])
    inbox_refusal_kind_known = Check("kind IN ('signature', 'conflict', 'oversize')")


class Customer(Table, tablename="customer"):
    """A store's customer. The e-mail is kept only as a keyed hash, to find the member with the same one."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    email_hmac = words(optional=True, index=True)
    mailbox_hmac = words(optional=True)
    """The same for every way of writing one mailbox; see storefront.orders.fingerprints."""
    member_id = reference(Member, null=True)
    stamps = document()
    """By field, which telling stands; see storefront.orders.stamps."""
    created_at = moment()

    customer_once_per_store = Unique([store_id, external_id])


class Order(Table, tablename="orders"):
    """A store's order as last told. `updated_at` of the source decides which telling is newer."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    number = words(optional=True)
    customer_id = reference(Customer, null=True)
    currency = words()
    placed_at = moment(null=True)
    paid_at = moment(null=True)
    delivered_at = moment(null=True)
    cancelled_at = moment(null=True)
    gv = UUID(default=None, null=True)
    codes = document()
    shipping = amount()
    fees = BigInt(default=0, null=False)
    """What else was charged and never earns: tax on shipping, tips, duties."""
    total = BigInt(default=None, null=True)
    """What the buyer was asked to pay, where the store says so."""
    slack = count()
    address_hmac = words(optional=True)
    """A keyed hash of the delivery address, to see a household buying from itself; the address is not kept."""
    instrument_hmac = words(optional=True)
    """The same for the card or account that paid."""
    phone_hmac = words(optional=True, index=True)
    """The same for the number given at the checkout, which nobody has proven."""
    doubt = words(optional=True)
    """Why the telling cannot be true as it stands; while it says anything, nothing is earned."""
    source_updated_at = moment(null=True)
    stamps = document()
    """By field, which telling stands; see storefront.orders.stamps."""
    created_at = moment()

    order_once_per_store = Unique([store_id, external_id])


class OrderLine(Table, tablename="order_line"):
    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    external_id = words()
    product_id = reference(Product, null=True)
    external_product_id = words(optional=True)
    title = words(optional=True)
    quantity = count(1)
    gross = amount()
    discount = amount()
    tax = amount()
    stamp = words(optional=True)
    """Which telling described it last."""

    order_line_once = Unique([order_id, external_id])


class Refund(Table, tablename="refund"):
    """Money a store gave back. It may come before its order: `order_external_id` finds it later."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    order_external_id = words()
    kind = Text(default="refund", null=False)
    """`refund`, `cancel`, `exchange`, `chargeback`, or `dispute_won`, which gives a chargeback back."""
    currency = words()
    unplaced = BigInt(default=0, null=False)
    """What went back without a word of which lines; storefront.orders.placing spreads it."""
    is_sum = yes_no()
    """`unplaced` is all that has gone back so far, rather than one more refund."""
    is_void = yes_no()
    """It failed afterwards, so nothing went back; for ever, whatever older news says."""
    refunded_at = moment()
    created_at = moment()

    refund_once_per_store = Unique([store_id, external_id])
    refund_kind_known = Check("kind IN ('refund', 'cancel', 'exchange', 'chargeback', 'dispute_won')")


class RefundLine(Table, tablename="refund_line"):
    id = BigSerial(primary_key=True)
    refund_id = reference(Refund, index=False)
    external_line_id = words()
    quantity = count()
    amount = amount()
    is_estimate = yes_no()
    """Spread by us; the store named no lines."""

    refund_line_once_a_kind = Unique([refund_id, external_line_id, is_estimate])


class DoubtClearance(Table, tablename="doubt_clearance"):
    """Somebody looked at an order whose amounts do not add up, and says it is right. It holds for that doubt only."""

    id = BigSerial(primary_key=True)
    order_id = reference(Order, index=False)
    doubt = words()
    member_id = reference(Member, null=True)
    """Empty when the operator did it from the command line."""
    note = words(optional=True)
    created_at = moment()

    doubt_cleared_once = Unique([order_id, doubt])
