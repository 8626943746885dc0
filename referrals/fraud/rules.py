"""What speaks against a commission: pure functions of facts and thresholds, each with the evidence a person needs.

A hit holds the money until somebody has looked; it accuses nobody. So every rule has an honest neighbour in mind, whom
it must let pass: the viral post, the flat-mates, the busy launch day. `tests/referrals/test_fraud_rules.py` has both.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from math import sqrt
from typing import Any

import msgspec

from referrals.fraud.facts import Facts
from referrals.fraud.thresholds import Thresholds

# Which word of the fixed vocabulary a member hears. It never tells what gave them away.
REASONS = {
    "own_email": "self_referral",
    "own_device": "self_referral",
    "own_address": "household",
    "own_card": "self_referral",
    "own_phone": "self_referral",
    "ring": "household",
    "circle": "household",
    "cluster": "household",
    "velocity": "velocity",
    "click_flood": "traffic",
    "stuffing": "traffic",
    "leaked_code": "code_leaked",
    "paid_traffic": "traffic",
    "banned_referrer": "traffic",
    "new_sites": "traffic",
    "shared_account": "shared_account",
    "refunds": "refund_ratio",
    "odd_times": "traffic",
    "odd_paths": "traffic",
}
# Who led the buyer there is asked about the visit; an author or a host did not choose it.
LEADERS = ("sharer", "closer", "introducer")
# Whoever brought a new member: there is no order to ask about, but their pace and their browsers.
INVITER = "inviter"
# Which of a member's commissions a hit concerns, beside the one that was looked at.
SCOPES = {"ring": "ring", "circle": "buyer", "velocity": "hour", "click_flood": "day"} | dict.fromkeys(
    ("stuffing", "refunds", "odd_times", "odd_paths", "shared_account"), "pending"
)
# Distances beyond this are chance in one case of a hundred.
_BEYOND_CHANCE = 1.63
FEWEST_OTHERS = 50
# Where most pages tell nothing (a blocker, a script on few of them), silence says nothing about anybody.
MOST_FLEETING_OTHERS = 50
# A link that is on its way up gathers sites; one that was listed gathers this many times its usual number in a week.
TIMES_AS_MANY = 3


class Hit(msgspec.Struct, frozen=True):
    rule: str
    evidence: dict[str, Any]
    key: str = ""


Rule = Callable[[Facts, Thresholds], dict[str, Any] | None]


def hits_of(facts: Facts, limits: Thresholds) -> list[Hit]:
    """Every rule that strikes."""
    found = []
    for name, (rule, key) in _RULES.items():
        is_about_the_visit = name not in ("own_email", "own_device", "own_address", "own_card", "own_phone", "refunds")
        is_asked = (
            not is_about_the_visit
            or facts.role in LEADERS
            or (name in ("velocity", "cluster") and facts.role == INVITER)
        )
        if name in limits.off or not is_asked:
            continue
        evidence = rule(facts, limits)
        if evidence is not None:
            found.append(Hit(name, evidence, getattr(facts, key) if key else ""))
    return found


def _own_email(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    return {} if facts.same_mailbox else None


def _own_device(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    return {"days": facts.own_device_days} if facts.own_device_days else None


def _own_address(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    return {"orders": facts.own_address_orders} if facts.own_address_orders else None


def _own_card(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    return {"orders": facts.own_card_orders} if facts.own_card_orders else None


def _own_phone(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Whoever buys under a second address often gives the number the parcel service should call all the same."""
    if facts.is_own_number:
        return {"orders": facts.own_phone_orders, "proven": True}
    return {"orders": facts.own_phone_orders} if facts.own_phone_orders else None


