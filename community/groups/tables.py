from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, count, moment, reference, words
from community.members.tables import Member


class Group(Table, tablename="groups"):
    """A circle of members around a theme. Public: all may read; closed: all may see it; secret: only members know."""

    id = BigSerial(primary_key=True)
    slug = words(unique=True)
    name = words()
    description = words(optional=True)
    visibility = words()
    lang = words(optional=True)
    owner_id = reference(Member)
    member_count = count()
    topic_count = count()
    created_at = moment()
    active_at = moment(index=True)

    group_visibility_known = Check("visibility IN ('public', 'closed', 'secret')")


class Membership(Table, tablename="membership"):
    """A member's place in a group; `pending` waits for an owner of a closed group."""

    id = BigSerial(primary_key=True)
    group_id = reference(Group, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    role = words()
    state = words()
    joined_at = moment()

    membership_once = Unique([group_id, member_id])
    membership_role_known = Check("role IN ('owner', 'moderator', 'member')")
    membership_state_known = Check("state IN ('active', 'pending')")


class Room(Table, tablename="room"):
    """Where a group chats: a stream of events with a gap-free `seq`. A group is founded together with its room.

    `epoch` changes when the history was restored from a backup, so that nobody resumes into another past.
    """

    id = BigSerial(primary_key=True)
    kind = words()
    group_id = reference(Group, null=True, cascade=True)
    name = words()
    seq = big()
    epoch = words()
    created_at = moment()

    room_kind_known = Check("kind IN ('group')")
