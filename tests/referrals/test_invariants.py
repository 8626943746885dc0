"""Whatever happens in whatever order, the books say what the facts ask for, and nobody is paid a cent too much.

Histories are made up by Hypothesis and judged by a plain reckoning (histories.py). `--deep` tries 100,000 of them.
"""

import random
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from tests.conftest import examples
from tests.factories import Person, a_member
from tests.referrals.cast import books_are_right
from tests.referrals.histories import SHARERS, History

pytestmark = pytest.mark.anyio

# Where a commission may go from where.
STEPS = {
    "": {"pending"},
    "pending": {"held", "approved", "reversed", "rejected"},
    "held": {"pending", "rejected"},
    "approved": {"held", "allocated", "reversed", "rejected"},
    "allocated": {"approved", "paid"},
    "paid": {"approved"},
    "reversed": {"pending"},
    "rejected": set(),
}

amounts = st.one_of(st.integers(0, 30_000), st.sampled_from([0, 1, 5, 50, 333, 9_999, 10_000]))
line_names = st.sampled_from(["a", "b"])
numbers = st.integers(0, 1)
priced = st.tuples(amounts, st.sampled_from([0, 0, 1, 500])).map(lambda line: (line[0], min(line)))
lines = st.dictionaries(line_names, priced, min_size=1)
rates = st.sampled_from([0, 1, 333, 1000, 2500, 10_000])
happenings = st.one_of(
    st.tuples(st.just("tell"), numbers, st.sampled_from([None, *range(SHARERS)]), lines),
    st.tuples(st.just("tell"), numbers, st.integers(0, SHARERS - 1), lines),
    st.tuples(st.just("give_back"), numbers, line_names, amounts, st.sampled_from(["refund", "exchange", "cancel"])),
    st.tuples(st.just("give_back"), numbers, line_names, amounts, st.sampled_from(["chargeback", "dispute_won"])),
    st.tuples(st.just("cancel"), numbers),
    st.tuples(st.just("change_rules"), rates),
    st.tuples(st.just("pass_days"), st.sampled_from([1, 13, 14, 90])),
    st.tuples(st.just("release")),
    st.tuples(st.just("judge"), st.integers(0, 5), st.sampled_from(["hold", "lift", "reject"])),
    st.tuples(st.just("ask_for_payout"), st.integers(0, SHARERS - 1)),
    st.tuples(st.just("pay")),
    st.tuples(st.just("pay_day"), st.integers(0, SHARERS - 1)),
    st.tuples(st.just("fail")),
)


@pytest.fixture
async def sharers(house: object) -> AsyncIterator[list[Person]]:
    """The same people for every history; when all have run, the whole of the books is verified."""
    yield [await a_member(f"sharer-{n}") for n in range(SHARERS)]
    clock.travel_home()
    await books_are_right()


# Without shrinking: each example is a whole history against the database.
@settings(
    max_examples=examples(2000),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    rate=rates,
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
    what=st.lists(happenings, min_size=3, max_size=9),
    together=st.booleans(),
    seed=st.integers(0, 10**6),
)
async def test_what_stands_is_what_the_facts_ask_for(
    sharers: list[Person], rate: int, currency: str, what: list[tuple], together: bool, seed: int
):
    history = History(sharers, currency, together=together)
    await history.begin(rate)
    await live_through(history, what)
    try:
        await everything_holds(history)
        before = await history.entries()
        again = history.facts * 2
        random.Random(seed).shuffle(again)
        await history.replay(again)
        assert await history.entries() == before, "a replay moved money"
    finally:
        clock.travel_home()
        # Nobody works here: every history settled itself.
        await db.execute("DELETE FROM pgqueuer")


