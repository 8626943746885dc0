"""What caps and budgets leave of the commissions of many orders: locked together, asked order by order, so that it
comes to what one order after the other would."""

from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
import msgspec

from app import db
from referrals.commissions import limits
from referrals.commissions.dues import Due
from referrals.commissions.postings import Step, take
from referrals.programs.terms import Terms


class BudgetMoved(Exception):
    """A budget ran out, or got something back, before this order's turn, and it would be paid by another rule now."""

    def __init__(self, order_id: int) -> None:
        self.order_id = order_id
        super().__init__(f"order {order_id}")


class Asking(msgspec.Struct):
    """An order with what its shares should earn (`dues`) and its commissions, new ones among them.

    `reckon` says what they should earn when these budgets are spent; it was asked with those that `budgets` found so.
    """

    order: asyncpg.Record
    program_id: int
    terms: Terms
    commissions: list[Any]
    dues: list[Due] = []
    budgets: limits.Named = limits.Named({}, frozenset())
    reckon: Callable[[frozenset[str]], list[Due]] | None = None

    @property
    def order_id(self) -> int:
        found: int = self.order["id"]
        return found

    def due_of(self, commission: Any) -> Due | None:
        key = (commission["order_line_id"], commission["member_id"], commission["role"])
        return next((due for due in self.dues if (due.line_id, due.member_id, due.role) == key), None)


async def within_limits(asking: Sequence[Asking], opened: set[int]) -> dict[int, int | None]:
    """What each commission that a limit watches should stand at; new ones get what is left, for good.

    Raises BudgetMoved when an order would have been reckoned otherwise by then; nothing may be kept of it all.
    """
    fresh = {one.order_id: [c for c in one.commissions if c["id"] in opened] for one in asking}
    limited = {one.order_id for one in asking if limits.are_set(one.terms, _budgets_of(one, fresh[one.order_id]))}
    watched = {
        one.order_id: [
            c for c in one.commissions if (one.order_id in limited if c["id"] in opened else c["reserved"] is not None)
        ]
        for one in asking
    }
    turns = [one for one in asking if watched[one.order_id] or one.budgets.ids]
    within = await _take_turns(turns, watched, {order_id: fresh[order_id] for order_id in limited}) if turns else {}
    new = [c for some in fresh.values() for c in some]
    await db.execute_many(
        "UPDATE commission SET granted = $2 WHERE id = $1 AND granted <> $2",
        [(c["id"], c["granted"]) for order_id in sorted(limited) for c in fresh[order_id]],
    )
    nothing_left = [c for c in new if not c["granted"]]
    for c in nothing_left:
        c["state"] = "rejected"
    await take([Step(c["id"], "pending", "rejected", "limit_reached") for c in nothing_left])
    return within


async def _take_turns(
    turns: Sequence[Asking], watched: dict[int, list[Any]], fresh: dict[int, list[Any]]
) -> dict[int, int | None]:
    new = {one.order_id: fresh.get(one.order_id, []) for one in turns}
    heights = await limits.watch_all([_turn(one, new[one.order_id]) for one in turns])
    # A budget that an order asked for in vain is looked at again, too.
    named = {limit for one in turns for limit in one.budgets.ids.values() if limit}
    room = await limits.open_room([c["id"] for one in turns for c in watched[one.order_id]], also=named)
    within: dict[int, int | None] = {}
    for one, high in zip(turns, heights, strict=True):
        _see_whether_a_budget_moved(one, room)
        within |= _take_turn(one, room, high, new[one.order_id], watched[one.order_id])
    await limits.close_room(room)
    return within


def _take_turn(
    one: Asking, room: limits.Room, high: dict[int, int], new: list[Any], watched: list[Any]
) -> dict[int, int | None]:
    asked = {c["id"]: due.granted for c in new if (due := one.due_of(c))}
    got = limits.take_turn(room, [limits.Claim(c["id"], asked[c["id"]], 0) for c in new], high)
    for c in new:
        c["granted"] = c["reserved"] = got[c["id"]]
        c["state"] = "pending" if got[c["id"]] else "rejected"
    targets = {c["id"]: _target(c, one.due_of(c)) for c in watched}
    claims = [
        limits.Claim(c["id"], targets[c["id"]] or 0, c["reserved"])
        for c in watched
        if (targets[c["id"]] or 0) != c["reserved"]
    ]
    has = limits.take_turn(room, claims, high)
    return {c: has.get(c, target) if target is not None else None for c, target in targets.items()}


def _see_whether_a_budget_moved(one: Asking, room: limits.Room) -> None:
    spent = frozenset(
        name for name, limit in one.budgets.ids.items() if limit is None or room.used[limit] >= room.most[limit]
    )
    if spent != one.budgets.spent and one.reckon and one.reckon(spent) != one.dues:
        raise BudgetMoved(one.order_id)


def _turn(one: Asking, new: list[Any]) -> limits.Turn:
    fresh = [limits.Fresh(c["id"], c["member_id"], _budget_of(one.due_of(c))) for c in new]
    return limits.Turn(fresh, one.program_id, one.terms, one.order)


def _budgets_of(one: Asking, new: list[Any]) -> list[str]:
    return [_budget_of(one.due_of(c)) for c in new]


def _budget_of(due: Due | None) -> str:
    return due.how.budget if due and due.how else ""


def _target(commission: Any, due: Due | None) -> int | None:
    """What it should stand at before its limits are asked; nothing when nobody is due it, or a person rejected it."""
    if due is None or commission["state"] == "rejected":
        return None
    was_cut = commission["granted"] < commission["how"].get("asked", 0)
    return min(due.cut_to(commission["granted"]), due.target) if was_cut else due.target
