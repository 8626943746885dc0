"""Many orders at once: the same commissions as one by one, with queries that do not grow with them."""

import asyncio

import pytest

from app import db
from referrals.commissions import service, together
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Exclusion, Terms
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


async def test_orders_that_ask_for_more_than_plain_rules_are_settled_as_ever(web: Browser):
    mara, shop, ids = await told_and_not_settled(web, 3)
    terms = Terms(deny=[Exclusion("product", "SKU-1")])
    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=terms)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order("denied", gv=gv))
    await tell(web, shop, "order.paid", order("coded", gv=gv, codes=["HELLO"]))
    ids = [row["id"] for row in await db.fetch("SELECT id FROM orders ORDER BY id")]
    await together.settle_all(ids)
    assert await standing(mara) == {("pending", "USD"): 3000}
    await books_are_right()


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
    await asyncio.gather(*(together.settle_soon(order_id) for order_id in ids * 2))
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
    monkeypatch.setattr(together, "_settle_plain", fails)
    outcomes = await asyncio.gather(*(together.settle_soon(one) for one in ids), return_exceptions=True)
    assert [type(one) for one in outcomes] == [type(None), ValueError, type(None), type(None)]
    assert await standing(mara) == {("pending", "USD"): 3000}
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