async def everything_holds(history: History) -> None:
    rows = await history.commissions()
    expected = {
        (f"o{number}", line): (known.sharer, amount)
        for number, known in history.orders.items()
        if known.tellings and known.sharer is not None
        for line, amount in known.earns().items()
    }
    standing = {(row["order_ref"], row["line_ref"]): row for row in rows}
    assert len(standing) == len(rows), "two commissions for one line"
    for key, (sharer, amount) in expected.items():
        row = standing.get(key)
        if row is None:
            assert amount == 0, f"nobody was credited for {key}"
            continue
        assert row["member_id"] == history.sharers[sharer].id  # type: ignore[index]
        assert row["standing"] == (0 if row["id"] in history.rejected else amount), key
        assert min(row["in_pending"], row["in_held"], row["in_available"]) >= 0
        assert row["state"] != "held" or row["in_held"] == row["standing"]
    assert all(key in expected for key, row in standing.items() if row["standing"])
    await steps_are_lawful(history)
    await nobody_is_paid_twice(history)


async def steps_are_lawful(history: History) -> None:
    trail = await db.fetch(
        """SELECT e.*, c.hold_until FROM commission_event e JOIN commission c ON c.id = e.commission_id
             JOIN orders o ON o.id = c.order_id WHERE o.store_id = $1 ORDER BY e.commission_id, e.seq""",
        history.store["id"],
    )
    for step in trail:
        assert step["to_state"] in STEPS[step["from_state"]], (step["from_state"], step["to_state"])
        if step["from_state"] == "pending" and step["to_state"] == "approved":
            assert step["at"] >= step["hold_until"], "released before its hold was over"


async def nobody_is_paid_twice(history: History) -> None:
    payouts = await db.fetch(
        """SELECT p.amount, p.state, sum(i.amount)::bigint AS items,
                  count(*) FILTER (WHERE i.active) AS active
             FROM payout p JOIN payout_item i ON i.payout_id = p.id WHERE p.store_id = $1 GROUP BY p.id""",
        history.store["id"],
    )
    for payout in payouts:
        assert payout["amount"] == payout["items"]
        assert bool(payout["active"]) == (payout["state"] in ("claimed", "approved", "submitted"))
    books = await db.fetch_one(
        """SELECT coalesce(sum(e.amount) FILTER (WHERE a.kind = 'commission_expense'), 0)::bigint AS spent,
                  coalesce(sum(e.amount), 0)::bigint AS total
             FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE e.transaction_id IN (
                  SELECT t.id FROM ledger_transaction t JOIN commission c ON c.id = t.ref_id
                    JOIN orders o ON o.id = c.order_id WHERE t.ref_type = 'commission' AND o.store_id = $1)""",
        history.store["id"],
    )
    assert books is not None and books["total"] == 0
    gone = sum(payout["amount"] for payout in payouts if payout["active"] or payout["state"] == "settled")
    rows = await history.commissions()
    owed_back = -sum(row["standing"] - row["in_pending"] - row["in_held"] - row["in_available"] for row in rows) + gone
    # What was paid out, or is on its way, and not earned any more stands as a debt; never less than nothing was earned.
    assert books["spent"] >= 0 and owed_back >= 0


@settings(
    max_examples=examples(20),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(what=st.lists(happenings, min_size=4, max_size=9), seed=st.integers(0, 10**6))
async def test_erasing_a_person_changes_no_entry_and_no_hash(house: object, what: list[tuple], seed: int):
    """Whoever is erased leaves their money in the books under a number, and replays still move nothing."""
    from app.people import erase

    leaving = [await a_member() for _ in range(SHARERS)]
    history = History(leaving, "USD")
    await history.begin(1000)
    await history.tell(0, 0, {"a": (9_999, 0)})
    await live_through(history, what)
    before, chain = await history.entries(), await the_chain()
    try:
        await erase(leaving[seed % SHARERS].handle)
        assert await history.entries() == before and await the_chain() == chain
        await history.replay(history.facts)
        assert await history.entries() == before
        await books_are_right()
    finally:
        # Not before: whoever is erased today was a member when last month's orders came.
        clock.travel_home()
        await db.execute("DELETE FROM pgqueuer")


async def the_chain() -> list[tuple[int, bytes]]:
    return [tuple(row) for row in await db.fetch("SELECT id, hash FROM ledger_transaction ORDER BY id")]


async def live_through(history: History, what: list[tuple]) -> None:
    for name, *words in what:
        if name in ("pay", "fail"):
            await history.end_payouts(well=name == "pay")
        else:
            await getattr(history, name)(*words)
