"""Many orders at once, of which it matters who bought, who brought whom, and what a person decided: the same as one by
one, in as many queries for two as for many."""

import asyncio
from datetime import datetime

import pytest

from app import clock, db
from referrals.commissions import recruiting, service, together
from referrals.commissions.holds import reject
from referrals.programs.terms import Caps, Friend, Recruiting, Terms
from tests.factories import Browser, Person, a_member
from tests.referrals.cast import books_are_right, standing
from tests.referrals.quick import a_quick_click
from tests.referrals.test_rules import brought
from tests.referrals.test_together import told_and_not_settled, what_comes_of
from tests.storefront.shop import Shop, a_shop

pytestmark = pytest.mark.anyio

SECOND_LEVEL = Terms(currency="USD", market="US", recruiting=Recruiting(1000, 12))


async def a_customer(shop: Shop, name: str, *, mailbox: str = "", email: str = "", member: Person | None = None) -> int:
    found: int = await db.fetch_val(
        """INSERT INTO customer (store_id, external_id, mailbox_hmac, email_hmac, member_id, created_at)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id""",
        shop.id,
        name,
        mailbox,
        email,
        member.id if member else None,
        clock.now(),
    )
    return found


async def sold_to(customers: list[int | None], order_ids: list[int]) -> None:
    await db.execute_many(
        "UPDATE orders SET customer_id = $2, paid_at = paid_at + $1 * interval '1 second' WHERE id = $1",
        list(zip(order_ids, customers, strict=True)),
    )


async def led_by(member: Person, shop: Shop, order_ids: list[int]) -> None:
    """It was another one's link, and the orders came after it."""
    gv = await a_quick_click(shop, member)
    await db.execute(
        "UPDATE orders SET gv = $1, placed_at = $3, created_at = $3 WHERE id = ANY($2::bigint[])",
        gv,
        order_ids,
        clock.now(),
    )


async def a_person_says(order_id: int, winner: Person | None, by: Person) -> None:
    await db.execute(
        """INSERT INTO attribution_override (order_id, winner_id, reason, state, stake, currency, needs_second,
                                             proposed_by, proposed_at, decided_by, decided_at)
           VALUES ($1, $2, 'They met at our stand.', 'in_force', 0, 'USD', false, $3, $4, $3, $4)
           ON CONFLICT DO NOTHING""",
        order_id,
        winner.id if winner else None,
        by.id,
        clock.now(),
    )


async def shut_out(member: Person, since: datetime) -> None:
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $1, 'spam', $2)", member.id, since
    )


async def paid_for(role: str = "sharer") -> list[int]:
    """What was granted in this role, order by order."""
    rows = await db.fetch(
        """SELECT o.id, coalesce(sum(c.granted), 0)::bigint AS granted
             FROM orders o LEFT JOIN commission c ON c.order_id = o.id AND c.role = $1 GROUP BY 1 ORDER BY 1""",
        role,
    )
    return [row["granted"] for row in rows]


@pytest.mark.parametrize("kind", ["recruiting", "first order", "a person's word"])
async def test_none_of_them_costs_a_query_more_for_five_orders_than_for_three(web: Browser, kind: str):
    terms = {
        "recruiting": SECOND_LEVEL,
        "first order": Terms(currency="USD", pays_for="first_orders", pays_for_n=2, friend=Friend("percent", 500)),
    }.get(kind)
    mara, shop, ids = await told_and_not_settled(web, 8, terms=terms)
    top, ben = await a_member("top"), await a_member("ben")
    await brought(mara, top)
    # Three orders of one person in the first company; in the second three of two that share a mailbox, one more of the
    # first, and one of nobody knows whom.
    anna, cora = [await a_customer(shop, name, mailbox=name) for name in ("anna", "cora")]
    carl = await a_customer(shop, "carl", mailbox="cora")
    await sold_to([anna, anna, anna, cora, carl, cora, anna, None], ids)
    if kind == "a person's word":
        await db.execute("UPDATE order_line SET gross = 9_999")  # what a single person may decide on
        for order_id in ids:
            await a_person_says(order_id, ben, top)
    for _again in range(2):
        with db.watch_queries() as few:
            await together.settle_all(ids[:3])
        with db.watch_queries() as many:
            await together.settle_all(ids[3:])
        assert len(many) <= len(few) <= 60
    first = [1000, 1000, 0, 1000, 1000, 0, 0, 0]
    assert await paid_for() == (first if kind == "first order" else [1000] * 8)
    assert await standing(top) == ({("pending", "USD"): 800} if kind == "recruiting" else {})
    assert await standing(ben) == ({("pending", "USD"): 8000} if kind == "a person's word" else {})
    await books_are_right()


