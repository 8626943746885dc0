"""Many orders at once: the same commissions as one by one, with queries that do not grow with them."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db
from referrals.attribution import overrides
from referrals.attribution.overrides import NewOverride
from referrals.codes.spelling import norm_of
from referrals.commissions import limits, service, soon, together
from referrals.commissions.within import BudgetMoved
from referrals.credit.audit import check_credit_lots
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Caps, CodeRate, Exclusion, Friend, Release, Rule, Step, Terms, Volume, Wait
from tests.conftest import examples
from tests.factories import Browser, Person, a_member
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, line, order, refund

pytestmark = pytest.mark.anyio


async def told_and_not_settled(web: Browser, many: int, **rules: object) -> tuple[Person, Shop, list[int]]:
    """Orders of 100.00 whose facts are here, and of which no job has made money yet."""
    mara, shop = await a_member("mara"), await a_paying_shop(**rules)
    gv = await click(web(), (await a_link(web, mara))["code"])
    from tests.storefront.shop import send

    for n in range(many):
        told = order(f"o{n}", gv=gv, lines=[line(gross=10_000, discount=0)])
        assert (await send(web(), shop, "order.paid", told)).status_code in (200, 202)
    from app import jobs

    # The connectors' jobs run; those that settle are put off.
    while row := await db.fetch_one(
        "DELETE FROM pgqueuer WHERE id = (SELECT min(id) FROM pgqueuer WHERE entrypoint NOT LIKE 'referrals.%')"
        " RETURNING entrypoint, payload"
    ):
        await jobs._work[row["entrypoint"]](row["payload"])
    return mara, shop, [row["id"] for row in await db.fetch("SELECT id FROM orders ORDER BY id")]


async def test_orders_settled_together_earn_what_each_would_alone(web: Browser):
    mara, _shop, ids = await told_and_not_settled(web, 6)
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 6000}
    await books_are_right()
    for order_id in ids:
        await service.settle(order_id)
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 6000}
    events = await db.fetch("SELECT type, count(*) AS many FROM event WHERE type LIKE 'Commission%' GROUP BY 1")
    assert {row["type"]: row["many"] for row in events} == {"CommissionEarned": 6}


async def test_queries_do_not_grow_with_the_orders(web: Browser):
    _mara, _shop, ids = await told_and_not_settled(web, 8)
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    assert len(many) <= len(few) <= 40


async def test_orders_with_a_cap_a_code_a_buyers_side_or_first_ones_are_settled_together(web: Browser):
    mara, shop, ids = await told_and_not_settled(web, 3)
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=Terms(currency="USD", caps=Caps(order=500)))
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order("capped", gv=gv))
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=Terms(friend=Friend("percent", 500)))
    await tell(web, shop, "order.paid", order("friendly", gv=gv))
    await tell(web, shop, "order.paid", order("coded", gv=gv, codes=["HELLO"]))
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=Terms(pays_for="first_order"))
    await tell(web, shop, "order.paid", order("another", gv=gv))
    ids = [row["id"] for row in await db.fetch("SELECT id FROM orders ORDER BY id")]
    async with db.transaction():
        assert await together._settle_together(ids) == [], "none of them has to go alone"
    await together.settle_all(ids)
    assert await db.fetch_val("SELECT count(*) FROM friend_reward") == 2
    assert await standing(mara) == {("pending", "USD"): 3000 + 500 + 1200 + 1200}
    await books_are_right()


async def test_orders_under_terms_are_settled_together_with_queries_that_do_not_grow(web: Browser):
    release = Release("delivered", 14, 60)
    _mara, _shop, ids = await told_and_not_settled(web, 8, terms=Terms(deny=[BAGS], release=release))
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    assert len(many) <= len(few) <= 40
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    assert len(many) <= len(few) <= 40
    await books_are_right()


async def test_of_many_orders_with_a_code_only_as_many_count_as_it_allows_in_as_many_queries_as_ever(web: Browser):
    _mara, shop, ids = await told_and_not_settled(web, 8)
    ben = await a_member("ben")
    await some_codes(shop, ben)
    await db.execute("""UPDATE orders SET gv = NULL, codes = '["FEW"]'""")
    with db.watch_queries() as few:
        await together.settle_all(ids[:3])
    with db.watch_queries() as many:
        await together.settle_all(ids[3:])
    assert len(many) <= len(few) <= 40
    assert (
        await standing(ben) == {("pending", "USD"): 2_000}
        and await db.fetch_val("SELECT used_total FROM code WHERE text = 'FEW'") == 2
    )
    await asyncio.gather(together.settle_all(ids), together.settle_all(ids[::-1]), service.settle(ids[5]))
    assert await standing(ben) == {("pending", "USD"): 2_000}
    await books_are_right()


async def test_a_cap_holds_for_many_at_once_in_as_many_queries_as_ever_and_a_price_of_nothing_can_be_verified(
    web: Browser,
):
    terms = Terms(currency="USD", caps=Caps(order=900, day=2_500))
    mara, _shop, ids = await told_and_not_settled(web, 8, terms=terms)
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    # Rejecting what found nothing left takes two statements more, for one or for five.
    assert len(many) - 2 <= len(few) <= 50
    assert await standing(mara) == {("pending", "USD"): 2_500}
    await asyncio.gather(together.settle_all(ids), together.settle_all(ids[::-1]), service.settle(ids[2]))
    assert await standing(mara) == {("pending", "USD"): 2_500}
    states = await db.fetch("SELECT granted, state FROM commission ORDER BY id")
    assert [tuple(row) for row in states][:4] == [(900, "pending"), (900, "pending"), (700, "pending"), (0, "rejected")]
    told = await db.fetch_val("SELECT count(*) FROM event WHERE type = 'CommissionEarned'")
    assert told == 3, "nobody hears of what a cap left nothing of"
    await db.execute("UPDATE order_line SET gross = 0, discount = 0 WHERE order_id = $1", ids[0])
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 1_600}
    await books_are_right()


@pytest.mark.parametrize("by", ["programme", "rule"])
async def test_a_budget_runs_out_in_the_middle_of_many_and_nobody_overspends_it(web: Browser, by: str):
    """Two lots of orders are settled at once, and each of them alone besides: the last ones get what is left."""
    rule = [Rule("autumn", "product", "SKU-1", "percent", 2000, budget="autumn")]
    terms = Terms(currency="USD", budget="autumn") if by == "programme" else Terms(currency="USD", rules=rule)
    mara, _shop, ids = await told_and_not_settled(web, 8, terms=terms)
    await limits.set_budget(await db.fetch_val("SELECT id FROM program"), "autumn", 4_500, "USD")
    await asyncio.gather(
        together.settle_all(ids[:5]), together.settle_all(ids[::-1]), *(service.settle(one) for one in ids[3:5])
    )
    budget = await db.fetch_one("SELECT used, most FROM commission_limit WHERE kind = 'budget'")
    assert (budget["used"], budget["most"]) == (4_500, 4_500)
    earned = (await standing(mara))["pending", "USD"]
    # Whoever saw a rest that another one took meanwhile has nothing of it: never more than there was.
    assert earned in ([4_500] if by == "programme" else range(4_500, 4_500 + 1_000 * 5 + 1, 1_000))
    await tell(
        web, _shop, "order.refunded", refund(order_id="o0", lines=[{"id": "l1", "quantity": 1, "amount": 10_000}])
    )
    await together.settle_all(ids)
    assert await db.fetch_val("SELECT used <= most FROM commission_limit WHERE kind = 'budget'")
    await books_are_right()


async def test_who_comes_after_a_budget_has_run_out_in_the_same_company_is_paid_by_the_next_rule(web: Browser):
    rule = [Rule("autumn", "product", "SKU-1", "percent", 2000, budget="autumn")]
    mara, shop, ids = await told_and_not_settled(web, 8, terms=Terms(currency="USD", rules=rule))
    await limits.set_budget(await db.fetch_val("SELECT id FROM program"), "autumn", 4_500, "USD")
    await together.settle_all(ids)
    granted = await db.fetch("SELECT rule, granted FROM commission ORDER BY order_id")
    assert [tuple(row) for row in granted] == [("autumn", 2_000)] * 2 + [("autumn", 500)] + [("plain", 1_000)] * 5
    # What comes back is there for whoever is told next, not for those that were paid by another rule.
    back = refund(order_id="o0", lines=[{"id": "l1", "quantity": 1, "amount": 10_000}])
    await tell(web, shop, "order.refunded", back)
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 2_500 + 5_000}
    assert await db.fetch_val("SELECT most - used FROM commission_limit WHERE kind = 'budget'") == 2_000
    await books_are_right()


async def test_budgets_and_a_buyers_side_cost_the_same_queries_for_two_orders_and_for_six(web: Browser):
    terms = Terms(currency="USD", budget="autumn", friend=Friend("percent", 500, wait_days=1))
    mara, _shop, ids = await told_and_not_settled(web, 8, terms=terms)
    await limits.set_budget(await db.fetch_val("SELECT id FROM program"), "autumn", 90_000, "USD")
    await db.execute(
        """INSERT INTO customer (store_id, external_id, created_at)
           SELECT store_id, 'buyer ' || id, now() FROM orders WHERE id % 2 = 0"""
    )
    await db.execute("UPDATE orders o SET customer_id = c.id FROM customer c WHERE c.external_id = 'buyer ' || o.id")
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    assert len(many) <= len(few) <= 60
    assert await standing(mara) == {("pending", "USD"): 8_000}
    assert await db.fetch_val("SELECT sum(granted) FROM credit_lot") == 500 * 8
    await asyncio.gather(together.settle_all(ids), together.settle_all(ids[::-1]), service.settle(ids[2]))
    assert await db.fetch_val("SELECT sum(granted) FROM credit_lot") == 500 * 8
    assert await check_credit_lots() == []
    await books_are_right()


async def test_a_decision_on_an_order_that_grew_waits_for_a_second_person_in_company_too(web: Browser):
    _mara, shop, ids = await told_and_not_settled(web, 3)
    ines = await a_member("ines")
    ben = await a_member("ben")
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", ines.id, shop.id)
    await db.execute("UPDATE order_line SET gross = 5000 WHERE order_id = $1", ids[1])
    await together.settle_all(ids)
    made = await overrides.propose(ines.viewer, shop.slug, NewOverride("o1", "ben", "They met at our stand."))
    assert made["state"] == "in_force"
    await together.settle_all(ids)
    assert await standing(ben) == {("pending", "USD"): 500}
    await db.execute("UPDATE order_line SET gross = 9000000 WHERE order_id = $1", ids[1])
    await together.settle_all(ids)
    assert await db.fetch_val("SELECT state FROM attribution_override") == "proposed"
    assert await standing(ben) == {}
    await books_are_right()


BAGS = Exclusion("product", "bags")
BPS = st.sampled_from([0, 333, 1000, 9999])
SCOPES = st.sampled_from([("store", ""), ("product", "SKU-1"), ("product", "shoes")])
RULES = st.builds(
    lambda at, kind, bps, amount, tier, n, budget: Rule(
        f"rule {n}", *at, kind, *((bps, 0) if kind == "percent" else (0, amount)), tier=tier, budget=budget
    ),
    SCOPES,
    st.sampled_from(["percent", "flat"]),
    BPS,
    st.sampled_from([1, 250, 90_000]),
    st.sampled_from(["", "", "friend"]),
    st.integers(0, 10**6),
    st.sampled_from(["", "", "autumn"]),
)
TERMS = st.builds(
    lambda rules, denied, sale, steps, release, lowered, caps, budget, friend, waits: Terms(
        waits=waits,
        caps=caps,
        budget=budget,
        friend=friend,
        currency="USD",
        rules=rules,
        codes=[CodeRate("FEW", 250, lowered)] if lowered else [],
        deny=[BAGS] if denied else [],
        sale_bps=sale,
        # Rates by volume and caps cannot be kept to together.
        volume=Volume("marginal", [Step(1, 2000)]) if steps and caps == Caps() else None,
        release=Release("delivered", 14, 60) if release else None,
    ),
    st.lists(RULES, max_size=3, unique_by=lambda rule: rule.name),
    st.booleans(),
    st.sampled_from([0, 1000]),
    st.booleans(),
    st.booleans(),
    st.sampled_from(["", "at_most", "instead"]),
    st.one_of(
        st.just(Caps()),
        st.builds(Caps, *(st.sampled_from([0, 0, 1, 400, 1_000]) for _cap in ("order", "customer", "day", "month"))),
    ),
    st.sampled_from(["", "", "winter"]),
    st.sampled_from([None, None, Friend("percent", 500), Friend("flat", 0, 700, wait_days=2, days=9)]),
    st.lists(st.sampled_from([Wait(90, "product", "shoes"), Wait(3, tier="friend")]), max_size=2, unique_by=str),
)
CODES = st.lists(
    st.sampled_from([[], [], ["FEW"], ["few"], ["ONCE"], ["FEW", "ONCE"], ["OLD"]]), min_size=4, max_size=4
)
WARES = st.lists(
    st.tuples(
        st.sampled_from(["SKU-1", "shoes", "bags", ""]),
        st.integers(1, 3),
        st.sampled_from([0, 1, 5_555, 10_000]),
        st.sampled_from([0, 1, 2_000]),
    ),
    min_size=1,
    max_size=3,
)
TURNS = st.lists(
    st.one_of(
        st.tuples(st.just("refund"), st.integers(0, 3), st.integers(0, 2), st.sampled_from([1, 777, 10_000])),
        st.tuples(st.just("units"), st.integers(0, 3), st.integers(0, 2), st.sampled_from([333, 5_000])),
        st.tuples(st.just("price"), st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 4_000, 20_000])),
        st.tuples(st.just("cancel"), st.integers(0, 3), st.just(0), st.just(0)),
        st.tuples(st.just("delivered"), st.integers(0, 3), st.just(0), st.just(0)),
        st.tuples(st.just("agree"), st.just(0), st.just(0), st.sampled_from([0, 1200])),
        st.tuples(st.just("tier"), st.just(0), st.just(0), st.just(0)),
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
    terms=TERMS,
    baskets=st.lists(WARES, min_size=2, max_size=4),
    turns=TURNS,
    has_rate=st.booleans(),
    codes=CODES,
    clicked=st.lists(st.booleans(), min_size=4, max_size=4),
    budgets=st.tuples(*[st.sampled_from([None, 0, 700, 1_500, 90_000])] * 2),
)
async def test_together_and_one_by_one_come_to_the_same_under_any_terms(
    web: Browser, terms: Terms, baskets: list, turns: list, has_rate: bool, codes: list, clicked: list, budgets: tuple
):
    from tests.conftest import sweep

    await sweep()
    mara, shop = await a_member("mara"), await a_paying_shop(terms=terms)
    if has_rate:
        await change(shop, mara, [], ("agree", 0, 0, 700))
    await some_codes(shop, await a_member("ben"))
    for name, most in zip(("autumn", "winter"), budgets, strict=True):
        if most is not None:  # one that nobody opened has nothing to give
            await limits.set_budget(await db.fetch_val("SELECT id FROM program"), name, most, "USD")
    ids = await some_orders(web, mara, shop, baskets, codes, clicked)
    for turn in [None, *turns]:
        if turn:
            await change(shop, mara, ids, turn)
        alone = await what_comes_of(ids, lambda: one_by_one(ids))
        in_company = await what_comes_of(ids, lambda: together.settle_all(ids))
        assert alone == in_company
        try:
            async with db.transaction():
                assert await together._settle_together(ids) == [], "none of these terms asks for more"
        except BudgetMoved:
            await together.settle_all(ids)
    await books_are_right()


async def some_codes(shop: Shop, owner: Person) -> None:
    """One that may be used twice, one that each buyer may use once, and one that is over."""
    for text, most, each, until in (("FEW", 2, 0, None), ("ONCE", 0, 1, None), ("OLD", 0, 0, clock.now())):
        await db.execute(
            """INSERT INTO code (program_id, text, code_norm, kind, owner_id, limit_total, limit_per_buyer, used_total,
                                 valid_until, leak_state, created_at)
               SELECT id, $2, $3, 'campaign', $4, $5, $6, 0, $7, 'ok', $8 FROM program WHERE store_id = $1""",
            shop.id,
            text,
            norm_of(text),
            owner.id,
            most,
            each,
            until,
            clock.now() - timedelta(days=1),
        )
    for buyer in ("c0", "c1"):
        await db.execute(
            "INSERT INTO customer (store_id, external_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            shop.id,
            buyer,
            clock.now(),
        )


async def some_orders(web: Browser, mara: Person, shop: Shop, baskets: list, codes: list, clicked: list) -> list[int]:
    gv, now = await click(web(), (await a_link(web, mara))["code"]), clock.now()
    for n, wares in enumerate(baskets):
        order_id = await db.fetch_val(
            """INSERT INTO orders (store_id, external_id, currency, placed_at, paid_at, gv, codes, shipping,
                                   source_updated_at, created_at, customer_id)
               VALUES ($1, $2, 'USD', $3, $3, $4, $5::jsonb, 0, $3, $3,
                       (SELECT id FROM customer WHERE store_id = $1 AND external_id = $6)) RETURNING id""",
            shop.id,
            f"o{n}",
            now,
            UUID(gv) if clicked[n] else None,
            codes[n],
            f"c{n % 3}",  # every third of them nobody knows
        )
        for place, (product, quantity, gross, discount) in enumerate(wares):
            await db.execute(
                """INSERT INTO order_line (order_id, external_id, external_product_id, quantity, gross, discount, tax)
                   VALUES ($1, $2, $3, $4, $5, $6, 0)""",
                order_id,
                f"l{place}",
                product,
                quantity,
                gross,
                min(gross, discount),
            )
    return [row["id"] for row in await db.fetch("SELECT id FROM orders ORDER BY id")]


async def change(shop: Shop, mara: Person, ids: list[int], turn: tuple) -> None:
    """A fact about an order, or something agreed with its sharer."""
    name, n, place, amount = turn
    order_id, now = ids[n % len(ids)] if ids else 0, clock.now()
    if name in ("refund", "units"):
        refund_id = await db.fetch_val(
            """INSERT INTO refund (store_id, external_id, order_external_id, currency, refunded_at, created_at)
               SELECT store_id, $2, external_id, currency, $3, $3 FROM orders WHERE id = $1 RETURNING id""",
            order_id,
            uuid4().hex,
            now,
        )
        await db.execute(
            "INSERT INTO refund_line (refund_id, external_line_id, quantity, amount) VALUES ($1, $2, $3, $4)",
            refund_id,
            f"l{place}",
            name == "units",
            amount,
        )
    elif name == "price":
        await db.execute("UPDATE order_line SET gross = $2, discount = 0 WHERE order_id = $1", order_id, amount)
    elif name in ("cancel", "delivered"):
        column = "cancelled_at" if name == "cancel" else "delivered_at"
        await db.execute(f"UPDATE orders SET {column} = $2 WHERE id = $1", order_id, now)
    elif name == "agree":
        await db.execute(
            """INSERT INTO rate_override (program_id, member_id, rate_bps, note, starts_at, expires_at, by_id)
               SELECT id, $2, $3, '', $4, $5, $2 FROM program WHERE store_id = $1""",
            shop.id,
            mara.id,
            amount,
            now - timedelta(days=1),
            now + timedelta(days=9),
        )
    else:
        await db.execute(
            """INSERT INTO partner (program_id, member_id, state, tier, created_at)
               SELECT id, $2, 'approved', 'friend', $3 FROM program WHERE store_id = $1 ON CONFLICT DO NOTHING""",
            shop.id,
            mara.id,
            now,
        )


async def one_by_one(ids: list[int]) -> None:
    for order_id in ids:
        await service.settle(order_id)


class Undone(Exception):
    """It was only tried."""


async def what_comes_of(ids: list[int], way: Callable[[], Awaitable[None]]) -> list[tuple]:
    """Everything these orders' commissions and the books would be, and nothing of it kept."""
    found: list[tuple] = []
    try:
        async with db.transaction():
            await way()
            rows = await db.fetch(
                """SELECT c.order_line_id, c.member_id, c.role, c.base, c.rate_bps, c.granted, c.rule, c.how, c.state,
                          c.currency, c.hold_until, c.program_version_id, c.reserved,
                          ARRAY(SELECT (t.kind, t.ref_seq, t.reason, a.owner_kind, a.owner_id, a.kind, e.amount)
                                  FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                                  JOIN ledger_account a ON a.id = e.account_id
                                 WHERE t.ref_type = 'commission' AND t.ref_id = c.id ORDER BY t.ref_seq, e.line),
                          ARRAY(SELECT (v.from_state, v.to_state, v.reason) FROM commission_event v
                                 WHERE v.commission_id = c.id ORDER BY v.seq)
                     FROM commission c WHERE c.order_id = ANY($1::bigint[]) ORDER BY 1, 2, 3""",
                ids,
            )
            found = [tuple(map(repr, row)) for row in rows]
            uses = await db.fetch(
                """SELECT u.code_id, u.order_id, u.buyer_key, u.refusal, u.is_cold, c.used_total
                     FROM code_use u JOIN code c ON c.id = u.code_id ORDER BY 1, 2"""
            )
            used = await db.fetch(
                """SELECT l.kind, l.name, l.most, l.used,
                          (SELECT coalesce(sum(c.reserved), 0) FROM commission_limit_use x JOIN commission c
                              ON c.id = x.commission_id WHERE x.limit_id = l.id) AS reserved
                     FROM commission_limit l ORDER BY 1, 2"""
            )
            assert all(row["used"] == row["reserved"] <= row["most"] for row in used)
            credit = await db.fetch(
                """SELECT f.order_id, f.customer_id, f.base, f.granted, f.how, l.granted AS lot, l.remaining, l.expired,
                          l.expires_at - l.active_at AS lasts,
                          (SELECT sum(e.amount) FROM ledger_transaction t JOIN ledger_entry e ON e.transaction_id = t.id
                             JOIN ledger_account a ON a.id = e.account_id AND a.owner_kind = 'customer'
                            WHERE t.ref_type = 'friend_reward' AND t.ref_id = f.id) AS posted
                     FROM friend_reward f LEFT JOIN credit_lot l ON l.source = 'friend_reward:' || f.id ORDER BY 1"""
            )
            found += [tuple(map(repr, row)) for row in (*uses, *used, *credit, *await who_was_credited())]
            raise Undone
    except Undone:
        return found


