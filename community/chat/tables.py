from piccolo.columns import UUID, BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import big, document, moment, raw_bytes, reference, words
from community.groups.tables import Room
from community.members.tables import Member


class Message(Table, tablename="message"):
    """What a member said. `client_id` is unique for ever, so that sending again never says it twice."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    author_id = reference(Member)
    client_id = UUID(default=None, null=False)
    fingerprint = raw_bytes()
    seq = big()
    reply_to_id = reference("self", null=True)
    body = words()
    html = words()
    created_at = moment()

    message_once_per_client_id = Unique([room_id, author_id, client_id])


class RoomEvent(Table, tablename="room_event"):
    """The room's history in commit order: messages, edits, deletions, joins. `seq` has no holes."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    seq = big()
    kind = words()
    message_id = reference(Message, null=True)
    author_id = reference(Member, null=True)
    data = document()
    at = moment()

    room_event_seq_once = Unique([room_id, seq])


class ReadPointer(Table, tablename="read_pointer"):
    """How far a member has read a room: unread = room.seq - seq."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    seq = big()

    read_pointer_once = Unique([room_id, member_id])
