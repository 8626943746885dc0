"""What was refused at a store's door: nothing of it is kept, but its owner sees that something is wrong."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from storefront.connectors import refusals
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.storefront.shop import Shop, a_shop, message, order, signed

pytestmark = pytest.mark.anyio
PAGE = "/admin/programs/north/orders"


async def a_shop_of(owner: Person) -> Shop:
    await refusals.gather()  # What earlier tests left in Valkey is nobody's: there is no store yet.
    return await a_shop(owner_id=owner.id)


async def knock(web: Browser, shop: Shop, *, secret: str = "", age: timedelta = timedelta(), **more: str) -> int:
    body = message("order.paid", order())
    headers = signed(shop, body, secret=secret, age=age) | more
    return (await web().post(f"/webhooks/{shop.slug}", content=body, headers=headers)).status_code


async def kept() -> int:
    return await db.fetch_val("SELECT count(*) FROM inbox_refusal")


async def test_the_owner_reads_how_many_were_forged_since_when_and_hears_it_once_a_day(web: Browser):
    owner = await a_member("ona")
    shop = await a_shop_of(owner)
    for _n in range(12):
        assert await knock(web, shop, secret="whsec_" + "A" * 44) == 401
    assert await kept() == 0, "a flood writes nothing to the database"
    await refusals.gather()
    assert await kept() == 1
    await knock(web, shop, secret="whsec_" + "A" * 44)
    await refusals.gather()
    await run_jobs()
    told = (await web(token=owner.token).get("/api/v1/stores/north/messages/refused")).json()["items"]
    assert [(one["kind"], one["many"], one["reason"]) for one in told] == [("signature", 13, "wrong")]
    browser = await sign_in(web(), owner)
    page = (await browser.get(PAGE)).text
    assert "13 messages with a wrong signature" in page and "secret" in page
    assert (await browser.get("/notifications")).text.count("Is the secret right?") == 1
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 0
    clock.travel(timedelta(days=1))
    await knock(web, shop, secret="whsec_" + "A" * 44)
    await refusals.gather()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'store_refused'") == 2
    clock.travel(timedelta(days=8))
    assert "wrong signature" not in (await browser.get(PAGE)).text, "what is long over is not shown"


async def test_it_says_why_as_far_as_that_helps_nobody_to_forge(web: Browser):
    shop = await a_shop_of(await a_member("ona"))

    async def why() -> str:
        await refusals.gather()
        return await db.fetch_val("SELECT reason FROM inbox_refusal WHERE kind = 'signature'")

    assert (await web().post("/webhooks/north", content=b"{}")).status_code == 401
    assert await why() == "unsigned"
    assert await knock(web, shop, age=timedelta(minutes=9)) == 401
    assert await why() == "stale"
    assert await knock(web, shop, secret="whsec_" + "A" * 44) == 401
    assert await why() == "wrong"


@pytest.mark.parametrize("name", ["webhook-timestamp", "stripe-signature"])
async def test_a_time_in_odd_digits_is_a_wrong_signature_like_any_other(web: Browser, name: str):
    await a_shop_of(await a_member("ona"))
    headers = {"webhook-id": "msg_1", "webhook-signature": "v1,x", name: "t=²³" if name.startswith("s") else "²³"}
    odd = [(key.encode(), value.encode("latin-1")) for key, value in headers.items()]
    assert (await web().post("/webhooks/north", content=b"{}", headers=odd)).status_code == 401
    await refusals.gather()
    assert await db.fetch_val("SELECT reason FROM inbox_refusal") == "wrong"


async def test_an_id_that_comes_again_with_another_body_and_a_body_too_big_are_counted_as_well(web: Browser):
    owner = await a_member("ona")
    shop = await a_shop_of(owner)
    for number, status in (("1001", 202), ("1002", 409)):
        body = message("order.paid", order(number))
        headers = signed(shop, body, event_id="msg_same")
        assert (await web().post("/webhooks/north", content=body, headers=headers)).status_code == status
    big = b"x" * (1024 * 1024 + 1)
    assert (await web().post("/webhooks/north", content=big, headers=signed(shop, b"x"))).status_code == 413
    assert (await web().post("/webhooks/nowhere", content=big)).status_code in (404, 413)
    await refusals.gather()
    told = (await web(token=owner.token).get("/api/v1/stores/north/messages/refused")).json()["items"]
    assert {one["kind"]: (one["many"], one["reason"]) for one in told} == {
        "conflict": (1, "msg_same"),
        "oversize": (1, str(1024 * 1024 + 1)),
    }
    page = (await (await sign_in(web(), owner)).get(PAGE)).text
    assert "msg_same" in page and "too big" in page


async def test_only_the_store_s_own_people_read_it(web: Browser):
    await a_shop_of(await a_member("ona"))
    eve = await a_member("eve")
    assert (await web(token=eve.token).get("/api/v1/stores/north/messages/refused")).status_code == 403
    assert (await web().get("/api/v1/stores/north/messages/refused")).status_code == 401


async def test_two_workers_that_gather_at_once_count_each_refusal_once(web: Browser):
    shop = await a_shop_of(await a_member("ona"))
    for _n in range(5):
        await knock(web, shop, secret="whsec_" + "A" * 44)
    await asyncio.gather(refusals.gather(), refusals.gather())
    assert await db.fetch_val("SELECT sum(many)::int FROM inbox_refusal") == 5
    await refusals.forget_old()
    assert await kept() == 1
    clock.travel(timedelta(days=100))
    await refusals.forget_old()
    assert await kept() == 0
