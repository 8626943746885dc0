from piccolo.columns import BigSerial
from piccolo.constraints import Unique
from piccolo.table import Table

from app.columns import big, moment, raw_bytes, reference, words
from community.groups.tables import Room
from community.members.tables import Member


class Bot(Table, tablename="bot"):
    """A program that speaks in one room, under a name of its own. It says things and reads nothing.

    Its messages are those of a member of kind `bot`, which has neither password nor token: whatever is done with
    messages is done with its messages too. `key` is its address, `secret` (sealed) signs what it says.
    """

    id = BigSerial(primary_key=True)
    key = words(unique=True)
    member_id = reference(Member)
    room_id = reference(Room, cascade=True)
    made_by_id = reference(Member)
    secret = words()
    old_secret = words(optional=True)
    """Still taken until `old_secret_until`, while a new one spreads."""
    old_secret_until = moment(null=True)
    created_at = moment()
    said_at = moment(null=True)
    revoked_at = moment(null=True)
    revoked_by_id = reference(Member, null=True)

    bot_member_once = Unique([member_id])


class BotDeed(Table, tablename="bot_deed"):
    """A signed change or deletion that was done: the same one again, also one that was overheard, changes nothing."""

    id = BigSerial(primary_key=True)
    bot_id = reference(Bot, cascade=True, index=False)
    said_id = words()
    """Its webhook-id."""
    fingerprint = raw_bytes()
    message_id = big()
    seq = big()
    at = moment()

    bot_deed_once = Unique([bot_id, said_id])
