from piccolo.columns import BigSerial, Text
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import moment, reference, words


class Member(Table, tablename="member"):
    """A person, or a bot that speaks in a room (see community.bots).

    Handles and e-mails are unique without regard to case (indexes in the migration).
    """

    id = BigSerial(primary_key=True)
    handle = words()
    email = words()
    email_proven_at = moment(null=True)
    """When they showed that mail to it reaches them; until then it is only what somebody typed."""
    name = words()
    bio = words(optional=True)
    avatar_key = words(optional=True)
    role = words()
    kind = Text(default="person", null=False)
    lang = words(optional=True)
    created_at = moment()

    member_kind_known = Check("kind IN ('person', 'bot')")
    member_role_known = Check("role IN ('member', 'moderator', 'admin')")


class Credential(Table, tablename="credential"):
    """A member's password, as argon2id keeps it."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    password_hash = words()
    changed_at = moment()

    credential_one_per_member = Unique([member_id])


class Suspension(Table, tablename="suspension"):
    """Someone shut a member out: who, why and until when (null: until lifted)."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    by_id = reference(Member)
    reason = words()
    created_at = moment()
    until = moment(null=True)
    lifted_at = moment(null=True)
