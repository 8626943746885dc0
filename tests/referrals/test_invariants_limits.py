"""The histories of test_invariants.py under budgets and every cap: each line has what a reckoning by hand leaves of it
(limits_reckoned.py), to the unit, with all orders settled in one transaction or one after the other."""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import clock, db
from tests.factories import Person, a_member
from tests.referrals.cast import books_are_right
from tests.referrals.histories import SHARERS, History
from tests.referrals.limits_reckoned import Limits
from tests.referrals.quick import cheap_passwords, forget_jobs, generated
from tests.referrals.test_invariants import (
    live_through,
    nobody_is_paid_twice,
    steps_are_lawful,
)

pytestmark = pytest.mark.anyio

# Four orders of two buyers, so that days, months, buyers and budgets are shared by some of them; dear enough for limits
# to decide.
numbers = st.integers(0, 3)
prices = st.tuples(st.sampled_from([1, 5_555, 9_999, 10_000, 20_000, 30_000]), st.sampled_from([0, 0, 1]))
lines = st.sampled_from([["a"], ["a"], ["b"], ["a", "b"], ["b", "a"]]).flatmap(
    lambda names: st.tuples(*[prices] * len(names)).map(lambda told: dict(zip(names, told, strict=True)))
)
back = st.sampled_from([1, 333, 2_500, 4_999, 10_000])
heights = st.sampled_from([0, 0, 1, 333, 1_000, 2_500])
caps = st.fixed_dictionaries(dict.fromkeys(("order", "customer", "day", "month"), heights))
budgets = st.sampled_from(["", "autumn", "autumn", "winter"])
most = st.sampled_from([1, 500, 1_500, 4_000, 90_000])
tellings = st.tuples(st.just("tell"), numbers, st.sampled_from([0, 0, 1]), lines)
refunds = st.tuples(st.just("give_back"), numbers, st.sampled_from(["a", "a", "b"]), back, st.just("refund"))
happenings = st.one_of(
    tellings,
    tellings,
    refunds,
    refunds,
    st.tuples(
        st.just("give_back"), numbers, st.just("a"), back, st.sampled_from(["chargeback", "dispute_won", "exchange"])
    ),
    st.tuples(st.just("cancel"), numbers),
    st.tuples(st.just("change_rules"), st.sampled_from([0, 1, 1000, 10_000])),
    st.tuples(st.just("change_limits"), caps, budgets),
    st.tuples(st.just("fill_budget"), budgets.filter(bool), most),
    st.tuples(st.just("put_off"), st.sampled_from([2, 3, 4])),
    st.tuples(st.just("put_off"), st.sampled_from([2, 3, 4])),
    st.tuples(st.just("pass_days"), st.sampled_from([1, 14, 31])),
    st.tuples(st.just("judge"), st.integers(0, 5), st.sampled_from(["hold", "lift", "reject", "reject"])),
    st.tuples(st.just("pay_day"), st.integers(0, 1)),
)
# Some are told before anything else happens: under the first limits, and under others.
begun = st.tuples(tellings, tellings, st.tuples(st.just("change_limits"), caps, budgets), tellings).map(list)


@pytest.fixture
async def sharers(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Person]]:
    cheap_passwords(monkeypatch)
    yield [await a_member(f"sharer-{n}") for n in range(SHARERS)]
    clock.travel_home()
    await books_are_right()


@generated(200)
@given(
    rate=st.sampled_from([333, 1000, 2500]),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    first=st.tuples(caps, budgets),
    filled=st.one_of(st.none(), most, most),
    what=st.builds(list.__add__, begun, st.lists(happenings, min_size=3, max_size=9)),
    together=st.booleans(),
    seed=st.integers(0, 10**6),
)
@example(
    rate=1000,
    currency="USD",
    first=({"order": 0, "customer": 0, "day": 1_000, "month": 0}, "autumn"),
    filled=1_500,
    what=[
        ("tell", 0, 0, {"a": (9_000, 0)}),
        ("tell", 1, 0, {"a": (9_000, 0)}),  # a hundred are left of the day
        ("tell", 2, 1, {"a": (9_000, 0)}),  # five hundred are left of the budget
        ("give_back", 0, "a", 4_500, "refund"),
        ("tell", 2, 1, {"a": (20_000, 0)}),  # what was cut stays cut
        ("pass_days", 1),
        ("tell", 3, 0, {"a": (9_000, 0), "b": (1_000, 0)}),  # another day, and what came back to the budget
        ("fill_budget", "autumn", 4_000),
        ("tell", 3, 0, {"a": (19_000, 0), "b": (1_000, 0)}),
    ],
    together=True,
    seed=1,
)
@example(
    rate=1000,
    currency="USD",
    first=({"order": 1_000, "customer": 0, "day": 0, "month": 0}, "autumn"),
    filled=1_000,
    what=[
        ("tell", 0, 0, {"a": (5_000, 0), "b": (5_000, 0)}),
        ("tell", 0, 0, {"a": (8_000, 0), "b": (2_000, 0)}),  # what one line gives back the other one may take
        ("put_off", 3),
        ("give_back", 0, "a", 8_000, "refund"),
        ("tell", 1, 1, {"a": (6_000, 0)}),  # told of in the same breath in which the budget got something back
        ("tell", 2, 1, {"a": (6_000, 0)}),
    ],
    together=True,
    seed=2,
)
async def test_every_line_has_what_budgets_and_caps_leave_of_it_to_the_unit(
    sharers: list[Person],
    rate: int,
    currency: str,
    first: tuple[dict[str, int], str],
    filled: int | None,
    what: list[tuple],
    together: bool,
    seed: int,
):
    history = History(sharers, currency, together=together)
    history.limits = Limits()
    await history.begin(rate)
    await history.change_limits(*first)
    if filled is not None:
        await history.fill_budget("autumn", filled)
    try:
        for one in what:
            await live_through(history, [one])
            await everyone_has_what_is_left(history)
        again = history.facts * 2
        random.Random(seed).shuffle(again)
        # What was free when the last fact came may be taken by who is looked at once more; never by a fact told twice.
        await history.replay(again)
        await everyone_has_what_is_left(history)
        await steps_are_lawful(history)
        await nobody_is_paid_twice(history)
    finally:
        clock.travel_home()
        await forget_jobs()


async def everyone_has_what_is_left(history: History) -> None:
    assert history.limits is not None
    rows = await history.commissions()
    has = {(int(row["order_ref"][1:]), row["line_ref"]): row["standing"] for row in rows}
    assert has == history.limits.standing()
    sharers = {(int(row["order_ref"][1:]), row["member_id"]) for row in rows}
    assert sharers == {
        (number, history.sharers[known.sharer].id)
        for number, known in history.orders.items()
        if known.sharer is not None and any(n == number for n, _line in has)
    }
    kept = await db.fetch(
        """SELECT l.kind, l.used, l.most,
                  (SELECT coalesce(sum(c.reserved), 0)::bigint FROM commission_limit_use u
                     JOIN commission c ON c.id = u.commission_id WHERE u.limit_id = l.id) AS reserved
             FROM commission_limit l JOIN program p ON p.id = l.program_id WHERE p.store_id = $1""",
        history.store["id"],
    )
    assert all(row["used"] == row["reserved"] <= row["most"] for row in kept)
    purses = [(purse[0], history.limits.used[purse], most) for purse, most in history.limits.most.items()]
    assert sorted((row["kind"], row["used"], row["most"]) for row in kept) == sorted(purses)
