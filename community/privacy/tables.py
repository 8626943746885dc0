from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import moment, reference, words, yes_no
from community.members.tables import Member


class MemberBlock(Table, tablename="member_block"):
    """A member wants nothing to do with another. It is heeded both ways, and the other is never told."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    blocked_id = reference(Member, cascade=True)
    created_at = moment()

    member_block_once = Unique([member_id, blocked_id])
    member_block_of_another = Check("member_id <> blocked_id")


class Privacy(Table, tablename="privacy"):
    """Who may begin to write to a member, and what others see of them: that they are here, that they have read what was
    written to them. No row: everybody, and both."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    may_write = words()
    is_hidden = yes_no()
    hides_reading = yes_no()
    changed_at = moment()

    privacy_once = Unique([member_id])
    privacy_may_write_known = Check("may_write IN ('everyone', 'groups', 'nobody')")
