"""Who is credited, and what each other candidate is told."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.attribution.rules import CLOCK_SKEW, Touch, decide

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
WINDOW = timedelta(days=30)
ADA, BEN, CLEO = 1, 2, 3


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


@given(touches, st.sampled_from(["last", "first"]), st.randoms())
def test_the_order_in_which_facts_are_found_changes_nothing(found: list[Touch], model: str, random):
    shuffled = random.sample(found, len(found))
    assert settled(found, model) == settled(shuffled, model)


@given(touches, touches, st.sampled_from(["last", "first"]))
def test_a_touch_that_cannot_earn_never_changes_who_wins(found: list[Touch], more: list[Touch], model: str):
    known = {one.click_id for one in found}
    barred = [
        Touch(via=one.via, member_id=one.member_id, at=one.at, click_id=f"x{one.click_id}", kind="bot")
        for one in more
        if one.click_id not in known
    ]
    assert settled(found, model).winner == settled(found + barred, model).winner


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
