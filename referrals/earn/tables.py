from piccolo.columns import BigSerial
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.columns import amount, moment, reference, words
from community.members.tables import Member


class EarningGoal(Table, tablename="earning_goal"):
    """What a member wants to earn in a month, for their own eyes only."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    currency = words()
    amount = amount()
    set_at = moment()

    earning_goal_once = Unique([member_id, currency])
    earning_goal_sane = Check("amount > 0")


class BoardSeat(Table, tablename="board_seat"):
    """A member who wants to be seen on the leaderboard. Nobody is without asking; leaving deletes the row."""

    id = BigSerial(primary_key=True)
    member_id = reference(Member, cascade=True, index=False)
    taken_at = moment()

    board_seat_once = Unique([member_id])
