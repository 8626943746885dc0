from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, count, moment, reference, words
from community.members.tables import Member
from referrals.commissions.tables import Commission
from referrals.programs.tables import Program


class Bounty(Table, tablename="bounty"):
    """A piece of work that a store pays a fixed amount for: a film, a post, a talk at a fair."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    title = words()
    brief = words()
    amount = amount()
    currency = words()
    most_awards = count(1)
    closes_at = moment()
    by_id = reference(Member)
    created_at = moment()

    bounty_amount_sane = Check("amount > 0")
    bounty_awards_sane = Check("most_awards BETWEEN 1 AND 10000")


class BountySubmission(Table, tablename="bounty_submission"):
    """Work that somebody handed in, with the address where it can be seen; once a member and bounty."""

    id = BigSerial(primary_key=True)
    bounty_id = reference(Bounty, index=False)
    member_id = reference(Member)
    proof_url = words()
    note = words(optional=True)
    reach = count()
    """How many saw it, as the member says."""
    state = words()
    decided_by_id = reference(Member, null=True)
    decided_at = moment(null=True)
    reason = words(optional=True)
    commission_id = reference(Commission, null=True)
    created_at = moment()

    bounty_submission_once = Unique([bounty_id, member_id])
    bounty_submission_state_known = Check("state IN ('waiting', 'approved', 'declined')")
