"""Caps and budgets: never overspent, given in part, taken back with the refund; whatever comes in whatever order."""

import asyncio
import itertools
import random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import db
from referrals.commissions.holds import reject
from referrals.commissions.limits import set_budget
from referrals.commissions.service import settle
from referrals.programs.terms import Caps, Rule, Terms
from tests.conftest import examples
from tests.factories import Browser, a_member
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_line, a_shop_that_pays, give_back, limits_of, sell

pytestmark = pytest.mark.anyio
_numbers = itertools.count(1)


async def program_id(slug: str = "north") -> int:
    found: int = await db.fetch_val(
        "SELECT p.id FROM program p JOIN store s ON s.id = p.store_id WHERE s.slug = $1", slug
    )
    return found


async def test_an_order_pays_no_more_than_its_cap_and_a_refund_takes_back_its_part_of_that(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", caps=Caps(order=1500)))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line("l1", 10_000), a_line("l2", 10_000))
    assert await standing(kol) == {("pending", "USD"): 1500}
    await give_back(shop, "1", "r1", 5_000, line="l2")
    assert await standing(kol) == {("pending", "USD"): 1250}
    await give_back(shop, "1", "r2", 5_000, line="l2")
    await give_back(shop, "1", "r3", 10_000, line="l1")
    assert await standing(kol) == {}
    assert [used for used, _most in (await limits_of(shop)).values()] == [0]
    await books_are_right()


async def test_a_day_and_a_month_and_a_customer_have_their_most(web: Browser):
    kol, other = await a_member("kol"), await a_member("other")
    shop = await a_shop_that_pays(Terms(currency="USD", caps=Caps(day=2500, month=4000, customer=1800)))
    mine, theirs = await a_click(web, kol, shop), await a_click(web, other, shop)
    await sell(shop, mine, "1", a_line(gross=10_000), buyer="bob")
    await sell(shop, mine, "2", a_line(gross=10_000), buyer="bob")
    assert await standing(kol) == {("pending", "USD"): 1800}, "bob is used up"
    await sell(shop, mine, "3", a_line(gross=10_000), buyer="eve")
    assert await standing(kol) == {("pending", "USD"): 2500}, "the day is used up"
    await sell(shop, theirs, "4", a_line(gross=10_000), buyer="eve")
    assert await standing(other) == {("pending", "USD"): 1000}, "another member has a day of their own"
    await books_are_right()


async def test_a_budget_pays_what_is_left_and_then_stops(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", budget="Launch"))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "0", buyer="ann")
    assert await standing(kol) == {}, "a budget that nobody opened is empty"
    await set_budget(await program_id(), "Launch", 2500, "USD")
    for number, buyer in enumerate(("bob", "eve", "joe", "sue"), 1):
        await sell(shop, gv, str(number), buyer=buyer)
    assert await standing(kol) == {("pending", "USD"): 2500}
    assert await limits_of(shop) == {"budget Launch": (2500, 2500)}
    await give_back(shop, "1", "r1", 10_000)
    assert await limits_of(shop) == {"budget Launch": (1500, 2500)}
    await sell(shop, gv, "5", buyer="max")
    assert await standing(kol) == {("pending", "USD"): 2500}, "what came back may be granted again"
    await books_are_right()


async def test_a_spent_campaign_leaves_the_plain_rate(web: Browser):
    kol = await a_member("kol")
    terms = Terms(currency="USD", rules=[Rule(name="Launch week", rate_bps=5000, budget="Launch")])
    shop = await a_shop_that_pays(terms)
    await set_budget(await program_id(), "Launch", 7000, "USD")
    gv = await a_click(web, kol, shop)
    for number, buyer in enumerate(("bob", "eve", "joe"), 1):
        await sell(shop, gv, str(number), buyer=buyer)
    rows = await db.fetch("SELECT rule, granted FROM commission ORDER BY id")
    assert [(row["rule"], row["granted"]) for row in rows] == [
        ("Launch week", 5000),
        ("Launch week", 2000),
        ("plain", 1000),
    ]
    await books_are_right()


async def test_a_budget_is_never_lowered_below_what_was_granted(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", budget="Launch"))
    await set_budget(await program_id(), "Launch", 5000, "USD")
    await sell(shop, await a_click(web, kol, shop), "1")
    assert await set_budget(await program_id(), "Launch", 10, "USD") == 1000
    assert await limits_of(shop) == {"budget Launch": (1000, 1000)}


async def test_limits_in_one_currency_do_not_let_another_one_pass(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="EUR", caps=Caps(order=1)))
    await sell(shop, await a_click(web, kol, shop), "1")
    assert await standing(kol) == {}
    await books_are_right()


async def test_fifty_orders_at_once_cannot_overspend_a_budget(web: Browser):
    kol, other = await a_member("kol"), await a_member("other")
    terms = Terms(currency="USD", budget="Launch", caps=Caps(order=900, month=21_000, customer=5_000))
    shop = await a_shop_that_pays(terms)
    await set_budget(await program_id(), "Launch", 33_333, "USD")
    clicks = [await a_click(web, kol, shop), await a_click(web, other, shop)]
    orders = [await sell(shop, clicks[n % 2], str(n), buyer=f"buyer{n % 12}", settled=False) for n in range(50)]
    await asyncio.gather(*(settle(order_id) for order_id in orders * 2))
    got = [(await standing(person)).get(("pending", "USD"), 0) for person in (kol, other)]
    assert sum(got) == 33_333 and max(got) <= 21_000
    limits = await limits_of(shop)
    assert limits["budget Launch"] == (33_333, 33_333)
    assert all(used <= most for used, most in limits.values())
    await books_are_right()


histories = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 20_000), st.lists(st.integers(1, 12_000), max_size=3)),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=examples(20),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    told=histories,
    cap=st.sampled_from([Caps(order=700), Caps(day=900), Caps(month=1_500, order=333), Caps(customer=501), Caps()]),
    rule=st.sampled_from([[], [Rule(name="each", kind="flat", amount=333)], [Rule(name="odd", rate_bps=3333)]]),
    budget=st.sampled_from([0, 1_000, 10**9]),
    seed=st.integers(0, 10**6),
)
async def test_whatever_happens_limits_hold_and_a_full_refund_leaves_nothing(
    web: Browser, told: list, cap: Caps, rule: list, budget: int, seed: int
):
    """Orders and refunds in any order and twice: no limit is passed, `used` is what is reserved, and everything that
    is given back in full leaves nothing on anybody's account."""
    name = f"s{next(_numbers)}"
    kol = await a_member(f"kol-{name}")
    terms = Terms(currency="USD", caps=cap, rules=rule, budget="all" if budget else "")
    shop = await a_shop_that_pays(terms, name)
    if budget:
        await set_budget(await program_id(name), "all", budget, "USD")
    gv = await a_click(web, kol, shop)
    events: list = []
    for number, (buyer, gross, backs) in enumerate(told):
        events.append(("sell", number, buyer, gross))
        events += [("back", number, f"r{number}-{n}", amount) for n, amount in enumerate(backs)]
    shuffled = events * 2
    random.Random(seed).shuffle(shuffled)
    for kind, number, what, amount in shuffled:
        if kind == "sell":
            await sell(shop, gv, str(number), a_line(gross=amount, quantity=2), buyer=f"b{what}")
        else:
            await give_back(shop, str(number), what, amount)
    await limits_of(shop)
    rows = await db.fetch(
        "SELECT c.* FROM commission c JOIN orders o ON o.id = c.order_id WHERE o.store_id = $1", shop.id
    )
    for row in rows:
        assert (
            0 <= (row["reserved"] if row["reserved"] is not None else row["granted"]) <= row["granted"] <= row["base"]
        )
    await books_are_right()
    for number, (_buyer, gross, _backs) in enumerate(told):
        await give_back(shop, str(number), f"all-{number}", gross, quantity=2)
    assert await standing(kol) == {}
    assert all(used == 0 for used, _most in (await limits_of(shop)).values())
    await books_are_right()