def _ring(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    return {"customers": facts.ring_customers} if facts.ring_customers >= limits.ring_customers else None


def _circle(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Friends do recommend things to each other. Those who go on buying by one another share out a discount."""
    if facts.circle_orders < limits.circle_orders:
        return None
    return {"orders": facts.circle_orders, "members": facts.circle_members}


def _cluster(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """A family tells each other of things, a few times. Beyond that the cluster's cap is reached, whoever earns."""
    if facts.cluster_members < limits.cluster_members or facts.cluster_orders < limits.cluster_orders:
        return None
    return {"members": facts.cluster_members, "orders": facts.cluster_orders, "signs": facts.cluster_signs}


def _velocity(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    if facts.orders_hour >= limits.orders_per_hour or facts.signups_hour >= limits.signups_per_hour:
        return {"orders": facts.orders_hour, "signups": facts.signups_hour}
    return None


def _click_flood(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Many visits and hardly an order is what success looks like, too. So they must also come like a clock's, or most
    of them from one browser, or from where machines stand."""
    if facts.clicks_day < limits.flood_clicks:
        return None
    if facts.orders_day * 100 >= facts.clicks_day * limits.flood_orders_percent:
        return None
    is_clockwork = facts.spread_percent < limits.flood_spread_percent
    is_one_browser = facts.one_browser_percent >= limits.flood_one_browser_percent
    is_rented = facts.data_centre_percent >= limits.flood_data_centre_percent
    if not (is_clockwork or is_one_browser or is_rented):
        return None
    return {
        "clicks": facts.clicks_day,
        "orders": facts.orders_day,
        "spread": facts.spread_percent,
        "one_browser": facts.one_browser_percent,
        "data_centre": facts.data_centre_percent,
    }


def _stuffing(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Loaded where nobody sees it; or never looked at, where those who came by other people's links did look."""
    seen: dict[str, Any] = {}
    if facts.hidden_week >= limits.stuffing_visits and _percent(facts.hidden_week, facts.visits_week) >= (
        limits.stuffing_percent
    ):
        seen |= {"hidden": facts.hidden_week, "visits": facts.visits_week, "as": facts.hidden_kinds}
    of_others = _percent(facts.fleeting_others, facts.measured_others)
    if (
        facts.measured_week >= limits.fleeting_visits
        and _percent(facts.fleeting_week, facts.measured_week) >= limits.fleeting_percent
        and facts.measured_others >= FEWEST_OTHERS
        and of_others <= MOST_FLEETING_OTHERS
    ):
        seen |= {"fleeting": facts.fleeting_week, "measured": facts.measured_week, "others": round(of_others)}
    return seen or None


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _leaked_code(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    if facts.code_state == "leaked" or (facts.code_state == "watch" and facts.cold_uses >= limits.cold_uses):
        return {"code": facts.code, "strangers": facts.cold_uses, "state": facts.code_state}
    return None


def _paid_traffic(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    if facts.paid_param not in limits.paid_params:
        return None
    names = [name.lower() for name in (facts.link_code, facts.placement) if name]
    if any(fnmatchcase(name, pattern.lower()) for name in names for pattern in limits.paid_allowed):
        return None
    return {"parameter": facts.paid_param, "link": facts.link_code}


def _banned_referrer(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    if any(fnmatchcase(facts.referrer, pattern.lower()) for pattern in limits.banned_referrers if facts.referrer):
        return {"site": facts.referrer}
    return None


def _new_sites(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """A known link that stands on many sites at once all of a sudden was put there: by lists of coupons, mostly. Only
    sales by way of these sites wait, and what takes off where anybody may post is none of them."""
    new = [
        (site, people)
        for site, people in facts.new_sites
        if not any(fnmatchcase(site, one) for one in limits.open_sites)
    ]
    if facts.known_visits < limits.new_sites_known_visits or facts.referrer not in [site for site, _people in new]:
        return None
    if len(new) < limits.new_sites or len(new) <= TIMES_AS_MANY * facts.sites_a_week:
        return None
    return {
        "sites": len(new),
        "usual": facts.sites_a_week,
        "link": facts.link_code,
        "which": [list(n) for n in new[:5]],
    }


def _odd_paths(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Whoever injects clicks does so in the shop, at its checkout; whoever stuffs them has orders that have nothing to
    do with where the link led. Some of everybody's orders are like that, so only the difference counts."""
    seen: dict[str, Any] = {}
    for leg, mine, many, others, many_others in (
        ("late", facts.path_late, facts.path_orders, facts.path_late_others, facts.path_orders_others),
        ("unmet", facts.path_unmet, facts.path_led, facts.path_unmet_others, facts.path_led_others),
    ):
        if many < limits.path_orders or many_others < FEWEST_OTHERS:
            continue
        further = mine / many - others / many_others
        if further * 100 >= limits.path_distance_percent and further >= _by_chance(many, many_others):
            seen |= {leg: mine, f"{leg}_of": many, f"{leg}_others": round(_percent(others, many_others))}
    return seen or None


def _by_chance(some: int, others: int) -> float:
    return _BEYOND_CHANCE * sqrt((some + others) / (some * others))


def _refunds(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    if facts.orders_quarter < limits.refund_orders:
        return None
    if facts.returned_quarter * 100 < facts.orders_quarter * limits.refund_percent:
        return None
    return {"returned": facts.returned_quarter, "orders": facts.orders_quarter}


def _odd_times(facts: Facts, limits: Thresholds) -> dict[str, Any] | None:
    """Whoever throws a click in at the checkout has orders seconds after it; whoever stuffs cookies has them days
    later, spread evenly. Both differ from how people buy who were told about a thing."""
    mine, others = len(facts.delays), len(facts.delays_of_others)
    if mine < limits.odd_orders or others < FEWEST_OTHERS:
        return None
    far = distance(facts.delays, facts.delays_of_others)
    if far * 100 < limits.odd_distance_percent or far < _by_chance(mine, others):
        return None
    return {
        "distance": round(far * 100),
        "orders": mine,
        "half_within": round(_middle(facts.delays)),
        "others_half_within": round(_middle(facts.delays_of_others)),
    }


def distance(some: Sequence[float], others: Sequence[float]) -> float:
    """Kolmogorov-Smirnov: how far apart the two get when both are counted up from the smallest; 0 alike, 1 apart."""
    here, there = sorted(some), sorted(others)
    at = seen = 0
    furthest = 0.0
    while at < len(here) and seen < len(there):
        value = min(here[at], there[seen])
        while at < len(here) and here[at] <= value:
            at += 1
        while seen < len(there) and there[seen] <= value:
            seen += 1
        furthest = max(furthest, abs(at / len(here) - seen / len(there)))
    return furthest


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


# The rule, and the fact it knows the same thing again by.
_RULES: dict[str, tuple[Rule, str]] = {
    "own_email": (_own_email, ""),
    "own_device": (_own_device, "device_key"),
    "own_address": (_own_address, "address"),
    "own_card": (_own_card, "card"),
    "own_phone": (_own_phone, "phone"),
    "ring": (_ring, "address"),
    "circle": (_circle, "buyer"),
    "cluster": (_cluster, "cluster"),
    "velocity": (_velocity, ""),
    "click_flood": (_click_flood, ""),
    "stuffing": (_stuffing, ""),
    "leaked_code": (_leaked_code, "code"),
    "paid_traffic": (_paid_traffic, "link_code"),
    "banned_referrer": (_banned_referrer, "referrer"),
    "new_sites": (_new_sites, "referrer"),
    "refunds": (_refunds, ""),
    "odd_times": (_odd_times, ""),
    "odd_paths": (_odd_paths, ""),
}
