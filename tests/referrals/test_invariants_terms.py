"""The histories of test_invariants.py under terms: parts for helpers, caps, a month's volume, and people who leave."""

from collections.abc import AsyncIterator
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app import clock, db
from referrals.programs.policy import Policy
from referrals.programs.terms import Step, Terms, Volume
from tests.factories import Person, a_member
from tests.referrals.cast import books_are_right
from tests.referrals.histories import SHARERS, History
from tests.referrals.quick import cheap_passwords, forget_jobs, generated, run_jobs_of
from tests.referrals.test_invariants import (
    everything_holds,
    happenings,
    live_through,
    nobody_is_paid_twice,
    steps_are_lawful,
    the_chain,
)

pytestmark = pytest.mark.anyio

credited = happenings.filter(lambda one: one[0] != "judge" and one[:3:2] != ("tell", None))
at_one_rate = happenings.filter(lambda one: one[0] != "change_rules")
caps = st.tuples(st.just("change_cap"), st.sampled_from([0, 1, 333, 1000]))
leaving = st.tuples(st.just("erase"), st.integers(0, SHARERS - 1))
currencies = st.sampled_from(["USD", "JPY", "KWD"])


@pytest.fixture
async def sharers(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Person]]:
    cheap_passwords(monkeypatch)
    yield [await a_member(f"sharer-{n}") for n in range(SHARERS)]
    clock.travel_home()
    await books_are_right()


@generated(60)
@given(
    introducer=st.sampled_from([1, 1000, 3333]),
    currency=currencies,
    what=st.lists(credited, min_size=3, max_size=8),
    together=st.booleans(),
)
@example(
    introducer=3333,
    currency="USD",
    what=[
        ("tell", 0, 1, {"a": (9_999, 0)}),
        ("give_back", 0, "a", 333, "refund"),
        ("pass_days", 14),
        ("release",),
        ("ask_for_payout", 0),
        ("pay",),
        ("give_back", 0, "a", 4_321, "refund"),
    ],
    together=True,
)
async def test_the_parts_of_a_line_are_all_of_it_and_each_is_its_own_to_the_unit(
    sharers: list[Person], introducer: int, currency: str, what: list[tuple], together: bool
):
    policy = Policy(assist_bps={"introducer": introducer})
    history = History(sharers, currency, together=together, policy=policy, buyer=await a_member())
    await history.begin(1000)
    try:
        await live_through(history, what)
        parts: dict[tuple[str, str], dict[int, int]] = {}
        for row in await history.commissions():
            parts.setdefault((row["order_ref"], row["line_ref"]), {})[row["member_id"]] = row["standing"]
        for number, known in history.orders.items():
            for line, amount in known.earns().items() if known.tellings else ():
                got = parts.pop((f"o{number}", line), {})
                assert sum(got.values()) == amount, (number, line)
                part = got.get(sharers[0].id, 0)
                exact = Fraction(amount * (introducer if known.sharer else 10_000), 10_000)
                assert abs(part - exact) < 1 and set(got) <= {sharers[0].id, sharers[known.sharer or 0].id}
        assert not any(sum(got.values()) for got in parts.values())
        await steps_are_lawful(history)
        await nobody_is_paid_twice(history)
    finally:
        clock.travel_home()
        await forget_jobs()


@generated(60)
@given(
    cap=st.sampled_from([0, 1, 333, 1000]),
    currency=currencies,
    what=st.lists(st.one_of(happenings, caps), min_size=3, max_size=8),
    together=st.booleans(),
)
@example(
    cap=1000,
    currency="USD",
    what=[
        ("tell", 0, 0, {"a": (9_999, 0), "b": (10_000, 1)}),
        ("change_cap", 1),
        ("give_back", 0, "b", 5_000, "refund"),
        ("tell", 1, 1, {"a": (9_999, 0)}),
        ("tell", 0, 0, {"a": (30_000, 0)}),
    ],
    together=False,
)
async def test_no_order_pays_more_than_the_cap_it_was_first_heard_under(
    sharers: list[Person], cap: int, currency: str, what: list[tuple], together: bool
):
    history = History(sharers, currency, together=together)
    await history.begin(1000)
    await history.change_cap(cap)
    try:
        await live_through(history, what)
        rows = await history.commissions()
        for number, known in history.orders.items():
            mine = {row["line_ref"]: row for row in rows if row["order_ref"] == f"o{number}"}
            if not known.tellings or known.sharer is None:
                assert not any(row["standing"] for row in mine.values())
                continue
            earns = known.earns()
            got = {line: row["standing"] for line, row in mine.items()}
            assert not known.cap or sum(got.values()) <= known.cap, (number, got)
            for line, amount in earns.items():
                rejected = line in mine and mine[line]["id"] in history.rejected
                assert 0 <= got.get(line, 0) <= (0 if rejected else amount), (number, line)
                if not known.is_bound and not rejected:
                    assert got.get(line, 0) == amount, "nothing was in the way"
        over = await db.fetch_val(
            """SELECT count(*) FROM commission_limit l JOIN program p ON p.id = l.program_id
                WHERE p.store_id = $1 AND (l.used > l.most OR l.used <> (
                      SELECT coalesce(sum(c.reserved), 0) FROM commission_limit_use u
                        JOIN commission c ON c.id = u.commission_id WHERE u.limit_id = l.id))""",
            history.store["id"],
        )
        assert over == 0
        await steps_are_lawful(history)
        await nobody_is_paid_twice(history)
    finally:
        clock.travel_home()
        await forget_jobs()


