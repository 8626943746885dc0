"""From a click to an order to a commission, through the doors a shop and a visitor use."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from tests.factories import Browser, Person, a_member, prove_email, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import line, message, order, refund, signed

pytestmark = pytest.mark.anyio


async def test_an_order_that_carries_a_click_pays_its_link(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await standing(mara) == {("pending", "USD"): 1200}
    (one,) = (await web(token=mara.token).get("/api/v1/earn/commissions")).json()["items"]
    assert (one["order"], one["amount"], one["state"], one["role"]) == (
        "1001",
        {"amount": 1200, "currency": "USD"},
        "pending",
        "sharer",
    )
    await books_are_right()


async def test_partial_refunds_take_back_exactly_their_part(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop(rate_bps=333)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv, lines=[line(gross=1000, discount=0)]))
    assert await standing(mara) == {("pending", "USD"): 33}
    for number, amount in enumerate((101, 299, 77), 1):
        lines = [{"id": "l1", "quantity": 0, "amount": amount}]
        await tell(web, shop, "order.refunded", refund(f"r{number}", lines=lines))
    assert await standing(mara) == {("pending", "USD"): 17}  # 3.33 % of 523 is 17.4159
    await tell(web, shop, "order.refunded", refund("r9", lines=[{"id": "l1", "quantity": 1, "amount": 523}]))
    assert await standing(mara) == {}
    assert await db.fetch_val("SELECT state FROM commission") == "reversed"
    await books_are_right()


async def test_a_refund_that_comes_before_its_order_counts_at_once(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.refunded", refund())
    assert await standing(mara) == {}
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await standing(mara) == {("pending", "USD"): 800}
    await books_are_right()


async def test_a_cancelled_order_pays_nobody(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    await tell(web, shop, "order.cancelled", order(gv=gv))
    assert await standing(mara) == {}
    await books_are_right()


async def test_the_same_event_64_times_at_once_has_one_effect(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    body = message("order.paid", order(gv=gv))
    headers = signed(shop, body, event_id="msg_same")
    answers = await asyncio.gather(*(web().post("/webhooks/north", content=body, headers=headers) for _ in range(64)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    await run_jobs()
    assert await standing(mara) == {("pending", "USD"): 1200}
    from referrals.commissions.service import settle

    order_id = await db.fetch_val("SELECT id FROM orders")
    await asyncio.gather(*(settle(order_id) for _ in range(64)))
    assert await standing(mara) == {("pending", "USD"): 1200}
    assert await db.fetch_val("SELECT count(*) FROM ledger_transaction") == 1
    await books_are_right()


async def test_orders_of_one_member_settled_at_once_keep_one_chain(web: Browser):
    from referrals.commissions.service import settle

    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    for number in range(8):
        body = message("order.paid", order(f"o{number}", gv=gv))
        await web().post("/webhooks/north", content=body, headers=signed(shop, body))
    # Read the messages without settling, then settle all at once.
    await db.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 day' WHERE entrypoint LIKE 'referrals%'")
    await run_jobs()
    await db.execute("DELETE FROM pgqueuer")
    ids = [row["id"] for row in await db.fetch("SELECT id FROM orders")]
    await asyncio.gather(*(settle(order_id) for order_id in ids * 3))
    assert await standing(mara) == {("pending", "USD"): 8 * 1200}
    await books_are_right()


@pytest.mark.parametrize(("currency", "gross", "earned"), [("JPY", 3005, 300), ("KWD", 12_345, 1234), ("USD", 25, 2)])
async def test_minor_units_stay_whole_in_every_currency(web: Browser, currency: str, gross: int, earned: int):
    mara, shop = await a_member("mara"), await a_paying_shop(currency=currency)
    gv = await click(web(), (await a_link(web, mara))["code"])
    lines = [line(gross=gross, discount=0)]
    await tell(web, shop, "order.paid", order(gv=gv, currency=currency, lines=lines, shipping=0))
    assert await standing(mara) == {("pending", currency): earned}
    await books_are_right()


async def test_ones_own_purchase_earns_nothing(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    buyer = {"id": "c9", "email": "MARA@example.org", "name": "M"}
    await tell(web, shop, "order.paid", order(gv=gv, customer=buyer))
    assert await standing(mara) == {}
    why = (await web(token=mara.token).get("/api/v1/earn/orders/1001/why")).json()
    assert why["you_won"] is False and why["candidates"][0]["reason"] == "self"


async def test_whoever_signs_in_where_they_clicked_their_own_link_is_the_buyer_whatever_the_order_says(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    browser = web()
    gv = await click(browser, (await a_link(web, mara))["code"])
    await sign_in(browser, mara)
    await run_jobs()
    await tell(web, shop, "order.paid", order(gv=gv, customer={"id": "c9", "email": "other@example.org"}))
    assert await standing(mara) == {}


async def test_a_bot_never_wins(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"], agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await standing(mara) == {}


async def test_a_click_counts_on_every_device_once_its_member_signed_in(web: Browser):
    """Clicked on the phone, joined there, bought on a computer with the same e-mail and no trace of the click."""
    mara, shop = await a_member("mara"), await a_paying_shop()
    phone = web()
    await click(phone, (await a_link(web, mara))["code"])
    signup = {"handle": "bob", "email": "bob@example.org", "password": "correct horse battery", "display_name": "Bob"}
    assert (await submit(phone, "/join", signup)).status_code == 303
    await prove_email(phone)
    await run_jobs()
    assert await db.fetch_val("SELECT referrer_id FROM signup_referral") == mara.id
    await tell(web, shop, "order.paid", order())
    assert await standing(mara) == {("pending", "USD"): 1200}
    why = (await web(token=mara.token).get("/api/v1/earn/orders/1001/why")).json()
    assert why["rule"]["name"] == "last_click"
    assert [(one["via"], one["reason"]) for one in why["candidates"]] == [("claimed", "won"), ("signup", "click_won")]


async def test_a_claim_that_is_read_after_the_order_still_counts(web: Browser):
    """The jobs of sign-up and order may run in either order."""
    mara, shop = await a_member("mara"), await a_paying_shop()
    await run_jobs()
    phone = web()
    await click(phone, (await a_link(web, mara))["code"])
    signup = {"handle": "bob", "email": "bob@example.org", "password": "correct horse battery", "display_name": "Bob"}
    await submit(phone, "/join", signup)
    await prove_email(phone)
    await db.execute("UPDATE pgqueuer SET execute_after = now() + interval '1 hour'")
    await tell(web, shop, "order.paid", order())
    assert await standing(mara) == {}
    await db.execute("UPDATE pgqueuer SET execute_after = now()")
    await run_jobs()
    assert await standing(mara) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_time_releases_what_was_on_hold_and_a_later_refund_takes_it_from_there(web: Browser):
    from referrals.commissions.release import release_due

    mara, shop = await a_member("mara"), await a_paying_shop(hold_days=14)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await release_due() == 0
    clock.travel(timedelta(days=14, minutes=1))
    assert sorted(await asyncio.gather(*(release_due() for _ in range(4)))) == [0, 0, 0, 1]
    assert await standing(mara) == {("available", "USD"): 1200}
    await tell(web, shop, "order.refunded", refund())
    assert await standing(mara) == {("available", "USD"): 800}
    steps = await db.fetch("SELECT to_state, reason FROM commission_event ORDER BY seq")
    assert [tuple(step) for step in steps] == [("pending", "order_paid"), ("approved", "hold_ended")]
    await books_are_right()


async def test_what_is_held_is_never_released_by_time(web: Browser):
    from referrals.commissions.release import release_due

    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    await db.execute("UPDATE commission SET state = 'held'")
    clock.travel(timedelta(days=400))
    assert await release_due() == 0


async def test_new_rules_leave_earlier_orders_as_they_were(web: Browser):
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules

    mara, shop = await a_member("mara"), await a_paying_shop(rate_bps=1000)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    assert (await publish_rules("north", Rules(rate_bps=500)))[1] == 2
    await tell(web, shop, "order.refunded", refund())
    assert await standing(mara) == {("pending", "USD"): 800}
    await tell(web, shop, "order.paid", order("1002", gv=gv))
    assert await standing(mara) == {("pending", "USD"): 800 + 600}
    await books_are_right()


async def test_an_order_decided_anew_moves_the_money_and_keeps_the_first_decision(web: Browser):
    """The store corrects which click its order carried."""
    mara, ines = await a_member("mara"), await a_member("ines")
    shop = await a_paying_shop()
    first = await click(web(), (await a_link(web, mara))["code"])
    second = await click(web(), (await a_link(web, ines))["code"])
    await tell(web, shop, "order.paid", order(gv=first))
    later = (clock.now() + timedelta(minutes=1)).isoformat()
    await tell(web, shop, "order.paid", order(gv=second, updated_at=later))
    assert await standing(mara) == {} and await standing(ines) == {("pending", "USD"): 1200}
    versions = await db.fetch("SELECT version, winner_id FROM attribution ORDER BY version")
    assert [tuple(row) for row in versions] == [(1, mara.id), (2, ines.id)]
    await books_are_right()


async def reason_told(web: Browser, person: Person) -> str:
    why = (await web(token=person.token).get("/api/v1/earn/orders/1001/why")).json()
    assert why["amount"]["amount"] == sum(one["amount"]["amount"] for one in why["commissions"])
    return next(one["reason"] for one in why["candidates"] if one["is_you"])


@pytest.mark.parametrize(("days", "reason"), [(30, "won"), (30.01, "expired")])
async def test_a_click_counts_for_thirty_days_to_the_minute(web: Browser, days: float, reason: str):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    at = await db.fetch_val("SELECT occurred_at FROM click") + timedelta(days=days)
    await tell(web, shop, "order.paid", order(gv=gv, placed_at=at.isoformat(), paid_at=at.isoformat()))
    assert await reason_told(web, mara) == reason


async def test_a_link_to_one_store_earns_nothing_at_another(web: Browser):
    mara = await a_member("mara")
    await a_paying_shop()
    south = await a_paying_shop("south")
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, south, "order.paid", order(gv=gv))
    assert await reason_told(web, mara) == "other_store"


async def test_a_link_that_was_off_before_the_order_earns_nothing_and_one_switched_off_later_keeps_its_worth(
    web: Browser,
):
    mara, shop = await a_member("mara"), await a_paying_shop()
    link = await a_link(web, mara)
    first, second = await click(web(), link["code"]), await click(web(), link["code"])
    await tell(web, shop, "order.paid", order("before", gv=first))
    await web(token=mara.token).delete(f"/api/v1/links/{link['code']}")
    await tell(web, shop, "order.paid", order(gv=second))
    assert await reason_told(web, mara) == "link_closed"
    await tell(web, shop, "order.refunded", refund(order_id="before"))
    assert await standing(mara) == {("pending", "USD"): 800}


async def test_whoever_is_suspended_when_the_order_comes_earns_nothing_from_it(web: Browser):
    mara, boss, shop = await a_member("mara"), await a_member("boss", role="admin"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order("before", gv=gv))
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', $3)",
        mara.id,
        boss.id,
        clock.now(),
    )
    await tell(web, shop, "order.paid", order(gv=gv))
    await tell(web, shop, "order.refunded", refund(order_id="before"))
    assert await standing(mara) == {("pending", "USD"): 800}
    candidates = await db.fetch_val("SELECT candidates FROM attribution ORDER BY id DESC LIMIT 1")
    assert candidates[0]["outcome"] == "suspended"
    await books_are_right()


async def test_a_store_without_a_programme_pays_nobody(web: Browser):
    from tests.storefront.shop import a_product, a_shop

    mara, shop = await a_member("mara"), await a_shop()
    await a_product(shop)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    assert await standing(mara) == {} and await db.fetch_val("SELECT count(*) FROM attribution") == 0


async def test_a_click_made_after_the_order_earns_nothing_though_the_store_adds_it(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await tell(web, shop, "order.paid", order())
    late = await click(web(), (await a_link(web, mara))["code"])
    clock.travel(timedelta(minutes=1))
    await tell(web, shop, "order.paid", order(gv=late))
    assert await standing(mara) == {}
    assert await reason_told(web, mara) == "after_order"
    await books_are_right()
