from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import big, document, moment, raw_bytes, words


class EventRow(Table, tablename="event"):
    """Everything that was announced, in the order it was written: activity, audit, replay."""

    id = BigSerial(primary_key=True)
    type = words(index=True)
    actor_id = big(null=True)
    data = document()
    happened_at = moment(index=True)


class IdempotencyKey(Table, tablename="idempotency_key"):
    """A request that was done, by the name its sender gave it, with its answer: asked again, it is not done again."""

    id = BigSerial(primary_key=True)
    member_id = big()
    key = words()
    fingerprint = raw_bytes()
    answer = document()
    created_at = moment()

    idempotency_key_once = Unique([member_id, key])
