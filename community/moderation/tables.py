from piccolo.columns import Array, BigInt, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, moment, reference, words
from community.members.tables import Member


class Case(Table, tablename="moderation_case"):
    """One thing that was flagged, whatever it is, with what it looked like then. At most one open case a subject."""

    id = BigSerial(primary_key=True)
    subject_kind = words()
    subject_id = big()
    author_id = reference(Member, null=True)
    url = words()
    excerpt = words(optional=True)
    around = Array(BigInt(), default=list, null=False)
    """The ids of what was said around it when it was first reported: all that moderators see of a closed room."""
    opened_at = moment()
    state = words()
    decided_by_id = reference(Member, null=True)
    decided_at = moment(null=True)
    reason = words(optional=True)

    case_state_known = Check("state IN ('open', 'kept', 'hidden')")


class Flag(Table, tablename="flag"):
    """One member's report. One a member and case."""

    id = BigSerial(primary_key=True)
    case_id = reference(Case, cascade=True)
    reporter_id = reference(Member)
    reason = words()
    note = words(optional=True)
    created_at = moment()

    flag_once_per_reporter = Unique([case_id, reporter_id])


class Hiding(Table, tablename="hiding"):
    """A subject that moderators took out of sight. Every list leaves it out by joining this table."""

    id = BigSerial(primary_key=True)
    subject_kind = words()
    subject_id = big()
    case_id = reference(Case)
    by_id = reference(Member)
    reason = words()
    created_at = moment()

    hiding_once_per_subject = Unique([subject_kind, subject_id])


class ModlogEntry(Table, tablename="modlog_entry"):
    """The public log: what moderators did and why, never who reported it."""

    id = BigSerial(primary_key=True)
    by_id = reference(Member)
    action = words()
    subject_kind = words()
    subject_id = big()
    reason = words()
    created_at = moment(index=True)
