"""What rules noticed, what people said to it, and what became of it; a dispute that was won."""

from functools import partial

from app import db
from demo.filling.rows import Filling
from demo.filling.trade import Deed, send
from referrals.fraud.cases import add_note, answer, decide

HOUR, DAY = 3600, 86400
STORE, OWNER, ADMIN = "demo", "ines", "dmitri"


def deeds() -> list[Deed]:
    return [
        (21 * DAY, _clear_the_office),
        (6 * DAY, _confirm_the_card),
        (30 * HOUR, _object),
        (20 * HOUR, _answer),
        (18 * HOUR, _take_a_note),
        (15 * DAY, partial(_dispute, kind="order.disputed", ago=15 * DAY)),
        (7 * DAY, partial(_dispute, kind="dispute.won", ago=7 * DAY)),
    ]


async def _clear_the_office(f: Filling) -> None:
    words = "Unit 9 is the workshop building; forty firms have their parcels sent there."
    await decide(f.viewer(OWNER), STORE, await _case_of(f, "gareth"), confirm=False, words=words)


async def _confirm_the_card(f: Filling) -> None:
    words = "The order was paid with the card of your own orders, so it counts as your own."
    await decide(f.viewer(ADMIN), STORE, await _case_of(f, "henry"), confirm=True, words=words)


async def _object(f: Filling) -> None:
    words = (
        "My daughter ordered it for her own balcony. We have one card in this house, and it is on my name. "
        "She can write to you."
    )
    await answer(f.viewer("henry"), await _case_of(f, "henry"), words)


async def _answer(f: Filling) -> None:
    words = "That was my flat-mate Tobi, from my newsletter, before I even knew. I can show you the mail he got."
    await answer(f.viewer("mara"), await _case_of(f, "mara"), words)


async def _take_a_note(f: Filling) -> None:
    await add_note(f.viewer(OWNER), STORE, await _case_of(f, "mara"), "Asked Tobi for the mail. Wait until Friday.")


async def _dispute(f: Filling, *, kind: str, ago: int) -> None:
    order = f.order("disputed")
    told = {
        "dispute_id": f"D-{order.id}",
        "order_id": order.id,
        "currency": order.currency,
        "lines": [
            {"id": line.id, "quantity": line.quantity, "amount": line.gross - line.discount} for line in order.lines
        ],
    }
    await send(f, store=STORE, kind=kind, ago=ago, data=told)


async def _case_of(f: Filling, handle: str) -> int:
    case_id: int = await db.fetch_val("SELECT id FROM fraud_case WHERE member_id = $1", f.members[handle])
    return case_id
