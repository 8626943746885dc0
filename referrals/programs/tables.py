from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, document, moment, reference, words
from community.members.tables import Member
from storefront.stores.tables import Store


class Program(Table, tablename="program"):
    """A store's referral programme. What it pays is in its versions, of which the newest is in force."""

    id = BigSerial(primary_key=True)
    store_id = reference(Store, index=False)
    created_at = moment()

    program_once_per_store = Unique([store_id])


class ProgramVersion(Table, tablename="program_version"):
    """The rules from a moment on. Never changed: a commission keeps the version it was earned under."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    version = count()
    rate_bps = count()
    hold_days = count()
    window_days = count()
    model = words()
    policy = document()
    """Who is credited, beyond window and model: referrals.attribution. Empty: the plain rules."""
    terms = document()
    """What is paid, beyond the plain rate: referrals.commissions. Empty: `rate_bps` of every line."""
    published_at = moment()
    by_id = reference(Member, null=True)
    """Who published it; nobody when it was the command line."""

    program_version_once = Unique([program_id, version])
    program_version_model_known = Check("model IN ('last', 'first')")
    program_version_rate_sane = Check("rate_bps BETWEEN 0 AND 10000")
