from piccolo.columns import BigSerial
from piccolo.table import Table

from app.columns import big, document, moment, words


class EventRow(Table, tablename="event"):
    """Everything that was announced, in the order it was written: activity, audit, replay."""

    id = BigSerial(primary_key=True)
    type = words(index=True)
    actor_id = big(null=True)
    data = document()
    happened_at = moment(index=True)
