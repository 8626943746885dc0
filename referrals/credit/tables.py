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
