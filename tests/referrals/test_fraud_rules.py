"""Each rule beside the cheat it is for, and beside the honest neighbour it must let pass."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from referrals.fraud.facts import Facts
from referrals.fraud.rules import REASONS, distance, hits_of
from referrals.fraud.thresholds import BOUNDS, PLAIN, RULES, Thresholds, check_thresholds

HOUR = 3_600.0
RNG = random.Random(7)
# People who were told about a thing buy within minutes, or think about it for some days.
PEOPLE = [RNG.expovariate(1 / (9 * HOUR)) for _ in range(400)]


def struck(limits: Thresholds = PLAIN, **facts: object) -> set[str]:
    return {hit.rule for hit in hits_of(Facts(**facts), limits)}  # type: ignore[arg-type]


FLOOD = {"clicks_day": 900, "orders_day": 1}
STUFFED = {"measured_week": 30, "fleeting_week": 27, "measured_others": 80, "fleeting_others": 40}
SITES = tuple((f"deals{n}.example", 3) for n in range(5))
LISTED = {"referrer": "deals2.example", "new_sites": SITES, "known_visits": 40, "sites_a_week": 1}
PATHS = {"path_orders": 20, "path_orders_others": 200, "path_led": 20, "path_led_others": 200}
INSIDE = {"cluster_members": 3, "cluster_orders": 4, "cluster": "cluster:1,2,3"}
CASES = [
    ("own_email", {"same_mailbox": True}, {"same_mailbox": False}),
    ("own_device", {"own_device_days": 1}, {"own_device_days": 0, "device_key": "buyer:7"}),
    ("own_address", {"own_address_orders": 1, "address": "a"}, {"address": "a"}),
    ("own_card", {"own_card_orders": 1, "card": "c"}, {"card": "c"}),
    ("own_phone", {"own_phone_orders": 1, "phone": "p"}, {"phone": "p"}),
    ("own_phone", {"is_own_number": True, "phone": "p"}, {"phone": "p"}),
    # Two flat-mates are no ring.
    ("ring", {"ring_customers": 3, "address": "a"}, {"ring_customers": 2, "address": "a"}),
    # Two friends who each told the other of one thing.
    ("circle", {"circle_orders": 2, "circle_members": 2}, {"circle_orders": 1, "circle_members": 2}),
    ("velocity", {"orders_hour": 15}, {"orders_hour": 14, "signups_hour": 19}),
    ("velocity", {"signups_hour": 20}, {"signups_hour": 3}),
    # A clock's visits; a viral post has many more, and nearly nobody buys, yet people come by chance.
    ("click_flood", {**FLOOD, "spread_percent": 5}, {"clicks_day": 50_000, "orders_day": 3, "spread_percent": 97}),
    ("click_flood", {**FLOOD, "one_browser_percent": 90}, {**FLOOD, "one_browser_percent": 12}),
    # Rented machines with people's gaps and many browsers; and some people behind their company's VPN.
    ("click_flood", {**FLOOD, "data_centre_percent": 60}, {**FLOOD, "data_centre_percent": 25}),
    # A household that tells each other of things a few times; and a couple that does so often.
    ("cluster", INSIDE, {**INSIDE, "cluster_orders": 3}),
    ("cluster", INSIDE, {**INSIDE, "cluster_members": 2, "cluster_orders": 40}),
    # Five coupon sites; and whoever comes from a site of old at that time.
    ("new_sites", LISTED, {**LISTED, "referrer": "blog.example"}),
    # A post that takes off where anybody may post, and a paper that wrote of it.
    ("new_sites", LISTED, {**LISTED, "new_sites": (*SITES[:3], ("t.co", 900), ("www.google.de", 40))}),
    # A link that nobody knew before, and one that gathers sites all the time.
    ("new_sites", LISTED, {**LISTED, "known_visits": 19}),
    ("new_sites", LISTED, {**LISTED, "sites_a_week": 2}),
    # Thrown in at the checkout; and who sends half of them into the shop by a page of the shop's own.
    ("odd_paths", {**PATHS, "path_late": 18, "path_late_others": 4}, {**PATHS, "path_late": 7, "path_late_others": 4}),
    ("odd_paths", {**PATHS, "path_late": 18}, {**PATHS, "path_late": 18, "path_late_others": 110}),
    # Orders that have nothing to do with the links; and people who look around, as everybody does.
    (
        "odd_paths",
        {**PATHS, "path_unmet": 20, "path_unmet_others": 90},
        {**PATHS, "path_unmet": 16, "path_unmet_others": 90},
    ),
    ("odd_paths", {**PATHS, "path_unmet": 20}, {**PATHS, "path_unmet": 19, "path_led": 19}),
    # A shop's newsletter goes out on the minute, and sells.
    ("click_flood", {**FLOOD, "spread_percent": 20}, {**FLOOD, "orders_day": 40, "spread_percent": 20}),
    ("stuffing", {"hidden_week": 400, "visits_week": 420}, {"hidden_week": 12, "visits_week": 3_000}),
    # Nobody was ever there, though others' visitors were; and where others' leave at once as well, or tell nothing.
    ("stuffing", STUFFED, {**STUFFED, "fleeting_others": 41}),
    ("stuffing", STUFFED, {**STUFFED, "measured_others": 0, "fleeting_others": 0}),
    # Every third visitor stays: a careless newsletter.
    ("stuffing", STUFFED, {**STUFFED, "fleeting_week": 20}),
    ("leaked_code", {"code": "X", "code_state": "leaked"}, {"code": "X", "code_state": "ok", "cold_uses": 3}),
    ("leaked_code", {"code_state": "watch", "cold_uses": 5}, {"code_state": "watch", "cold_uses": 4}),
    # Facebook puts fbclid on posts that nobody paid for.
    ("paid_traffic", {"paid_param": "gclid", "link_code": "a"}, {"paid_param": "fbclid", "link_code": "a"}),
    ("refunds", {"orders_quarter": 10, "returned_quarter": 5}, {"orders_quarter": 3, "returned_quarter": 3}),
    ("refunds", {"orders_quarter": 40, "returned_quarter": 20}, {"orders_quarter": 40, "returned_quarter": 11}),
    # Thrown in at the checkout; and somebody whose friends think longer, but not otherwise.
    (
        "odd_times",
        {"delays": [RNG.uniform(2, 9) for _ in range(25)], "delays_of_others": PEOPLE},
        {"delays": [RNG.expovariate(1 / (12 * HOUR)) for _ in range(25)], "delays_of_others": PEOPLE},
    ),
    # Stuffed into browsers: the orders come whenever those people happen to buy, evenly over the month.
    (
        "odd_times",
        {"delays": [RNG.uniform(0, 720 * HOUR) for _ in range(30)], "delays_of_others": PEOPLE},
        {"delays": [1.0] * 19, "delays_of_others": PEOPLE},
    ),
]


@pytest.mark.parametrize(("rule", "cheat", "neighbour"), CASES)
def test_a_rule_sees_the_cheat_and_not_the_honest_neighbour(rule: str, cheat: dict, neighbour: dict):
    assert rule in struck(**cheat)
    assert struck(**neighbour) == set()


def test_sites_and_advertised_links_are_the_stores_own_lists():
    limits = Thresholds(banned_referrers=("*.coupon.example", "steal.example"), paid_allowed=("summer-*",))
    assert (
        struck(limits, referrer="de.coupon.example") == struck(limits, referrer="steal.example") == {"banned_referrer"}
    )
    assert struck(limits, referrer="coupon.example.org") == struck(limits, referrer="") == set()
    assert struck(limits, paid_param="gclid", link_code="mara") == {"paid_traffic"}
    assert struck(limits, paid_param="gclid", link_code="SUMMER-7") == set()
    assert struck(limits, paid_param="gclid", link_code="mara", placement="Summer-ads") == set()


def test_an_author_is_not_asked_about_visits_that_somebody_else_sent():
    assert struck(role="author", paid_param="gclid", hidden_week=400, visits_week=400, orders_hour=99) == set()
    assert struck(role="author", own_card_orders=1) == {"own_card"}


def test_a_store_switches_a_rule_off():
    assert struck(Thresholds(off=("own_address",)), own_address_orders=3, own_card_orders=1) == {"own_card"}


def test_every_rule_has_words_for_both_sides():
    from referrals.commissions.reasons import reason_words
    from referrals.fraud.words import rule_help, rule_words

    for rule in RULES:
        assert rule_words(rule) != rule and rule_help(rule)
        assert reason_words(REASONS[rule]) != reason_words("?")


@pytest.mark.parametrize(
    "wrong",
    [
        *({field: least - 1} for field, (least, _most) in BOUNDS.items()),
        *({field: most + 1} for field, (_least, most) in BOUNDS.items()),
        {"banned_referrers": ("*",)},
        {"banned_referrers": ("x" * 200,)},
        {"paid_params": tuple(map(str, range(200)))},
        {"off": ("no-such-rule",)},
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(wrong: dict):
    with pytest.raises(Invalid):
        check_thresholds(Thresholds(**wrong))
    check_thresholds(PLAIN)


times = st.lists(st.floats(0, 1e7), min_size=1, max_size=60)


@given(times, times)
def test_the_distance_is_the_same_from_both_sides_and_none_to_oneself(some: list[float], others: list[float]):
    assert distance(some, some) == 0
    assert distance(some, others) == pytest.approx(distance(others, some))
    assert 0 <= distance(some, others) <= 1
    assert distance(some, [value + 2e7 for value in others]) == 1
