from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import big, moment, words


class Document(Table, tablename="search_document"):
    """What the PostgreSQL engine searches. `group_id` set: only those who may read the group find it.

    The tsvector column and its indexes are made in the migration; Piccolo does not know the type.
    """

    id = BigSerial(primary_key=True)
    kind = words()
    ref_id = big()
    title = words()
    body = words(optional=True)
    url = words()
    lang = words(optional=True)
    group_id = big(null=True)
    product_id = big(null=True)
    updated_at = moment()

    search_document_once = Unique([kind, ref_id])


class MessageWords(Table, tablename="search_message"):
    """The words of one message of a room, and nothing else of it: what it says is read from the message itself.

    The tsvector and its index are made in the migration, as above.
    """

    id = BigSerial(primary_key=True)
    message_id = big()
    room_id = big()

    search_message_once = Unique([message_id])


class RoomIndexed(Table, tablename="search_room"):
    """Up to which of its events a room can be searched."""

    id = BigSerial(primary_key=True)
    room_id = big()
    seq = big()

    search_room_once = Unique([room_id])
