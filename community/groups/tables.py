from piccolo.columns import BigInt, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, big_from, count, moment, reference, words, yes_no
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
    """Where people chat: a stream of events with a gap-free `seq`. A group is founded together with its room.

    Who reads it is said once, in groups.policy.readable_rooms: the readers of its group, everybody when it is open,
    and who stands in `room_member`; of these, once moderators shut it, only who has a place or keeps order.
    `access_version` rises by trigger whenever fewer may read than before.
    `epoch` changes when the history was restored from a backup, so that nobody resumes into another past.
    """

    id = BigSerial(primary_key=True)
    kind = words()
    group_id = reference(Group, null=True, cascade=True)
    name = words()
    is_open = yes_no()
    is_shut = yes_no()
    seq = big()
    said = big_from(0)
    """How many messages there are; counts what people said, where `seq` counts everything that happened."""
    epoch = words()
    access_version = BigInt(default=0, null=False)
    frozen_at = moment(null=True)
    slow_seconds = count()
    created_at = moment()

    room_kind_is_known = Check("kind IN ('group', 'direct', 'product', 'live')")


class RoomMember(Table, tablename="room_member"):
    """A member's place in a room beside what its group gives: in direct messages, or as host of a live event.

    `active` reads and writes, `invited` and `blocked` only read, `left` has no place there any more.
    """

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    role = words()
    state = words()
    joined_at = moment()

    room_member_once = Unique([room_id, member_id])
    room_member_role_known = Check("role IN ('host', 'moderator', 'member')")
    room_member_state_known = Check("state IN ('active', 'invited', 'blocked', 'left')")


class RoomMeasure(Table, tablename="room_measure"):
    """What a moderator did about a room or somebody in it, and when it was undone; nothing is ever deleted.

    It stands while `lifted_at` is null and `until` has not come. Without a member it is about the whole room.
    """

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    kind = words()
    member_id = reference(Member, null=True)
    seconds = count()
    until = moment(null=True)
    reason = words(optional=True)
    by_id = reference(Member)
    created_at = moment()
    lifted_by_id = reference(Member, null=True)
    lifted_at = moment(null=True)

    room_measure_kind_known = Check("kind IN ('kick', 'ban', 'silence', 'freeze', 'slow')")
    room_measure_about_known = Check("(kind IN ('freeze', 'slow')) = (member_id IS NULL)")


class RoomTurn(Table, tablename="room_turn"):
    """When a member last spoke in a room with slow mode; written in such rooms only."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    at = moment()

    room_turn_once = Unique([room_id, member_id])