async def who_was_credited() -> list:
    """Every decision, what people decided, who recruited whom, and what was told of it."""
    decisions = await db.fetch(
        """SELECT order_id, version, program_version_id, winner_id, link_id, rule, candidates, shares FROM attribution
            ORDER BY 1, 2"""
    )
    people = await db.fetch(
        "SELECT order_id, winner_id, state, stake, needs_second, decided_by FROM attribution_override ORDER BY id"
    )
    recruits = await db.fetch("SELECT program_id, member_id, recruiter_id FROM recruit ORDER BY 1, 2")
    told = await db.fetch(
        """SELECT type, data ->> 'member_id' AS member_id, data ->> 'order_id' AS order_id, count(*) AS many
             FROM event WHERE type LIKE 'Commission%' OR type = 'OverrideProposed' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"""
    )
    return [*decisions, *people, *recruits, *told]


async def test_refunds_cancellations_and_orders_nobody_led_to_stand_beside_each_other(web: Browser):
    mara, shop, ids = await told_and_not_settled(web, 3)
    await together.settle_all(ids)
    await db.execute("UPDATE orders SET cancelled_at = now() WHERE id = $1", ids[0])
    await db.execute("UPDATE order_line SET gross = 5000 WHERE order_id = $1", ids[1])
    await tell(web, shop, "order.paid", order("nobodys"))
    await together.settle_all([row["id"] for row in await db.fetch("SELECT id FROM orders")])
    assert await standing(mara) == {("pending", "USD"): 1500}
    states = await db.fetch("SELECT state FROM commission ORDER BY order_id")
    assert [row["state"] for row in states] == ["reversed", "pending", "pending"]
    await books_are_right()