async def test_which_order_of_a_buyer_is_the_first_does_not_hang_on_its_company(web: Browser):
    """The second one is told first, and the first is cancelled: they had been here already."""
    mara, shop, ids = await told_and_not_settled(web, 3, terms=Terms(pays_for="first_order"))
    await sold_to([await a_customer(shop, "anna", email="anna")] * 3, ids)
    await db.execute("UPDATE orders SET paid_at = paid_at + interval '1 hour' WHERE id = $1", ids[0])
    await together.settle_all(ids)
    assert await paid_for() == [0, 1000, 0]
    await db.execute("UPDATE orders SET cancelled_at = now() WHERE id = $1", ids[1])
    await together.settle_all(ids)
    assert await standing(mara) == {}
    elsewhere = await a_shop("south")
    known = await a_customer(elsewhere, "a guest", email="anna")
    await db.execute(
        """INSERT INTO orders (store_id, external_id, currency, placed_at, paid_at, codes, shipping, source_updated_at,
                               created_at, customer_id)
           SELECT $1, 'there', 'USD', paid_at, paid_at - interval '1 day', '[]', 0, paid_at, created_at, $2
             FROM orders WHERE id = $3""",
        elsewhere.id,
        known,
        ids[2],
    )
    await together.settle_all([row["id"] for row in await db.fetch("SELECT id FROM orders")])
    assert await paid_for() == [0, 1000, 0, 0], "another store's order does not make it another one here"
    await books_are_right()


async def test_what_a_recruiter_may_have_in_a_day_is_shared_by_all_orders_of_a_company(web: Browser):
    """The recruits have a day of their own each, and the recruiter too, who gets a share of what they really got."""
    terms = Terms(currency="USD", market="US", recruiting=Recruiting(1000, 12), caps=Caps(day=1_500))
    mara, shop, ids = await told_and_not_settled(web, 4, terms=terms)
    top = await a_member("top")
    await brought(mara, top)
    ben = await a_member("ben")
    await brought(ben, top)
    await led_by(ben, shop, ids[2:])
    await db.execute("UPDATE order_line SET gross = 12000 WHERE order_id = ANY($1::bigint[])", ids[:2])
    await together.settle_all(ids)
    assert await paid_for() == [1_200, 300, 1_000, 500]
    assert await paid_for("recruiter") == [120, 30, 100, 50]
    await db.execute("UPDATE order_line SET gross = 1000 WHERE order_id = $1", ids[0])
    await asyncio.gather(together.settle_all(ids), together.settle_all(ids[::-1]), service.settle(ids[1]))
    assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 400}, {("pending", "USD"): 190})
    await books_are_right()


async def test_who_first_earns_in_a_company_bars_a_third_level(web: Browser):
    """top brought mara, and mara brought ben: whoever of the two earns first decides who brings whom."""
    mara, shop, ids = await told_and_not_settled(web, 3, terms=SECOND_LEVEL)
    top, ben = await a_member("top"), await a_member("ben")
    await brought(mara, top)
    await brought(ben, mara)
    await led_by(ben, shop, ids[:1])
    alone = await what_comes_of(ids, lambda: one_by_one(ids))
    assert alone == await what_comes_of(ids, lambda: together.settle_all(ids))
    await together.settle_all(ids)
    pairs = [tuple(row) for row in await db.fetch("SELECT member_id, recruiter_id FROM recruit")]
    assert pairs == [(ben.id, mara.id)], "mara brings somebody, so nobody brought her"
    assert await standing(top) == {} and await standing(mara) == {("pending", "USD"): 2_000 + 100}
    await books_are_right()


async def test_an_order_whose_rules_are_no_longer_found_goes_alone_beside_others(web: Browser):
    mara, _shop, ids = await told_and_not_settled(web, 3)
    await together.settle_all(ids[:1])
    await db.execute("UPDATE orders SET created_at = created_at - interval '1 year' WHERE id = $1", ids[0])
    await db.execute("UPDATE order_line SET gross = 20000")
    async with db.transaction():
        assert await together._settle_together(ids) == [ids[0]]
    assert await standing(mara) == {("pending", "USD"): 1_000 + 4_000}
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 6_000}
    await db.execute("UPDATE orders SET created_at = created_at + interval '1 year' WHERE id = $1", ids[0])
    await together.settle_all(ids)
    await books_are_right()


async def test_two_companies_at_once_close_no_third_level(web: Browser, monkeypatch: pytest.MonkeyPatch):
    mara, shop, ids = await told_and_not_settled(web, 4, terms=SECOND_LEVEL)
    top, ben = await a_member("top"), await a_member("ben")
    await brought(mara, top)
    await brought(ben, mara)
    await led_by(ben, shop, ids[2:])
    looked, look = [], recruiting._fresh

    async def when_both_have_looked(asked: list) -> list:
        found = await look(asked)
        looked.append(found)
        while len(looked) < 2:
            await asyncio.sleep(0.01)
        return found

    # Each sees that its own is new, before either has noted any.
    monkeypatch.setattr(recruiting, "_fresh", when_both_have_looked)
    await asyncio.gather(together.settle_all(ids[:2]), together.settle_all(ids[2:]))
    assert all(looked[:2])
    monkeypatch.undo()
    await together.settle_all(ids[1:3])
    pairs = {tuple(row) for row in await db.fetch("SELECT member_id, recruiter_id FROM recruit")}
    assert pairs in ({(mara.id, top.id)}, {(ben.id, mara.id)}), "whoever earned first"
    bonuses = (await standing(top)).get(("pending", "USD"), 0), (await standing(mara))["pending", "USD"] - 2_000
    assert bonuses == ((200, 0) if (mara.id, top.id) in pairs else (0, 200))
    await books_are_right()


