"""Who is credited for an order: a pure function of what is known, so any order of events gives the same answer.

Gates first: what can never earn falls out, with its reason. Then the programme's policy says which kind of credit goes
before which; within a kind the later one wins ("last") or the earlier one ("first"), and then the smaller id.
With "first", a click that travelled with the order and one claimed on another device are one kind.
"""

from datetime import datetime, timedelta
from typing import Literal

import msgspec

from referrals.attribution.shares import Share, divide_credit
from referrals.programs.policy import AT_THE_CHECKOUT, PLAIN, Policy

Via = Literal[
    "override",
    "personal_code",
    "campaign_code",
    "leaked_code",
    "carried",
    "s2s_order",
    "claimed",
    "s2s_customer",
    "entered_code",
    "invite",
    "phone_invite",
    "signup",
    "bind",
    "placement",
    "house",
]
# Which kind of credit of the policy each way of coming is.
CLASS_OF: dict[str, str] = {
    "leaked_code": "campaign_code",
    "s2s_order": "carried",
    "s2s_customer": "claimed",
    "entered_code": "claimed",
    "signup": "bind",
    "phone_invite": "invite",
}
CLICKS = ("carried", "claimed")
CODES = ("personal_code", "campaign_code")
BINDS = ("signup", "bind")
# A store's clock and ours may differ a little.
CLOCK_SKEW = timedelta(minutes=5)
NOBODY = 0


class Touch(msgspec.Struct, frozen=True, kw_only=True):
    """One way in which a member may have led to the order."""

    via: Via
    member_id: int
    at: datetime
    click_id: str | None = None
    link_id: int | None = None
    link_store_id: int | None = None
    kind: str = "human"
    channel: str = "click"
    code: str = ""
    """The code's id: its text may begin with a handle, and decisions are for ever."""
    confidence: int = 100
    is_buyer: bool = False
    link_closed: bool = False
    is_suspended: bool = False
    is_too_late: bool = False
    """By our own clock it came when the order was here already."""
    refusal: str = ""
    """A code's own reason not to count: "code_not_valid" or "code_used_up"."""
    active_at: datetime | None = None
    """Of a bind: when the buyer last bought at this store before."""
    helper_id: int | None = None
    """Who wrote (or hosts) what the link led to, unless they are the buyer or were suspended."""
    helper_role: str = ""

    @property
    def cls(self) -> str:
        return CLASS_OF.get(self.via, self.via)


class Candidate(msgspec.Struct, frozen=True, omit_defaults=True):
    """A touch as it is kept in the decision; `outcome` is "won" or the reason it lost."""

    member_id: int
    via: Via
    at: datetime
    outcome: str
    click_id: str | None = None
    link_id: int | None = None
    code: str = ""
    confidence: int = 100
    partner: str = ""
    """The kind of partner, where it is not "content"."""


class Decision(msgspec.Struct, frozen=True):
    rule: str
    candidates: list[Candidate]
    shares: list[Share] = []
    """Empty: the winner gets it all."""

    @property
    def winner(self) -> Candidate | None:
        return next((one for one in self.candidates if one.outcome == "won"), None)


def decide(
    touches: list[Touch],
    *,
    store_id: int,
    ordered_at: datetime,
    window: timedelta,
    model: str,
    policy: Policy = PLAIN,
    is_new_customer: bool = False,
) -> Decision:
    """Every touch with its outcome, at most one of them "won"; the rule names how."""
    order = policy.new_customer_order if is_new_customer and policy.new_customer_order else policy.order
    barred: dict[Touch, str] = {}
    for touch in touches:
        if reason := _bar(touch, store_id, ordered_at, window, policy, order):
            barred[touch] = reason
    touches = _one_bind([touch for touch in touches if touch not in barred], policy) + list(barred)
    barred |= _standing_down([touch for touch in touches if touch not in barred], policy)
    ranked = sorted((touch for touch in touches if touch not in barred), key=lambda one: _rank(one, model, order))
    winner = ranked[0] if ranked else None
    candidates = [
        Candidate(
            touch.member_id,
            touch.via,
            touch.at,
            barred.get(touch) or ("won" if touch is winner else _why_outranked(touch, ranked[0], model)),
            touch.click_id,
            touch.link_id,
            touch.code,
            touch.confidence,
            _partner(touch, policy),
        )
        for touch in sorted(touches, key=_in_story_order)
        if touch.member_id != NOBODY
    ]
    if winner is None or winner.member_id == NOBODY:
        return Decision("nobody" if winner is None else "override_nobody", candidates)
    return Decision(_rule(winner, model), candidates, divide_credit(winner, ranked, policy))


