"""Made-up orders of made-up people: whoever bought, brought whom or decided, they come to the same in any company and
one by one."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from referrals.commissions import limits, together
from referrals.commissions.holds import reject
from referrals.commissions.within import BudgetMoved
from referrals.programs.policy import Policy
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, Friend, Recruiting, Rule, Terms
from tests.conftest import examples
from tests.factories import Browser, Person, a_member
from tests.referrals.cast import books_are_right
from tests.referrals.quick import a_quick_click
from tests.referrals.test_rules import brought
from tests.referrals.test_together import change, what_comes_of
from tests.referrals.test_together_whoever import a_customer, a_person_says, one_by_one, shut_out
from tests.storefront.shop import Shop, a_shop

pytestmark = pytest.mark.anyio

TERMS = st.builds(
    lambda pays_for, n, share, caps, budget, rules, friend: Terms(
        currency="USD",
        market="US",
        pays_for=pays_for,
        pays_for_n=n,
        recruiting=Recruiting(share, 12) if share else None,
        caps=caps,
        budget=budget,
        rules=rules,
        friend=friend,
    ),
    st.sampled_from(["every_order", "first_order", "new_customer", "first_orders", "first_months"]),
    st.sampled_from([1, 2]),
    st.sampled_from([0, 1, 1000, 5000]),
    st.one_of(
        st.just(Caps()),
        st.builds(Caps, *(st.sampled_from([0, 0, 1, 400, 1_000]) for _cap in ("order", "customer", "day", "month"))),
    ),
    st.sampled_from(["", "", "winter"]),
    st.sampled_from([[], [], [Rule("autumn", "product", "SKU-1", "percent", 2000, budget="autumn")]]),
    st.sampled_from([None, None, Friend("percent", 500)]),
)
SOLD = st.tuples(
    st.sampled_from([None, 0, 0, 1, 2]),  # whose link led there
    st.sampled_from([None, 0, 0, 1, 2, 3]),  # who bought
    st.sampled_from([-40, -1, 0, 0, 1]),  # the days from now on which it was paid
    st.lists(
        st.tuples(st.sampled_from(["SKU-1", "shoes"]), st.sampled_from([40, 5_555, 10_000])), min_size=1, max_size=2
    ),
)
NUMBERS = st.integers(0, 4)
AMOUNTS = st.sampled_from([1, 777, 10_000])
HIGHEST = 20_000
TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), NUMBERS, st.integers(0, 1), AMOUNTS),
        st.tuples(st.just("price"), NUMBERS, st.integers(0, 1), st.sampled_from([0, 4_000, HIGHEST])),
        st.tuples(st.just("price"), NUMBERS, st.integers(0, 1), st.just(HIGHEST)),
        st.tuples(st.just("cancel"), NUMBERS, st.just(0), st.just(0)),
        st.tuples(st.just("a person says"), NUMBERS, st.sampled_from([None, 0, 1, 2, 3]), st.just(0)),
        st.tuples(st.just("a person says"), NUMBERS, st.sampled_from([1, 2]), st.just(0)),
        st.tuples(st.just("withdrawn"), NUMBERS, st.just(0), st.just(0)),
        st.tuples(st.just("shut out"), st.integers(0, 3), st.sampled_from([-50, 0]), st.just(0)),
        st.tuples(st.just("rejected"), st.integers(0, 2), st.just(0), st.just(0)),
        st.tuples(st.just("years"), st.just(0), st.just(0), st.just(0)),
    ),
    max_size=4,
)


@settings(
    max_examples=examples(60),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    terms=st.lists(TERMS, min_size=1, max_size=2),
    threshold=st.sampled_from([None, 0, 6_000]),
    sold=st.lists(SOLD, min_size=2, max_size=5),
    turns=TURNS,
    cuts=st.sets(st.integers(1, 4), max_size=2),
    budgets=st.tuples(*[st.sampled_from([None, 0, 700, 1_500, 90_000])] * 2),
)
async def test_in_any_company_and_alone_they_come_to_the_same_whoever_bought_brought_or_decided(
    web: Browser, terms: list[Terms], threshold: int | None, sold: list, turns: list, cuts: set, budgets: tuple
):
    from tests.conftest import sweep

    await sweep()
    shop, people, ids = await some_orders(terms, Policy(second_approver_from=threshold), sold, budgets)
    companies = [
        part for part in (ids[i:j] for i, j in zip([0, *sorted(cuts)], [*sorted(cuts), 9], strict=True)) if part
    ]
    frees_nothing = True
    for turn in [None, *turns]:
        if turn:
            await happens(shop, people, ids, turn)
            frees_nothing = frees_nothing and (turn[0], turn[3]) == ("price", HIGHEST)
        alone = await what_comes_of(ids, lambda: one_by_one(ids))
        for some in (companies, [ids]):
            assert alone == await what_comes_of(ids, lambda some=some: in_companies(some))
        if frees_nothing:
            assert alone == await what_comes_of(ids, lambda: twice(ids)), "settled again, nothing moves"
            assert alone == await what_comes_of(ids, lambda: in_companies([ids, ids]))
        for some in companies:
            try:
                async with db.transaction():
                    assert await together._settle_together(some) == [], "none of these has to go alone"
            except BudgetMoved:
                await together.settle_all(some)
    await books_are_right()


async def some_orders(
    terms: list[Terms], policy: Policy, sold: list, budgets: tuple
) -> tuple[Shop, list[Person], list[int]]:
    """Orders under one version of the rules or two. top brought mara, who brought ben; cora brought herself to nobody,
    and the fourth is whoever decides. One of the buyers is top, one buys elsewhere too, two share a mailbox."""
    people = [await a_member(name) for name in ("mara", "ben", "cora", "top", "ines")]
    mara, ben, cora, top, _ines = people
    for member, by in ((mara, top), (ben, mara), (cora, top)):
        await brought(member, by)
    shop, elsewhere = await a_shop("north"), await a_shop("south")
    buyers = [
        await a_customer(shop, "anna", mailbox="anna"),
        await a_customer(shop, "annas other", mailbox="anna", email="both"),
        await a_customer(shop, "top", member=top),
        await a_customer(shop, "guest", email="both"),
    ]
    there, ids = await a_customer(elsewhere, "both", email="both"), []
    for number, version in enumerate(terms):
        await publish_rules(shop.slug, Rules(rate_bps=1000, window_days=90), terms=version, policy=policy)
        if number == 0:
            links = [await a_quick_click(shop, one) for one in (mara, ben, cora)]
            await an_order(elsewhere, "there", None, there, clock.now() - timedelta(days=2), [("shoes", 100)])
        half = len(sold) // len(terms)
        for n in range(number * half, len(sold) if number == len(terms) - 1 else half):
            link, buyer, days, wares = sold[n]
            gv, customer_id = None if link is None else links[link], None if buyer is None else buyers[buyer]
            ids.append(await an_order(shop, f"o{n}", gv, customer_id, clock.now() + timedelta(days=days), wares))
    for name, most in zip(("autumn", "winter"), budgets, strict=True):
        if most is not None:
            await limits.set_budget(await db.fetch_val("SELECT id FROM program"), name, most, "USD")
    return shop, people, ids


async def an_order(
    shop: Shop, name: str, gv: UUID | None, customer_id: int | None, paid_at: datetime, wares: list
) -> int:
    """First heard of now, whenever it was paid."""
    now = clock.now()
    order_id: int = await db.fetch_val(
        """INSERT INTO orders (store_id, external_id, currency, placed_at, paid_at, gv, codes, shipping,
                               source_updated_at, created_at, customer_id)
           VALUES ($1, $2, 'USD', $3, $4, $5, '[]', 0, $3, $3, $6) RETURNING id""",
        shop.id,
        name,
        now,
        paid_at,
        gv,
        customer_id,
    )
    for place, (product, gross) in enumerate(wares):
        await db.execute(
            """INSERT INTO order_line (order_id, external_id, external_product_id, quantity, gross, discount, tax)
               VALUES ($1, $2, $3, 1, $4, 0, 0)""",
            order_id,
            f"l{place}",
            product,
            gross,
        )
    return order_id


async def happens(shop: Shop, people: list[Person], ids: list[int], turn: tuple) -> None:
    name, n, which, _amount = turn
    order_id = ids[n % len(ids)]
    if name == "a person says":
        await a_person_says(order_id, None if which is None else people[which], people[4])
    elif name == "withdrawn":
        await db.execute(
            """UPDATE attribution_override SET state = 'withdrawn', withdrawn_by = proposed_by, withdrawn_at = $2
                WHERE order_id = $1 AND state IN ('proposed', 'in_force')""",
            order_id,
            clock.now(),
        )
    elif name == "shut out":
        await shut_out(people[n], clock.now() + timedelta(days=which))
    elif name == "rejected":
        known = [row["id"] for row in await db.fetch("SELECT id FROM commission ORDER BY id")]
        async with db.transaction():
            await reject(known[n : n + 1], "case")
    elif name == "years":
        await db.execute("UPDATE recruit SET since = since - interval '2 years'")
    else:
        await change(shop, people[0], ids, turn)


async def twice(ids: list[int]) -> None:
    await one_by_one(ids)
    await one_by_one(ids)


async def in_companies(companies: list[list[int]]) -> None:
    for some in companies:
        await together.settle_all(some)
