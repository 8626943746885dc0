"""A buyer's credit for buying on a friend's word: the shop reads it, spends it once, gives it back; the books hold."""

import asyncio

import pytest

from app import db
from referrals.books.service import verify
from referrals.credit.audit import check_credit_uses
from referrals.programs.terms import Friend, Terms
from tests.factories import Browser, Person, a_member, sign_in
from tests.referrals.cast import a_link, books_are_right, click, tell
from tests.referrals.test_codes import a_shop_of
from tests.storefront.shop import Shop, order, refund

pytestmark = pytest.mark.anyio
DOOR = "/api/v1/stores/north/credit"


async def bob_has_six_dollars(web: Browser, ines: Person, bob: Person) -> Shop:
    """Bob bought for 120.00 on Mara's word, and the shop gives its buyers 5 %."""
    mara = await a_member("mara")
    shop = await a_shop_of(ines, terms=Terms(friend=Friend(kind="percent", rate_bps=500)))
    gv = await click(web(), (await a_link(web, mara))["code"])
    buyer = {"id": "c1", "email": f"{bob.handle}@example.org"}
    await tell(web, shop, "order.paid", order("o1", gv=gv, customer=buyer))
    return shop


async def left(web: Browser, ines: Person) -> list[tuple[int, str]]:
    told = (await web(token=ines.token).get(f"{DOOR}/customers/c1")).json()
    return [(one["amount"], one["currency"]) for one in told["available"]]


def use(id_: str, amount: int, **more: object) -> dict:
    return {"id": id_, "customer": "c1", "amount": {"amount": amount, "currency": "USD"}, **more}


async def all_holds() -> None:
    await books_are_right()
    assert (await verify())[1] == []


async def test_credit_is_spent_once_however_often_the_shop_says_so_and_given_back(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_has_six_dollars(web, ines, bob)
    client = web(token=ines.token)
    assert await left(web, ines) == [(600, "USD")]
    spent = await client.post(f"{DOOR}/uses", json=use("cart-1", 250, order="o2"))
    assert spent.status_code == 201 and spent.json()["left"] == {"amount": 350, "currency": "USD"}
    assert (await client.post(f"{DOOR}/uses", json=use("cart-1", 250, order="o2"))).status_code == 200
    assert (await client.post(f"{DOOR}/uses", json=use("cart-1", 251, order="o2"))).status_code == 409
    assert await left(web, ines) == [(350, "USD")]
    await all_holds()
    for _time in range(2):
        assert (await client.delete(f"{DOOR}/uses/cart-1")).status_code == 204
    assert await left(web, ines) == [(600, "USD")]
    # What was undone stays undone: its id buys nothing any more.
    again = await client.post(f"{DOOR}/uses", json=use("cart-1", 250, order="o2"))
    assert again.status_code == 200 and again.json()["undone_at"] and await left(web, ines) == [(600, "USD")]
    assert (await client.delete(f"{DOOR}/uses/never")).status_code == 404
    await all_holds()


async def test_of_ten_carts_at_once_only_those_that_the_credit_covers_are_paid(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_has_six_dollars(web, ines, bob)
    client = web(token=ines.token)
    answers = await asyncio.gather(*(client.post(f"{DOOR}/uses", json=use(f"cart-{n}", 250)) for n in range(10)))
    assert sorted(one.status_code for one in answers) == [201] * 2 + [409] * 8
    same = await asyncio.gather(*(client.post(f"{DOOR}/uses", json=use("last", 100)) for _n in range(5)))
    assert sorted(one.status_code for one in same) == [200] * 4 + [201]
    assert await left(web, ines) == []
    await all_holds()


async def test_a_refund_after_the_credit_was_spent_is_made_up_by_the_next_credit(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    shop = await bob_has_six_dollars(web, ines, bob)
    client = web(token=ines.token)
    assert (await client.post(f"{DOOR}/uses", json=use("cart-1", 600))).status_code == 201
    await tell(web, shop, "order.refunded", refund("r1", "o1", lines=[{"id": "l1", "quantity": 1, "amount": 6_000}]))
    assert await left(web, ines) == []
    assert (await client.post(f"{DOOR}/uses", json=use("cart-2", 1))).status_code == 409
    gv = await click(web(), await db.fetch_val("SELECT code FROM link WHERE store_id IS NOT NULL"))
    await tell(web, shop, "order.paid", order("o3", gv=gv, customer={"id": "c1", "email": "bob@example.org"}))
    assert await left(web, ines) == [(300, "USD")]
    await all_holds()


async def test_the_buyer_sees_what_they_have_and_how_it_came_and_nobody_else_does(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_has_six_dollars(web, ines, bob)
    await web(token=ines.token).post(f"{DOOR}/uses", json=use("cart-1", 250, order="o2"))
    told = (await web(token=bob.token).get("/api/v1/earn/credit")).json()
    assert [one["available"]["amount"] for one in told["stores"]] == [350]
    assert [(one["kind"], one["amount"]["amount"], one["order"]) for one in told["moves"]] == [
        ("spent", -250, "o2"),
        ("granted", 600, "#o1"),
    ]
    shown = (await (await sign_in(web(), bob)).get("/earn/credit")).text
    assert "$3.50" in shown and "For buying on a friend" in shown and "Spent at the shop" in shown
    assert "No credit yet" in (await (await sign_in(web(), ines)).get("/earn/credit")).text
    assert (await web(token=bob.token).get(f"{DOOR}/customers/c1")).status_code == 403
    assert (await web(token=bob.token).post(f"{DOOR}/uses", json=use("x", 1))).status_code == 403
    assert (await web(token=ines.token).get(f"{DOOR}/customers/c404")).status_code == 404
    for wrong in (use("", 1), use("x", 0), use("x", -5), {**use("x", 1), "amount": {"amount": 1, "currency": "???"}}):
        assert (await web(token=ines.token).post(f"{DOOR}/uses", json=wrong)).status_code == 422


async def test_a_use_that_was_tampered_with_is_found(web: Browser):
    ines, bob = await a_member("ines"), await a_member("bob")
    await bob_has_six_dollars(web, ines, bob)
    await web(token=ines.token).post(f"{DOOR}/uses", json=use("cart-1", 250))
    assert await check_credit_uses() == []
    await db.execute("UPDATE credit_use SET amount = 200")
    assert len(await check_credit_uses()) == 1
