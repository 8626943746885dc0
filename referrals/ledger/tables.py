from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, big, count, moment, raw_bytes, reference, words


class Account(Table, tablename="ledger_account"):
    """A bucket of one owner in one currency: ("member", 7, "pending", "USD") or ("store", 1, "commission_expense")."""

    id = BigSerial(primary_key=True)
    owner_kind = words()
    owner_id = big()
    kind = words()
    currency = words()

    ledger_account_once = Unique([owner_kind, owner_id, kind, currency])


class Transaction(Table, tablename="ledger_transaction"):
    """A posting with its cause, once per (kind, ref_type, ref_id, ref_seq); `hash` chains it to the one before."""

    id = BigSerial(primary_key=True)
    kind = words()
    ref_type = words()
    ref_id = big()
    ref_seq = count()
    reason = words(optional=True)
    occurred_at = moment()
    prev_hash = raw_bytes()
    hash = raw_bytes()

    ledger_transaction_once = Unique([kind, ref_type, ref_id, ref_seq])


class Entry(Table, tablename="ledger_entry"):
    """One signed amount on one account; debit positive, credit negative. A trigger keeps each transaction at zero."""

    id = BigSerial(primary_key=True)
    transaction_id = reference(Transaction, index=False)
    line = count()
    account_id = reference(Account)
    amount = amount()
    currency = words()

    ledger_entry_once = Unique([transaction_id, line])
    ledger_entry_not_zero = Check("amount <> 0")