def _bar(
    touch: Touch, store_id: int, ordered_at: datetime, window: timedelta, policy: Policy, order: tuple[str, ...]
) -> str:
    """The reason a touch can never earn from this order, or an empty word."""
    if touch.is_buyer:
        return "self"
    if touch.via == "override":
        return ""
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
    if touch.cls != "carried" and touch.at > ordered_at + CLOCK_SKEW:
        return "after_order"
    return touch.refusal or _too_old(touch, ordered_at, window, policy) or _not_wanted(touch, policy, order)


def _too_old(touch: Touch, ordered_at: datetime, window: timedelta, policy: Policy) -> str:
    """The window is inclusive: exactly thirty days still count. A bind has a lifetime instead."""
    if touch.cls == "bind":
        if policy.bind_days and ordered_at - touch.at > timedelta(days=policy.bind_days):
            return "bind_ended"
        last_seen = max(touch.at, touch.active_at or touch.at)
        if policy.bind_idle_days and ordered_at - last_seen > timedelta(days=policy.bind_idle_days):
            return "bind_idle"
        return ""
    own = policy.windows.get(touch.channel)
    return "expired" if ordered_at - touch.at > (timedelta(days=own) if own else window) else ""


def _not_wanted(touch: Touch, policy: Policy, order: tuple[str, ...]) -> str:
    if touch.confidence < policy.min_confidence:
        return "too_uncertain"
    if touch.cls not in order or (touch.cls == "bind" and policy.bind == "none"):
        return "not_in_programme"
    return "not_in_programme" if touch.via == "bind" and policy.bind == "register" else ""


def _one_bind(eligible: list[Touch], policy: Policy) -> list[Touch]:
    """A buyer belongs to one member: the first of all that count, or the latest. The others are no candidates."""
    if policy.bind not in ("first", "override"):
        return eligible
    binds = sorted((touch for touch in eligible if touch.cls == "bind"), key=_in_story_order)
    if not binds:
        return eligible
    kept = binds[-1] if policy.bind == "override" else binds[0]
    return [touch for touch in eligible if touch.cls != "bind" or touch is kept]


def _standing_down(eligible: list[Touch], policy: Policy) -> dict[Touch, str]:
    """Who steps in at the checkout does not displace whoever told the buyer about the product shortly before."""
    hours = timedelta(hours=policy.stand_down_hours)
    if not hours or not policy.partner_classes:
        return {}
    told = [one for one in eligible if not _steps_in(one, policy) and one.cls in (*CLICKS, *CODES, "placement")]
    return {
        late: "stood_down"
        for late in eligible
        if _steps_in(late, policy) and any(timedelta() <= late.at - one.at < hours for one in told)
    }


def _steps_in(touch: Touch, policy: Policy) -> bool:
    return touch.via != "override" and policy.partner_classes.get(str(touch.member_id)) in AT_THE_CHECKOUT


def _rank(touch: Touch, model: str, order: tuple[str, ...]) -> tuple:
    """Smaller is better; an id settles what time cannot."""
    place = order.index(touch.cls) if touch.cls in order else -1
    seconds = touch.at.timestamp()
    if model == "first" and touch.cls in CLICKS:
        place = min(order.index(cls) for cls in CLICKS if cls in order)
    return (place, seconds if model == "first" else -seconds, touch.click_id or touch.code, touch.member_id)


def _rule(winner: Touch, model: str) -> str:
    if winner.cls in CLICKS and winner.via != "entered_code":
        return f"{model}_click"
    return winner.via


def _why_outranked(touch: Touch, winner: Touch, model: str) -> str:
    if winner.cls not in CLICKS:
        if winner.cls == touch.cls:
            return "earlier_one_won" if model == "first" else "later_one_won"
        return {**dict.fromkeys(CODES, "code_won"), "signup": "bind_won"}.get(winner.cls, f"{winner.cls}_won")
    if touch.cls not in CLICKS:
        return "click_won" if touch.cls == "bind" else "click_before_this"
    if model == "first":
        return "earlier_click_won"
    return "carried_click_won" if winner.cls == "carried" and touch.cls != "carried" else "later_click_won"


def _partner(touch: Touch, policy: Policy) -> str:
    kind = policy.partner_classes.get(str(touch.member_id), "content")
    return "" if kind == "content" else kind


def _in_story_order(touch: Touch) -> tuple:
    return (touch.at, touch.via, touch.click_id or touch.code, touch.member_id)