@pytest.mark.parametrize("in_company", [False, True])
async def test_a_share_for_recruiting_that_begins_with_a_higher_price_is_granted_under_a_cap(
    web: Browser, in_company: bool
):
    terms = Terms(currency="USD", market="US", recruiting=Recruiting(1000, 12), caps=Caps(order=900))
    mara, _shop, ids = await told_and_not_settled(web, 2, terms=terms)
    top = await a_member("top")
    await brought(mara, top)
    await db.execute("UPDATE order_line SET gross = 40, discount = 0 WHERE order_id = $1", ids[0])
    for gross in (40, 4_000):
        await db.execute("UPDATE order_line SET gross = $2 WHERE order_id = $1", ids[0], gross)
        await (together.settle_all(ids) if in_company else one_by_one(ids))
    assert await standing(mara) == {("pending", "USD"): 400 + 900}
    # The second order is cut by the cap: the commission takes it all, and nothing is left for whoever brought mara.
    assert await standing(top) == {("pending", "USD"): 40}
    await books_are_right()


@pytest.mark.parametrize("in_company", [False, True])
async def test_what_is_rejected_of_a_recruit_takes_the_recruiters_share_with_it(web: Browser, in_company: bool):
    mara, _shop, ids = await told_and_not_settled(web, 3, terms=SECOND_LEVEL)
    top = await a_member("top")
    await brought(mara, top)
    settled = together.settle_all if in_company else one_by_one
    await settled(ids)
    async with db.transaction():
        await reject([await db.fetch_val("SELECT min(id) FROM commission WHERE role = 'sharer'")], "case")
    await settled(ids)
    assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 2_000}, {("pending", "USD"): 200})
    await books_are_right()


async def test_who_brought_both_the_old_and_the_new_winner_goes_on_with_their_share(web: Browser):
    mara, _shop, ids = await told_and_not_settled(web, 1, terms=SECOND_LEVEL)
    top, ben, owner = await a_member("top"), await a_member("ben"), await a_member("owner")
    await brought(mara, top)
    await brought(ben, top)
    await together.settle_all(ids)
    assert await standing(top) == {("pending", "USD"): 100} and await standing(mara) == {("pending", "USD"): 1000}
    await db.execute("UPDATE order_line SET gross = 9_999")  # what a single person may decide on
    await a_person_says(ids[0], ben, owner)
    await together.settle_all(ids)
    assert await standing(mara) == {} and await standing(ben) != {} and await standing(top) != {}
    await books_are_right()


async def test_a_winner_by_a_persons_word_who_is_shut_out_later_keeps_it_and_what_grew_waits(web: Browser):
    _mara, _shop, ids = await told_and_not_settled(web, 3)
    ines, ben = await a_member("ines"), await a_member("ben")
    await db.execute("UPDATE order_line SET gross = 5000 WHERE order_id = ANY($1::bigint[])", ids)
    for order_id in ids:
        await a_person_says(order_id, ben, ines)
    await together.settle_all(ids)
    await shut_out(ben, clock.now())
    await db.execute("UPDATE order_line SET gross = 20000 WHERE order_id = $1", ids[1])
    await together.settle_all(ids)
    assert await standing(ben) == {("pending", "USD"): 1_000}
    waiting = await db.fetch("SELECT order_id, stake, decided_by FROM attribution_override WHERE state = 'proposed'")
    assert [tuple(row) for row in waiting] == [(ids[1], 20_000, None)]
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'OverrideProposed'") == 1
    await books_are_right()


async def test_orders_from_before_the_programme_cost_nothing_more(web: Browser):
    _mara, _shop, ids = await told_and_not_settled(web, 3)
    await db.execute("UPDATE orders SET created_at = created_at - interval '9 years' WHERE id <> $1", ids[0])
    with db.watch_queries() as asked:
        await together.settle_all(ids[1:])
    assert len(asked) <= 10 and await db.fetch_val("SELECT count(*) FROM attribution") == 0
    await together.settle_all(ids)
    assert await paid_for() == [1_000, 0, 0]
    await books_are_right()


async def one_by_one(ids: list[int]) -> None:
    for order_id in ids:
        await service.settle(order_id)
