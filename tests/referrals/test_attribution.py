"""Who is credited, and what each other candidate is told."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import Invalid
from referrals.attribution.rules import CLOCK_SKEW, NOBODY, Touch, Via, decide
from referrals.attribution.shares import WHOLE, Share
from referrals.programs.policy import CLASSES, PARTNER_CLASSES, PLAIN, LeakRules, Policy, check_policy, policy_of
from tests.conftest import examples

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = timedelta(days=30)
ADA, BEN, CLEO, DORA = 1, 2, 3, 4
many = settings(max_examples=examples(300), deadline=None)


def touch(member_id: int, hours_before: float = 1, via: str = "claimed", click_id: str = "", **more) -> Touch:
    at = NOON - timedelta(hours=hours_before)
    name = click_id or (f"{member_id}-{hours_before}" if via != "signup" else None)
    return Touch(via=via, member_id=member_id, at=at, click_id=name, **more)  # type: ignore[arg-type]


def outcomes(touches: list[Touch], model: str = "last") -> dict[tuple[int, str], str]:
    decision = decide(touches, store_id=1, ordered_at=NOON, window=WINDOW, model=model)
    return {(one.member_id, one.via): one.outcome for one in decision.candidates}


def test_the_last_click_wins_and_the_earlier_one_hears_why():
    assert outcomes([touch(ADA, 5), touch(BEN, 2)]) == {
        (ADA, "claimed"): "later_click_won",
        (BEN, "claimed"): "won",
    }


def test_the_first_click_wins_where_the_programme_says_so():
    assert outcomes([touch(ADA, 5), touch(BEN, 2, "carried")], "first") == {
        (ADA, "claimed"): "won",
        (BEN, "carried"): "earlier_click_won",
    }


def test_the_click_that_travelled_with_the_order_beats_one_on_another_device():
    assert outcomes([touch(ADA, 5, "carried"), touch(BEN, 2)]) == {
        (ADA, "carried"): "won",
        (BEN, "claimed"): "carried_click_won",
    }


def test_who_brought_the_member_is_credited_when_no_click_counts():
    assert outcomes([touch(ADA, 9000, "signup"), touch(BEN, 2)])[(ADA, "signup")] == "click_won"
    assert outcomes([touch(ADA, 9000, "signup"), touch(BEN, 2, kind="bot")])[(ADA, "signup")] == "won"


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ({"is_buyer": True}, "self"),
        ({"kind": "bot"}, "not_a_person"),
        ({"kind": "preview"}, "not_a_person"),
        ({"kind": "prefetch"}, "not_a_person"),
        ({"link_store_id": 2}, "other_store"),
        ({"link_closed": True}, "link_closed"),
        ({"is_suspended": True}, "suspended"),
        ({"hours_before": 30 * 24 + 0.001}, "expired"),
        ({"hours_before": -1}, "after_order"),
    ],
)
def test_what_can_never_earn_says_why(lost: dict, reason: str):
    assert outcomes([touch(ADA, **lost), touch(BEN, 700)]) == {(ADA, "claimed"): reason, (BEN, "claimed"): "won"}


def test_the_window_and_the_clocks_are_exact_at_their_edges():
    assert outcomes([touch(ADA, 30 * 24)])[(ADA, "claimed")] == "won"
    skew = CLOCK_SKEW.total_seconds() / 3600
    assert outcomes([touch(ADA, -skew)])[(ADA, "claimed")] == "won"
    assert outcomes([touch(ADA, -skew - 0.001)])[(ADA, "claimed")] == "after_order"
    assert outcomes([touch(ADA, -48, "carried")])[(ADA, "carried")] == "won"


touches = st.lists(
    st.builds(
        Touch,
        via=st.sampled_from(["carried", "claimed", "signup"]),
        member_id=st.sampled_from([ADA, BEN, CLEO]),
        at=st.integers(-60, 60 * 24 * 40).map(lambda minutes: NOON - timedelta(minutes=minutes)),
        click_id=st.integers(0, 10**6).map(str),
        link_store_id=st.sampled_from([None, 1, 1, 2]),
        kind=st.sampled_from(["human", "human", "human", "bot", "preview"]),
        is_buyer=st.sampled_from([False, False, True]),
        link_closed=st.sampled_from([False, False, True]),
        is_suspended=st.sampled_from([False, False, True]),
    ),
    max_size=8,
    unique_by=lambda one: one.click_id,
)


def settled(found: list[Touch], model: str):
    return decide(found, store_id=1, ordered_at=NOON, window=WINDOW, model=model)


@many
@given(touches, st.sampled_from(["last", "first"]), st.randoms())
def test_the_order_in_which_facts_are_found_changes_nothing(found: list[Touch], model: str, random):
    shuffled = random.sample(found, len(found))
    assert settled(found, model) == settled(shuffled, model)


@many
@given(touches, touches, st.sampled_from(["last", "first"]))
def test_a_touch_that_cannot_earn_never_changes_who_wins(found: list[Touch], more: list[Touch], model: str):
    known = {one.click_id for one in found}
    barred = [
        Touch(via=one.via, member_id=one.member_id, at=one.at, click_id=f"x{one.click_id}", kind="bot")
        for one in more
        if one.click_id not in known
    ]
    assert settled(found, model).winner == settled(found + barred, model).winner


@many
@given(touches, st.sampled_from(["last", "first"]))
def test_at_most_one_wins_and_never_the_buyer_or_a_machine(found: list[Touch], model: str):
    decision = settled(found, model)
    won = [one for one in decision.candidates if one.outcome == "won"]
    assert len(won) <= 1 and len(decision.candidates) == len(found)
    by_click = {one.click_id: one for one in found}
    for one in won:
        winner = by_click[one.click_id]
        assert winner.kind == "human" and not winner.is_buyer and winner.link_store_id in (None, 1)
        assert winner.via == "signup" or NOON - winner.at <= WINDOW


# --- with an empty policy everything is decided as it was before there were policies ---


def decided_before(found: list[Touch], model: str) -> dict[Touch, str]:
    """How an order was decided before policies, written down once more from the words of docs/MONEY.md."""

    def bar(one: Touch) -> str:
        gates = [
            (one.is_buyer, "self"),
            (one.kind != "human", "not_a_person"),
            (one.link_store_id not in (None, 1), "other_store"),
            (one.link_closed, "link_closed"),
            (one.is_suspended, "suspended"),
            (one.via != "carried" and one.at > NOON + CLOCK_SKEW, "after_order"),
            (one.via != "signup" and NOON - one.at > WINDOW, "expired"),
        ]
        return next((reason for is_so, reason in gates if is_so), "")

    def rank(one: Touch) -> tuple:
        seconds = one.at.timestamp()
        if one.via == "signup":
            return (2, 0, "")
        return (0, seconds, one.click_id) if model == "first" else (one.via != "carried", -seconds, one.click_id)

    said = {one: bar(one) for one in found}
    ranked = sorted((one for one in found if not said[one]), key=rank)
    for one in ranked:
        if one is ranked[0]:
            said[one] = "won"
        elif one.via == "signup":
            said[one] = "click_won"
        elif model == "first":
            said[one] = "earlier_click_won"
        else:
            said[one] = "carried_click_won" if ranked[0].via == "carried" else "later_click_won"
    return said


one_signup = touches.filter(lambda found: sum(one.via == "signup" for one in found) < 2).filter(
    lambda found: sum(one.via == "carried" for one in found) < 2
)


@many
@given(one_signup, st.sampled_from(["last", "first"]))
def test_an_empty_policy_decides_as_before_there_were_policies(found: list[Touch], model: str):
    assert policy_of({"policy": {}}) == PLAIN
    before = decided_before(found, model)
    decision = settled(found, model)
    now = {(one.member_id, one.via, one.at, one.click_id): one.outcome for one in decision.candidates}
    assert now == {(one.member_id, one.via, one.at, one.click_id): said for one, said in before.items()}
    assert decision.shares == []
    # And it is kept in the same words: an order of the past is not written anew because of what was added since.
    kept = [set(msgspec.to_builtins(one)) for one in decision.candidates]
    assert all(names <= {"member_id", "via", "at", "outcome", "click_id", "link_id"} for names in kept)


# --- the ordered policy ---


def under(policy: Policy, *found: Touch, model: str = "last", is_new: bool = False):
    return decide(
        list(found),
        store_id=1,
        ordered_at=NOON,
        window=WINDOW,
        model=model,
        policy=policy,
        is_new_customer=is_new,
    )


def winner_of(*found: Touch, policy: Policy = PLAIN, **more) -> tuple[int, str]:
    decision = under(policy, *found, **more)
    assert decision.winner is not None
    return decision.winner.member_id, decision.rule


def code(member_id: int, via: str = "personal_code", **more) -> Touch:
    return touch(member_id, 0, via, click_id=f"code{member_id}", channel="code", **more)


def test_a_personal_code_goes_before_clicks_and_a_leaked_one_after_them():
    click_of_ada = touch(ADA, 1, "carried")
    assert winner_of(click_of_ada, code(BEN)) == (BEN, "personal_code")
    assert winner_of(click_of_ada, code(BEN, "leaked_code")) == (ADA, "last_click")
    assert winner_of(touch(CLEO, 900, "signup"), code(BEN, "leaked_code")) == (BEN, "leaked_code")
    said = {one.member_id: one.outcome for one in under(PLAIN, click_of_ada, code(BEN, "leaked_code")).candidates}
    assert said[BEN] == "click_before_this"


def test_a_store_may_let_clicks_go_before_codes_or_credit_no_codes_at_all():
    links_first = Policy(order=("override", "carried", "claimed", "personal_code", "bind"))
    assert winner_of(touch(ADA, 1), code(BEN), policy=links_first) == (ADA, "last_click")
    no_codes = Policy(order=("override", "carried", "claimed", "bind"))
    decision = under(no_codes, code(BEN))
    assert decision.winner is None and decision.candidates[0].outcome == "not_in_programme"


def test_a_new_customer_may_belong_to_whoever_brought_them_before_any_click():
    policy = Policy(new_customer_order=("override", "bind", "carried", "claimed"))
    found = (touch(ADA, 900, "signup"), touch(BEN, 1, "carried"))
    assert winner_of(*found, policy=policy, is_new=True) == (ADA, "signup")
    assert winner_of(*found, policy=policy) == (BEN, "last_click")


def test_a_coupon_site_at_the_checkout_stands_down_for_whoever_told_the_buyer():
    policy = Policy(partner_classes={str(BEN): "coupon"})
    story, grab = touch(ADA, 20), touch(BEN, 0.01)
    decision = under(policy, story, grab)
    assert decision.winner is not None and decision.winner.member_id == ADA
    (lost,) = [one for one in decision.candidates if one.member_id == BEN]
    assert (lost.outcome, lost.partner) == ("stood_down", "coupon")
    # A day later the story is over, and nobody stands down where no story was told.
    assert winner_of(touch(ADA, 24.01), touch(BEN, 0), policy=policy)[0] == BEN
    assert winner_of(touch(ADA, 23.99), touch(BEN, 0), policy=policy)[0] == ADA
    assert winner_of(touch(ADA, 24), touch(BEN, 0), policy=policy)[0] == BEN
    # What a person decided stands, whatever kind of partner it is for.
    assert winner_of(story, touch(BEN, 0, "override"), policy=policy) == (BEN, "override")
    assert winner_of(touch(ADA, 20, kind="bot"), grab, policy=policy)[0] == BEN
    # Also with its code, which otherwise goes before every click.
    assert winner_of(story, code(BEN), policy=policy)[0] == ADA


def test_each_channel_may_have_its_own_window_inclusive_to_the_second():
    policy = Policy(windows={"qr": 2})
    assert winner_of(touch(ADA, 48, channel="qr"), policy=policy)[0] == ADA
    assert under(policy, touch(ADA, 48.001, channel="qr")).candidates[0].outcome == "expired"
    assert winner_of(touch(ADA, 200), policy=policy)[0] == ADA


def test_a_bind_has_a_lifetime_and_ends_when_the_buyer_is_idle():
    old = touch(ADA, 24 * 100, "signup")
    assert under(Policy(bind_days=99), old).candidates[0].outcome == "bind_ended"
    assert winner_of(old, policy=Policy(bind_days=100)) == (ADA, "signup")
    assert under(Policy(bind_idle_days=30), old).candidates[0].outcome == "bind_idle"
    busy = touch(ADA, 24 * 100, "signup", active_at=NOON - timedelta(days=30))
    assert winner_of(busy, policy=Policy(bind_idle_days=30)) == (ADA, "signup")
    assert under(Policy(bind="none"), old).candidates[0].outcome == "not_in_programme"


def test_a_buyer_belongs_to_the_first_or_to_the_latest_who_counts():
    led = (touch(ADA, 900, "bind"), touch(BEN, 800, "signup"), touch(CLEO, 750, "bind"))
    assert winner_of(*led, policy=Policy(bind="first")) == (ADA, "bind")
    assert winner_of(*led, policy=Policy(bind="override")) == (CLEO, "bind")
    assert winner_of(*led, policy=Policy(bind="register")) == (BEN, "signup")
    # Who cannot earn does not keep the place of the next one.
    barred = touch(ADA, 900, "bind", is_suspended=True)
    assert winner_of(barred, *led[1:], policy=Policy(bind="first")) == (BEN, "signup")


def test_what_is_not_sure_enough_never_earns():
    assert under(PLAIN, touch(ADA, 1, confidence=40)).candidates[0].outcome == "too_uncertain"
    assert winner_of(touch(ADA, 1, confidence=80))[0] == ADA
    assert under(Policy(min_confidence=90), touch(ADA, 1, confidence=80)).winner is None


def test_what_a_person_decided_stands_above_everything_but_the_buyer_themselves():
    ordinary = (touch(ADA, 1, "carried"), code(ADA))
    decided = touch(BEN, -1, "override", channel="override")
    assert winner_of(*ordinary, decided) == (BEN, "override")
    assert winner_of(*ordinary, touch(BEN, -1, "override", is_buyer=True)) == (ADA, "personal_code")
    nobody = under(PLAIN, *ordinary, touch(NOBODY, -1, "override"))
    assert nobody.winner is None and nobody.rule == "override_nobody" and len(nobody.candidates) == 2
    assert {one.outcome for one in nobody.candidates} == {"override_won"}


def test_the_house_is_credited_only_when_nobody_else_is():
    house = touch(CLEO, 0, "house")
    assert winner_of(touch(ADA, 900, "signup"), house) == (ADA, "signup")
    assert winner_of(touch(ADA, 1, kind="bot"), house) == (CLEO, "house")


# --- shares ---

SHARING = Policy(assist_bps={"author": 2000, "introducer": 1000})


def test_the_author_of_the_guide_where_it_began_and_who_introduced_the_buyer_have_their_part():
    began = touch(ADA, 50, helper_id=DORA, helper_role="author")
    shares = under(SHARING, began, touch(BEN, 2)).shares
    assert shares == [Share(BEN, "sharer", 7000), Share(DORA, "author", 2000), Share(ADA, "introducer", 1000)]
    assert under(PLAIN, began, touch(BEN, 2)).shares == []


def test_whoever_helped_themselves_has_one_part():
    own_guide = touch(ADA, 2, helper_id=ADA, helper_role="author")
    assert under(SHARING, own_guide).shares == []
    both = under(SHARING, touch(ADA, 50, helper_id=ADA, helper_role="author"), touch(BEN, 2)).shares
    assert both == [Share(BEN, "sharer", 7000), Share(ADA, "author", 3000)]


def test_what_a_person_decided_and_what_the_house_keeps_is_not_shared():
    began = touch(ADA, 50, helper_id=DORA, helper_role="author")
    assert under(SHARING, began, touch(BEN, 0, "override")).shares == []


policies = st.builds(
    Policy,
    order=st.permutations(CLASSES[1:]).map(lambda rest: (CLASSES[0], *rest)),
    windows=st.dictionaries(st.sampled_from(["click", "qr"]), st.integers(1, 60)),
    bind=st.sampled_from(["register", "first", "override", "none"]),
    bind_days=st.sampled_from([0, 5]),
    stand_down_hours=st.sampled_from([0, 24]),
    partner_classes=st.dictionaries(st.sampled_from(["1", "2", "3"]), st.sampled_from(PARTNER_CLASSES)),
    assist_bps=st.fixed_dictionaries({"author": st.integers(0, 3000), "introducer": st.integers(0, 2000)}),
)
any_touches = st.lists(
    st.builds(
        Touch,
        via=st.sampled_from([one for one in get_args(Via) if one != "override"]),
        member_id=st.sampled_from([ADA, BEN, CLEO]),
        at=st.integers(-60, 60 * 24 * 40).map(lambda minutes: NOON - timedelta(minutes=minutes)),
        click_id=st.integers(0, 10**6).map(str),
        channel=st.sampled_from(["click", "qr"]),
        confidence=st.sampled_from([100, 100, 60, 40]),
        is_buyer=st.sampled_from([False, False, True]),
        link_closed=st.sampled_from([False, False, True]),
        helper_id=st.sampled_from([None, ADA, DORA]),
        helper_role=st.just("author"),
    ),
    max_size=8,
    unique_by=lambda one: one.click_id,
)


@many
@given(any_touches, policies, st.sampled_from(["last", "first"]), st.randoms(), st.booleans())
def test_under_any_policy_the_order_of_facts_changes_nothing_and_shares_are_a_whole(found, policy, model, random, new):
    check_policy(policy)
    decision = under(policy, *found, model=model, is_new=new)
    shuffled = random.sample(found, len(found))
    assert decision == under(policy, *shuffled, model=model, is_new=new)
    if decision.shares:
        assert sum(one.bps for one in decision.shares) == WHOLE
        assert all(one.bps > 0 for one in decision.shares)
        assert len({one.member_id for one in decision.shares}) == len(decision.shares)
        assert decision.winner is not None and decision.shares[0].member_id == decision.winner.member_id
        assert decision.shares[0].bps >= WHOLE // 2


@many
@given(any_touches, any_touches, policies, st.sampled_from(["last", "first"]))
def test_under_any_policy_what_cannot_earn_changes_neither_winner_nor_shares(found, more, policy, model):
    barred = [msgspec.structs.replace(one, click_id=f"x{one.click_id}", is_buyer=True, helper_id=DORA) for one in more]
    alone, together = under(policy, *found, model=model), under(policy, *found, *barred, model=model)
    assert (alone.winner, alone.shares, alone.rule) == (together.winner, together.shares, together.rule)


@pytest.mark.parametrize(
    ("policy", "field"),
    [
        (Policy(order=("carried", "override")), "order"),
        (Policy(order=("override", "carried", "carried")), "order"),
        (Policy(order=("override", "luck")), "order"),
        (Policy(new_customer_order=("bind",)), "new_customer_order"),
        (Policy(windows={"pigeon": 3}), "windows"),
        (Policy(windows={"click": 0}), "windows"),
        (Policy(assist_bps={"author": 4000, "introducer": 1001}), "assist_bps"),
        (Policy(assist_bps={"uncle": 1}), "assist_bps"),
        (Policy(partner_classes={"7": "pirate"}), "partner_classes"),
        (Policy(min_confidence=101), "min_confidence"),
        (Policy(leak=LeakRules(watch=9, leaked=8)), "leak"),
        (Policy(second_approver_from=-1), "second_approver_from"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_refused_by_its_field(policy: Policy, field: str):
    with pytest.raises(Invalid) as refused:
        check_policy(policy)
    assert list(refused.value.fields) == [field]
