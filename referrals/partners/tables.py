from piccolo.columns import BigSerial, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import count, moment, reference, words
from community.members.tables import Member
from referrals.programs.tables import Program


class Partner(Table, tablename="partner"):
    """A member who works with a programme: applied, approved, declined or gone, and in which tier."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    state = words()
    tier = words(optional=True)
    """A name that rules may ask for; empty: none."""
    created_at = moment()

    partner_once = Unique([program_id, member_id])
    partner_state_known = Check("state IN ('applied', 'approved', 'declined', 'left')")


class RateOverride(Table, tablename="rate_override"):
    """A rate for one member, agreed by somebody, until a day. Never changed: a new one ends the one before."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program)
    member_id = reference(Member)
    rate_bps = count()
    note = words(optional=True)
    starts_at = moment()
    expires_at = moment()
    by_id = reference(Member)
    """Who agreed to it."""
    ended_at = moment(null=True)
    ended_by_id = reference(Member, null=True)

    rate_override_sane = Check("rate_bps BETWEEN 0 AND 10000")
    rate_override_expires = Check("expires_at > starts_at")


class Recruit(Table, tablename="recruit"):
    """Who brought a partner to a programme: two levels and no more, by trigger; so there can be no loop."""

    id = BigSerial(primary_key=True)
    program_id = reference(Program, index=False)
    member_id = reference(Member)
    recruiter_id = reference(Member)
    since = moment()
    via = Text(default="signup", null=False)

    recruit_once = Unique([program_id, member_id])
    recruit_of_another = Check("member_id <> recruiter_id")
