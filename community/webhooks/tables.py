from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import big, count, document, moment, reference, words
from community.members.tables import Member


class Endpoint(Table, tablename="webhook_endpoint"):
    """An address of others that is told what happens in a group, in the room of a product or of a live
    event, or in a store's programme.

    `told_seq`: how far its room's events were taken over. `resting_until`: it did not answer and is left alone until
    then. `busy_until`: a worker is talking to it; nobody else does before that.
    """

    id = BigSerial(primary_key=True)
    owner_kind = words()
    owner_id = big()
    url = words()
    secret = words()
    old_secret = words(optional=True)
    """Signs as well until `old_secret_until`, while the new one spreads."""
    old_secret_until = moment(null=True)
    types = document()
    made_by_id = reference(Member)
    created_at = moment()
    off_at = moment(null=True)
    off_reason = words(optional=True)
    told_seq = big()
    resting_until = moment(null=True)
    busy_until = moment(null=True)

    webhook_endpoint_owner_is_known = Check("owner_kind IN ('group', 'room', 'store')")
    webhook_endpoint_why_off_known = Check(
        "off_reason IN ('', 'by_hand', 'gone', 'unreachable', 'keys_lost', 'maker_left')"
    )


class Delivery(Table, tablename="webhook_delivery"):
    """One message for one endpoint. `message_id` is its webhook-id, the same however often it is sent.

    `data` holds ids and amounts, never names or words: what a message says is read anew each time it is sent.
    """

    id = BigSerial(primary_key=True)
    endpoint_id = reference(Endpoint, cascade=True, index=False)
    message_id = words()
    type = words()
    data = document()
    occurred_at = moment()
    state = words()
    tries = count()
    next_at = moment(null=True)
    done_at = moment(null=True)

    webhook_delivery_once = Unique([endpoint_id, message_id])
    webhook_delivery_state_known = Check("state IN ('waiting', 'delivered', 'failed')")


class Attempt(Table, tablename="webhook_attempt"):
    """One try: what was answered, or (`why`) why nothing was."""

    id = BigSerial(primary_key=True)
    delivery_id = reference(Delivery, cascade=True)
    at = moment()
    status = count()
    why = words(optional=True)
    took_ms = count()
    answer = words(optional=True)
