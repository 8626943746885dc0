"""What caps and budgets leave of the commissions of many orders: locked together, asked order by order, so that it
comes to what one order after the other would."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from app import db
from app.money import share_of
from referrals.attribution.shares import SHARER
from referrals.commissions import limits
from referrals.commissions.dues import NO_BUDGET, RECRUITER, Due
from referrals.commissions.postings import Step, take
from referrals.programs.terms import Terms

Key = tuple[int, int, str]


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
        return next((due for due in self.dues if key_of_due(due) == key_of(commission)), None)


async def within_limits(asking: Sequence[Asking], opened: set[int]) -> dict[int, int | None]:
    """What each commission that a limit watches, or that hangs on another one, should stand at; new ones get what is
    left, for good.

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
    turns = [one for one in asking if watched[one.order_id] or one.budgets.ids or _has_a_recruiter(one)]
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
        within |= _take_turn(one, room, high, new[one.order_id])
    await limits.close_room(room)
    return within


def _take_turn(one: Asking, room: limits.Room, high: dict[int, int], new: list[Any]) -> dict[int, int | None]:
    opened = {c["id"] for c in new}
    got = granted_before([c for c in one.commissions if c["id"] not in opened], one.dues)
    targets: dict[int, int] = {}
    # The winners have all that they get before a recruiter asks: else a new recruiter would take what an older
    # commission of a winner is about to ask for, and give it back when nobody asks any more.
    for some in _winners_first(one.commissions):
        _grant(one, room, high, [c for c in some if c["id"] in opened], got)
        for c in some:
            if (due := one.due_of(c)) is not None and c["state"] != "rejected":
                targets[c["id"]] = wanted(c, due, one.commissions, targets)
        claims = [
            limits.Claim(c["id"], targets.get(c["id"], 0), c["reserved"])
            for c in some
            if c["reserved"] is not None and targets.get(c["id"], 0) != c["reserved"]
        ]
        for c_id, amount in limits.take_turn(room, claims, high).items():
            if amount < targets.get(c_id, 0):
                # A limit stands in the way of it now: no recruiter gets a share of the rest.
                got[c_id] = min(got[c_id], amount)
            if c_id in targets:
                targets[c_id] = amount
    return {c["id"]: targets.get(c["id"]) for c in one.commissions}


def _grant(one: Asking, room: limits.Room, high: dict[int, int], new: list[Any], got: dict[int, int]) -> None:
    """What the limits leave of new commissions becomes what they were granted, for good."""
    asked = {c["id"]: granted_of(due, one.commissions, got) for c in new if (due := one.due_of(c))}
    got |= limits.take_turn(room, [limits.Claim(c, amount, 0) for c, amount in asked.items()], high)
    for c in new:
        c["granted"] = c["reserved"] = got[c["id"]]
        c["state"] = "pending" if got[c["id"]] else "rejected"


def _has_a_recruiter(one: Asking) -> bool:
    return any(c["role"] == RECRUITER for c in one.commissions)


def _winners_first(commissions: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Whoever recruited gets a share of what the recruit really gets, so they come after."""
    return [c for c in commissions if c["role"] != RECRUITER], [c for c in commissions if c["role"] == RECRUITER]


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


def missing(dues: Sequence[Due], commissions: Sequence[Any]) -> list[Due]:
    """What earns and has no commission yet; one that found its budget empty is kept as well, so that it does not earn
    by a later refund.

    A recruiter's waits while the winner's is rejected: it would be granted nothing, for good, and the winner's may
    come back.
    """
    known = {key_of(one): one for one in commissions}
    return [
        due
        for due in dues
        if (due.granted or due.rule == NO_BUDGET) and key_of_due(due) not in known and not _has_to_wait(due, known)
    ]


def _has_to_wait(due: Due, known: Mapping[Key, Any]) -> bool:
    winner = known.get(_key_of_the_winner(due)) if due.role == RECRUITER else None
    return winner is not None and winner["state"] == "rejected"


def granted_before(known: Sequence[Any], dues: Sequence[Due]) -> dict[int, int]:
    """What each commission that was there already is granted: what a limit once left of it, or all that is due."""
    by_key = {key_of_due(due): due.granted for due in dues}
    return {
        c["id"]: 0 if c["state"] == "rejected" else c["granted"] if _was_cut(c) else by_key.get(key_of(c), 0)
        for c in known
    }


def granted_of(due: Due, commissions: Sequence[Any], granted: Mapping[int, int]) -> int:
    """What a new commission asks its limits for: a recruiter's for a share of what the winner's is granted."""
    return due.granted if due.role != RECRUITER else share_of(_of_the_winner(due, commissions, granted), due.rate_bps)


def wanted(one: Any, due: Due, commissions: Sequence[Any], targets: Mapping[int, int]) -> int:
    """What it should stand at before its limits are asked."""
    if due.role == RECRUITER:
        share = share_of(_of_the_winner(due, commissions, targets), due.rate_bps)
        return min(one["granted"], share) if _was_cut(one) else share
    # A price that is told lower later pays no more than that price asks for, however much was granted.
    return min(due.cut_to(one["granted"]), due.target) if _was_cut(one) else due.target


def _was_cut(one: Any) -> bool:
    return one["reserved"] is not None and one["granted"] < one["how"].get("asked", 0)


def _of_the_winner(due: Due, commissions: Sequence[Any], amounts: Mapping[int, int]) -> int:
    theirs = _key_of_the_winner(due)
    return next((amounts.get(c["id"], 0) for c in commissions if key_of(c) == theirs), 0)


def _key_of_the_winner(due: Due) -> Key:
    return (due.line_id, due.how.winner_id if due.how else 0, SHARER)


def key_of(commission: Any) -> Key:
    return (commission["order_line_id"], commission["member_id"], commission["role"])


def key_of_due(due: Due) -> Key:
    return (due.line_id, due.member_id, due.role)
