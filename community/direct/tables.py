from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import moment, reference, words
from community.groups.tables import Room
from community.members.tables import Member


class DirectPair(Table, tablename="direct_pair"):
    """The one room in which two members talk alone, for ever.

    Who was not known to the other asks first: `asked_by` says one thing and waits until the other answers.
    """

    id = BigSerial(primary_key=True)
    room_id = reference(Room, cascade=True, index=False)
    low_id = reference(Member, index=False)
    high_id = reference(Member)
    asked_by_id = reference(Member, null=True, index=False)
    answer = words(optional=True)
    created_at = moment()
    answered_at = moment(null=True)

    direct_pair_one_room = Unique([room_id])
    direct_pair_once = Unique([low_id, high_id])
    direct_pair_in_order = Check("low_id < high_id")
    direct_pair_asked_by_one = Check("asked_by_id IN (low_id, high_id)")
    direct_pair_answer_known = Check("answer IN ('', 'accepted', 'declined')")
