"""Who is credited for an order: a pure function of what is known, so any order of events gives the same answer.

Gates first: what can never earn falls out, with its reason. Then the programme's model picks among the rest.
With "last", a click that travelled with the order beats one claimed on another device, and a later click an earlier
one. With "first", the earliest click wins. Who brought the buyer here as a member is credited when no click is.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

Via = Literal["carried", "claimed", "signup"]
# A store's clock and ours may differ a little.
CLOCK_SKEW = timedelta(minutes=5)


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a member may have led to the order."""

    via: Via
    member_id: int
    at: datetime
    click_id: str | None = None
    link_id: int | None = None
    link_store_id: int | None = None
    kind: str = "human"
    is_buyer: bool = False
    link_closed: bool = False
    is_suspended: bool = False
    is_too_late: bool = False
    """By our own clock it came when the order was here already."""


class Candidate(msgspec.Struct, frozen=True):
    """A touch as it is kept in the decision; `outcome` is "won" or the reason it lost."""

    member_id: int
    via: Via
    at: datetime
    outcome: str
    click_id: str | None = None
    link_id: int | None = None


class Decision(msgspec.Struct, frozen=True):
    rule: str
    candidates: list[Candidate]

    @property
    def winner(self) -> Candidate | None:
        return next((one for one in self.candidates if one.outcome == "won"), None)


def decide(touches: list[Touch], *, store_id: int, ordered_at: datetime, window: timedelta, model: str) -> Decision:
    """Every touch with its outcome, at most one of them "won"; the rule names how."""
    barred = {touch: reason for touch in touches if (reason := _bar(touch, store_id, ordered_at, window))}
    ranked = sorted((touch for touch in touches if touch not in barred), key=lambda touch: _rank(touch, model))
    winner = ranked[0] if ranked else None
    candidates = []
    for touch in sorted(touches, key=_in_story_order):
        outcome = barred.get(touch) or ("won" if touch is winner else _why_outranked(touch, ranked[0], model))
        candidates.append(Candidate(touch.member_id, touch.via, touch.at, outcome, touch.click_id, touch.link_id))
    if winner is None:
        rule = "nobody"
    else:
        rule = "signup" if winner.via == "signup" else f"{model}_click"
    return Decision(rule, candidates)


def _bar(touch: Touch, store_id: int, ordered_at: datetime, window: timedelta) -> str:
    """The reason a touch can never earn from this order, or an empty word."""
    if touch.is_buyer:
        return "self"
    if touch.kind != "human":
        return "not_a_person"
    if touch.link_store_id not in (None, store_id):
        return "other_store"
    if touch.link_closed:
        return "link_closed"
    if touch.is_suspended:
        return "suspended"
    # Both times are ours: a store that adds a click to an order of yesterday is not believed.
    if touch.is_too_late:
        return "after_order"
    # Otherwise, what travelled with the order was there before it, whatever the store's clock says.
    if touch.via != "carried" and touch.at > ordered_at + CLOCK_SKEW:
        return "after_order"
    # The window is inclusive: exactly thirty days still count. Whoever brought the member has no window.
    if touch.via != "signup" and ordered_at - touch.at > window:
        return "expired"
    return ""


def _rank(touch: Touch, model: str) -> tuple:
    """Smaller is better; the click's id settles what time cannot."""
    seconds = touch.at.timestamp()
    name = touch.click_id or ""
    if touch.via == "signup":
        return (2, seconds, name)
    if model == "first":
        return (0, seconds, name)
    return (0 if touch.via == "carried" else 1, -seconds, name)


def _why_outranked(touch: Touch, winner: Touch, model: str) -> str:
    if touch.via == "signup":
        return "click_won"
    if model == "first":
        return "earlier_click_won"
    return "carried_click_won" if winner.via == "carried" else "later_click_won"


def _in_story_order(touch: Touch) -> tuple:
    return (touch.at, touch.via, touch.click_id or "", touch.member_id)