@generated(60)
@given(
    mode=st.sampled_from(["marginal", "retroactive"]),
    steps=st.sampled_from([[(1, 1500)], [(5_000, 2000), (12_000, 3333)], [(9_999, 1001)], [(1, 500), (20_000, 9_999)]]),
    currency=currencies,
    what=st.lists(at_one_rate, min_size=3, max_size=8),
    together=st.booleans(),
)
async def test_a_months_volume_adds_what_is_left_of_its_sales_asks_for(
    sharers: list[Person],
    mode: str,
    steps: list[tuple[int, int]],
    currency: str,
    what: list[tuple],
    together: bool,
):
    volume = Volume(mode, [Step(above, rate) for above, rate in steps])  # type: ignore[arg-type]
    history = History(sharers, currency, together=together, terms=Terms(currency=currency, volume=volume))
    await history.begin(1000)
    try:
        for one in what:
            await live_through(history, [one])
            await run_jobs_of("referrals.commissions")
        await everything_holds(history)
        sold: dict[tuple[int, str], int] = {}
        for row in await history.commissions():
            known = history.orders[int(row["order_ref"][1:])]
            if row["id"] in history.rejected or known.is_cancelled or not known.tellings or known.sharer is None:
                continue
            key = (known.sharer, known.month)
            sold[key] = sold.get(key, 0) + known.left()[row["line_ref"]]
        rows = await db.fetch(
            """SELECT c.source, coalesce(sum(e.amount), 0)::bigint AS standing FROM commission c
                 JOIN program_version v ON v.id = c.program_version_id JOIN program p ON p.id = v.program_id
                 JOIN ledger_transaction t ON t.ref_type = 'commission' AND t.ref_id = c.id
                 JOIN ledger_entry e ON e.transaction_id = t.id
                 JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'commission_expense'
                WHERE p.store_id = $1 AND c.source LIKE 'volume:%' GROUP BY 1""",
            history.store["id"],
        )
        added = {tuple(row["source"].split(":")[2:4]): row["standing"] for row in rows}
        for (sharer, month), net in sold.items():
            asked = addition(mode, steps, 1000, net)
            assert added.pop((str(sharers[sharer].id), month), 0) == asked, (sharer, month, net)
        assert not any(added.values())
    finally:
        clock.travel_home()
        await forget_jobs()


def addition(mode: str, steps: list[tuple[int, int]], plain: int, sold: int) -> int:
    """By the words of docs/MONEY.md: the part above each step, or the whole month, at the step's rate."""
    if mode == "retroactive":
        rate = max([plain, *[rate for above, rate in steps if sold >= above][-1:]])
        return round(Fraction(sold * (rate - plain), 10_000))
    more = Fraction(0)
    for n, (above, rate) in enumerate(steps):
        upto = steps[n + 1][0] if n + 1 < len(steps) else sold
        more += Fraction(max(0, min(sold, upto) - above) * max(0, rate - plain), 10_000)
    return round(more)


@generated(20)
@given(
    what=st.lists(st.one_of(happenings, leaving), min_size=4, max_size=9),
    together=st.booleans(),
)
@example(
    what=[
        ("tell", 0, 0, {"a": (9_999, 0)}),
        ("erase", 0),
        ("tell", 0, 0, {"a": (5_000, 0)}),
        ("give_back", 0, "a", 333, "refund"),
        ("tell", 1, 0, {"a": (9_999, 0)}),
        ("pass_days", 14),
        ("release",),
        ("erase", 1),
        ("tell", 1, 1, {"b": (9_999, 0)}),
    ],
    together=True,
)
async def test_whoever_leaves_keeps_what_was_theirs_and_earns_nothing_after(
    house: object, monkeypatch: pytest.MonkeyPatch, what: list[tuple], together: bool
):
    cheap_passwords(monkeypatch)
    history = History([await a_member() for _ in range(SHARERS)], "USD", together=together)
    await history.begin(1000)
    try:
        for one in what:
            before, chain = await history.entries(), await the_chain()
            await live_through(history, [one])
            if one[0] == "erase":
                assert await history.entries() == before and await the_chain() == chain
        await everything_holds(history)
        await books_are_right()
    finally:
        clock.travel_home()
        await forget_jobs()
