from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import document, moment, reference, words
from community.members.tables import Member


class Notification(Table, tablename="notification"):
    """One line in a member's bell. `source` ("post:12:reply") makes telling twice impossible."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True)
    source = words()
    kind = words()
    url = words()
    data = document()
    created_at = moment()
    read_at = moment(null=True)

    notification_once_per_source = Unique([member_id, source])
