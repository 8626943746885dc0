from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, raw_bytes, reference, words
from community.members.tables import Member


class Phone(Table, tablename="member_phone"):
    """A number that a member has shown to be theirs: sealed. `fingerprint`, a keyed hash, is one account's alone."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    sealed = raw_bytes()
    hint = words()
    """As much of it as its owner knows it by."""
    fingerprint = words()
    proven_at = moment()

    phone_one_per_member = Unique([member_id])
    phone_of_one_account = Unique([fingerprint])


class PhoneCode(Table, tablename="phone_code"):
    """A code that was asked for. It stands nowhere: the server's secret makes it anew from `nonce` (see codes)."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    sealed = raw_bytes()
    hint = words()
    fingerprint = words(index=True)
    network_hmac = words(index=True)
    nonce = words()
    state = words()
    why = words(optional=True)
    """What the gateway said when it could not be sent."""
    sends = count()
    guesses = count()
    asked_at = moment(index=True)
    expires_at = moment()

    phone_code_state_known = Check("state IN ('asked', 'sent', 'failed', 'used', 'replaced')")
