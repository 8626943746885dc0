from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, moment, reference, words
from storefront.orders.tables import Customer
from storefront.stores.tables import Store


class CreditUse(Table, tablename="credit_use"):
    """A store took a buyer's credit as payment, once per its own id; taken back, the buyer has it again."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    external_id = words()
    customer_id = reference(Customer)
    amount = amount()
    currency = words()
    order_external_id = words(optional=True)
    used_at = moment()
    undone_at = moment(null=True)

    credit_use_once_per_store = Unique([store_id, external_id])
    credit_use_is_something = Check("amount > 0")


class CreditLot(Table, tablename="credit_lot"):
    """One grant of credit: `granted` less what refunds took back, `remaining` of it, and what ended unspent."""

    id = BigSerial(primary_key=True)
    source = words(unique=True)
    """`friend_reward:12`: what it was granted for, once for ever."""
    store_id = reference(Store)
    customer_id = reference(Customer, index=False)
    currency = words()
    granted = amount()
    remaining = amount()
    expired = amount()
    active_at = moment()
    """It counts from then on."""
    expires_at = moment(null=True, index=True)
    created_at = moment()

    credit_lot_sane = Check("remaining BETWEEN 0 AND granted AND expired >= 0")


class CreditSpend(Table, tablename="credit_spend"):
    """What a use took of a lot; worked out anew when a refund or the end of a lot changes it (fold.py)."""

    id = BigSerial(primary_key=True)
    lot_id = reference(CreditLot, index=False)
    use_id = reference(CreditUse)
    amount = amount()

    credit_spend_once = Unique([lot_id, use_id])
    credit_spend_is_something = Check("amount > 0")
