"""Goals of a month, for the member's eyes only; and the leaderboard, for those who ask to stand on it."""

from datetime import datetime

import msgspec

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.i18n import gettext as _
from app.limits import limit
from app.money import EXPONENTS, Money, check_amount, check_currency

MOST_GOALS = 8
# Below this many there is no order to speak of, and it would be plain who earns.
FEWEST_ON_THE_BOARD = 3
SHOWN_ON_THE_BOARD = 10


class Goal(msgspec.Struct):
    """What a member wants to earn this month, and what they did so far, after refunds."""

    goal: Money
    earned: Money


class Seat(msgspec.Struct):
    place: int
    handle: str
    name: str
    is_you: bool


class Board(msgspec.Struct):
    """This month in one currency, by what is left after refunds. Amounts are nobody's business."""

    currency: str
    seats: list[Seat]
    people: int
    your_place: int | None


# What a member's commissions of this month stand at now: a refund tomorrow lowers today's figure.
_EARNED = """
    SELECT c.member_id, c.currency, sum(e.amount)::bigint AS amount
      FROM commission c
      JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
      JOIN ledger_entry e ON e.transaction_id = t.id
      JOIN ledger_account x ON x.id = e.account_id AND x.kind = 'commission_expense'
     WHERE c.created_at >= $2 AND c.member_id = ANY($1::bigint[]) GROUP BY 1, 2"""


async def set_goal(viewer: Viewer, currency: str, amount: int) -> None:
    """Replace the goal in this currency; 0 takes it away."""
    member_id = require_member(viewer)
    await limit("goal", member_id, most=60, per=3600)
    currency = check_currency(currency.strip().upper())
    check_amount(amount)
    if amount == 0:
        await db.execute("DELETE FROM earning_goal WHERE member_id = $1 AND currency = $2", member_id, currency)
        return
    if amount > 10 ** (9 + EXPONENTS[currency]):
        raise Invalid("amount", _("That is more than anybody earns in a month."))
    set_ = await db.fetch_val(
        """INSERT INTO earning_goal (member_id, currency, amount, set_at)
           SELECT $1, $2, $3, $4
            WHERE (SELECT count(*) FROM earning_goal WHERE member_id = $1 AND currency <> $2) < $5
           ON CONFLICT (member_id, currency) DO UPDATE SET amount = excluded.amount, set_at = excluded.set_at
           RETURNING id""",
        member_id,
        currency,
        amount,
        clock.now(),
        MOST_GOALS,
    )
    if set_ is None:
        raise Invalid("currency", _("At most %(n)s goals at a time.", n=MOST_GOALS))


async def goals_of(member_id: int) -> list[Goal]:
    rows = await db.fetch(
        f"""SELECT g.currency, g.amount, coalesce(e.amount, 0)::bigint AS earned
              FROM earning_goal g LEFT JOIN ({_EARNED}) e ON e.currency = g.currency
             WHERE g.member_id = ANY($1::bigint[]) ORDER BY g.currency""",
        [member_id],
        _month(),
    )
    return [Goal(Money(row["amount"], row["currency"]), Money(row["earned"], row["currency"])) for row in rows]


async def take_seat(viewer: Viewer) -> None:
    member_id = require_member(viewer)
    await limit("board", member_id, most=60, per=3600)
    await db.execute(
        "INSERT INTO board_seat (member_id, taken_at) VALUES ($1, $2) ON CONFLICT DO NOTHING", member_id, clock.now()
    )


async def leave_seat(viewer: Viewer) -> None:
    await db.execute("DELETE FROM board_seat WHERE member_id = $1", require_member(viewer))


async def has_seat(member_id: int) -> bool:
    return bool(await db.fetch_val("SELECT 1 FROM board_seat WHERE member_id = $1", member_id))


async def boards_for(member_id: int) -> list[Board]:
    """By currency. The first ten, and one's own place; who earned nothing, is suspended or did not ask is nowhere."""
    seated = await db.fetch(
        """SELECT b.member_id FROM board_seat b
            WHERE NOT EXISTS (SELECT 1 FROM suspension s WHERE s.member_id = b.member_id AND s.lifted_at IS NULL
                                 AND (s.until IS NULL OR s.until > $1))""",
        clock.now(),
    )
    rows = await db.fetch(
        f"""SELECT e.*, m.handle, m.name, rank() OVER (PARTITION BY e.currency ORDER BY e.amount DESC) AS place
              FROM ({_EARNED}) e JOIN member m ON m.id = e.member_id WHERE e.amount > 0
             ORDER BY e.currency, place, lower(m.handle)""",
        [row["member_id"] for row in seated],
        _month(),
    )
    boards = []
    for currency in dict.fromkeys(row["currency"] for row in rows):
        of = [row for row in rows if row["currency"] == currency]
        if len(of) < FEWEST_ON_THE_BOARD:
            continue
        seats = [Seat(row["place"], row["handle"], row["name"], row["member_id"] == member_id) for row in of]
        mine = next((seat.place for seat in seats if seat.is_you), None)
        boards.append(Board(currency, seats[:SHOWN_ON_THE_BOARD], len(of), mine))
    return boards


def _month() -> datetime:
    return clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
