from piccolo.columns import UUID, Array, BigInt, BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, big_from, count, document, moment, raw_bytes, reference, words
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
    extra = document()
    """What hangs on it (reactions, files, cards, pin), folded from its tables at each change (see hanging.py)."""
    created_at = moment()
    deleted_at = moment(null=True)

    message_once_per_client_id = Unique([room_id, author_id, client_id])


class RoomEvent(Table, tablename="room_event"):
    """The room's history in commit order: messages, edits, deletions, joins. `seq` has no holes."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    seq = big()
    kind = words()
    said = big_from(0)
    """How many messages the room held then, this one counted: unread = room.said - that of the last one read."""
    message_id = reference(Message, null=True)
    author_id = reference(Member, null=True)
    data = document()
    at = moment()

    room_event_seq_once = Unique([room_id, seq])


class ReadPointer(Table, tablename="read_pointer"):
    """How far a member has read a room, and how loud it may be: unread messages = room.said - said."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    member_id = reference(Member, cascade=True)
    seq = big()
    said = big_from(0)
    """How many messages the room held at `seq`."""
    mentioned = Array(BigInt(), default=list, null=False)
    """Where the member is named beyond `seq`: the first hundred places."""
    muted_until = moment(null=True)
    """No badge and no bell until then; the year 9999 is for ever."""
    put_away = big_from(0)
    """A conversation leaves the list while it holds no more messages than this."""

    read_pointer_once = Unique([room_id, member_id])


# --- what hangs on a message ---


class MessageReaction(Table, tablename="message_reaction"):
    """One sign of one member on one message."""

    id = BigSerial(primary_key=True)
    message_id = reference(Message, cascade=True, index=False)
    member_id = reference(Member)
    emoji = words()
    created_at = moment()

    message_reaction_once = Unique([message_id, member_id, emoji])


class MessagePin(Table, tablename="message_pin"):
    """A message that moderators keep in sight, and who of them did."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True)
    message_id = reference(Message, cascade=True, index=False)
    pinned_by_id = reference(Member)
    created_at = moment()

    message_pin_once = Unique([message_id])


class MessageVersion(Table, tablename="message_version"):
    """The words a message had before it was changed, until it is deleted. For its author and moderators."""

    id = BigSerial(primary_key=True)
    message_id = reference(Message, cascade=True)
    body = words(optional=True)
    until = moment()


class MessageMention(Table, tablename="message_mention"):
    """A member whom a message called by name; once, however often it is edited."""

    id = BigSerial(primary_key=True)
    message_id = reference(Message, cascade=True, index=False)
    member_id = reference(Member)

    message_mention_once = Unique([message_id, member_id])


class ChatFile(Table, tablename="chat_file"):
    """A picture or file somebody brought into a room. Until a message holds it, only they may see it."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True)
    owner_id = reference(Member)
    message_id = reference(Message, null=True, cascade=True)
    place = count()
    kind = words()
    key = words()
    name = words()
    media_type = words()
    bytes = big()
    width = count()
    height = count()
    created_at = moment()

    chat_file_kind_known = Check("kind IN ('picture', 'file')")


class LinkPreview(Table, tablename="link_preview"):
    """What a page of the web says about itself, asked once for all who link to it."""

    id = BigSerial(primary_key=True)
    url_hash = raw_bytes(unique=True)
    url = words()
    title = words(optional=True)
    description = words(optional=True)
    site = words(optional=True)
    picture = words(optional=True)
    width = count()
    height = count()
    problem = words(optional=True)
    fetched_at = moment(null=True)


class MessageCard(Table, tablename="message_card"):
    """A link in a message, shown as a card: a page of the web, or what another feature says of it (a product)."""

    id = BigSerial(primary_key=True)
    message_id = reference(Message, cascade=True, index=False)
    place = count()
    kind = words()
    url = words()
    preview_id = reference(LinkPreview, null=True)
    subject = words(optional=True, index=True)
    """"product:12": whose change changes the card."""
    data = document()
    removed_at = moment(null=True)

    message_card_once = Unique([message_id, url])
    message_card_kind_known = Check("kind IN ('link', 'product')")


class RoomExport(Table, tablename="room_export"):
    """A room's whole history as files, made by a job for the moderator who asked."""

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True)
    asked_by_id = reference(Member)
    state = words()
    done = big()
    total = big()
    key = words(optional=True)
    asked_at = moment()
    finished_at = moment(null=True)
    dropped_at = moment(null=True)
    """Something in it was changed or taken back since: its file is gone, and nobody gets it any more."""

    room_export_state_known = Check("state IN ('waiting', 'running', 'done', 'failed')")
