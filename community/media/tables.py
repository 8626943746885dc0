from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import big, count, moment, reference, words
from community.members.tables import Member


class Upload(Table, tablename="upload"):
    """A picture a member brought in, as we re-encoded it. `key` is its place in the storage."""

    id = BigSerial(primary_key=True)
    owner_id = reference(Member)
    key = words(unique=True)
    media_type = words()
    width = count()
    height = count()
    bytes = big()
    created_at = moment()