async def test_what_is_rejected_is_free_for_others(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", budget="Launch", caps=Caps(day=1_000)))
    await set_budget(await program_id(), "Launch", 1_000, "USD")
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1")
    async with db.transaction():
        await reject([await db.fetch_val("SELECT id FROM commission")], "confirmed")
    assert (await limits_of(shop))["budget Launch"] == (0, 1_000)
    await books_are_right()
    await sell(shop, gv, "2", buyer="eve")
    assert await standing(kol) == {("pending", "USD"): 1_000}
    await settle(await db.fetch_val("SELECT id FROM orders WHERE external_id = '1'"))
    assert await standing(kol) == {("pending", "USD"): 1_000}
    await books_are_right()


async def test_a_price_told_lower_later_pays_no_more_than_it_asks_for_under_a_cap_too(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", caps=Caps(order=333)))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line("l1", 10_625))
    assert await standing(kol) == {("pending", "USD"): 333}
    await sell(shop, gv, "1", a_line("l1", 49))
    assert await standing(kol) == {("pending", "USD"): 5}
    await books_are_right()


async def test_a_price_told_higher_under_a_full_cap_is_no_error_in_the_books(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", caps=Caps(order=1_000)))
    gv = await a_click(web, kol, shop)
    await sell(shop, gv, "1", a_line("l1", 10_000))
    await sell(shop, gv, "1", a_line("l1", 30_000))
    assert await standing(kol) == {("pending", "USD"): 1_000}
    await books_are_right()
