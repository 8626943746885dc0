from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import amount, count, document, moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class BooksCheck(Table, tablename="books_check"):
    """A look at all the books against the facts: how much was read, and everything that did not hold."""

    id = BigSerial(primary_key=True)
    entries = count()
    errors = document()
    took_ms = count()
    asked_by = reference(Member, null=True)
    """Empty: the nightly check, or the command."""
    at = moment(index=True)


class WriteOff(Table, tablename="write_off"):
    """A debt a person let go of, and why. The postings name it by their reason; this says who."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member)
    store_id = reference(Store)
    currency = words()
    amount = amount()
    note = words()
    by_id = reference(Member)
    at = moment()