async def test_many_who_ask_at_once_are_served_together_and_each_once(web: Browser):
    mara, _shop, ids = await told_and_not_settled(web, 20)
    await asyncio.gather(*(soon.settle_soon(order_id) for order_id in ids * 2))
    assert await standing(mara) == {("pending", "USD"): 20_000}
    await books_are_right()


async def test_one_order_that_fails_does_not_hold_up_the_others(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara, _shop, ids = await told_and_not_settled(web, 4)
    real = service.settle

    async def fails_for_one(order_id: int) -> None:
        if order_id == ids[1]:
            raise ValueError("this one is broken")
        await real(order_id)

    async def fails(order_ids: list[int]) -> list[int]:
        raise ValueError("one of them is broken")

    monkeypatch.setattr(service, "settle", fails_for_one)
    monkeypatch.setattr(together, "_settle_together", fails)
    outcomes = await asyncio.gather(*(soon.settle_soon(one) for one in ids), return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(None), ValueError, type(None), type(None)]
    assert await standing(mara) == {("pending", "USD"): 3000}
    await db.execute("UPDATE orders SET cancelled_at = now()")
    with pytest.raises(ValueError, match="this one is broken"):
        await soon.settle_all_soon(ids)
    assert await standing(mara) == {}, "the job is tried again, and the others need not wait for that"
    await books_are_right()


async def test_the_same_order_settled_alone_and_in_company_at_once_earns_once(web: Browser):
    mara, shop, ids = await told_and_not_settled(web, 5)
    await asyncio.gather(
        together.settle_all(ids), *(service.settle(order_id) for order_id in reversed(ids)), together.settle_all(ids)
    )
    assert await standing(mara) == {("pending", "USD"): 5000}
    await tell(web, shop, "order.refunded", refund(order_id="o1"))
    assert await standing(mara) == {("pending", "USD"): 4600}
    await books_are_right()
