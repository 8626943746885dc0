"""The door for a shop's messages: who is let in, what is kept, and what a second delivery does."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from storefront.connectors.jobs import strip_old_messages
from tests.factories import Browser, run_jobs
from tests.storefront.shop import a_shop, message, order, send, signed

pytestmark = pytest.mark.anyio


async def nothing_is_left_behind() -> bool:
    return not await db.fetch_val(
        "SELECT (SELECT count(*) FROM inbox) + (SELECT count(*) FROM orders) + (SELECT count(*) FROM pgqueuer)"
    )


async def test_a_signed_message_is_durable_before_the_answer(web: Browser):
    shop = await a_shop()
    answer = await send(web(), shop, "order.paid", order())
    assert (answer.status_code, answer.json()) == (202, {"received": True})
    assert await db.fetch_val("SELECT state FROM inbox") == "received"


@pytest.mark.parametrize("age", [timedelta(minutes=6), timedelta(minutes=-6)], ids=["late", "from the future"])
async def test_a_message_outside_five_minutes_is_refused(web: Browser, age: timedelta):
    shop = await a_shop()
    answer = await send(web(), shop, "order.paid", order(), age=age)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/bad-signature")
    assert await nothing_is_left_behind()


async def test_a_forged_message_is_refused(web: Browser):
    north, other = await a_shop("north"), await a_shop("other")
    answer = await send(web(), north, "order.paid", order(), secret=other.secret)
    assert answer.status_code == 401 and await nothing_is_left_behind()


async def test_an_altered_message_is_refused(web: Browser):
    shop = await a_shop()
    body = message("order.paid", order())
    for altered in (body.replace(b"12900", b"99900"), body + b" ", body[:-1], b"", b"\xff\xfe"):
        answer = await web().post(f"/webhooks/{shop.slug}", content=altered, headers=signed(shop, body))
        assert answer.status_code == 401
    assert await nothing_is_left_behind()


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-signature": ""},
        {"webhook-signature": "v1"},
        {"webhook-signature": "v1,not base64 at all"},
        {"webhook-signature": "v2,AAAA v1,AAAA"},
        {"webhook-timestamp": "yesterday"},
        {"webhook-timestamp": "nan"},
        {"webhook-timestamp": "9" * 40},
        {"webhook-id": "another"},
        {"webhook-id": ""},
    ],
)
async def test_broken_signature_headers_are_refused(web: Browser, change: dict[str, str]):
    shop = await a_shop()
    body = message("order.paid", order())
    answer = await web().post(f"/webhooks/{shop.slug}", content=body, headers={**signed(shop, body), **change})
    assert answer.status_code == 401 and await nothing_is_left_behind()


async def test_no_signature_at_all_is_refused(web: Browser):
    shop = await a_shop()
    assert (await web().post(f"/webhooks/{shop.slug}", json={"type": "order.paid"})).status_code == 401
    assert await nothing_is_left_behind()


async def test_an_unknown_store_is_not_found(web: Browser):
    shop = await a_shop()
    body = message("order.paid", order())
    answer = await web().post("/webhooks/nobody", content=body, headers=signed(shop, body))
    assert answer.status_code == 404 and await nothing_is_left_behind()


async def test_a_second_delivery_changes_nothing(web: Browser):
    shop = await a_shop()
    body = message("order.paid", order())
    headers = signed(shop, body, event_id="msg_same")
    answers = [await web().post(f"/webhooks/{shop.slug}", content=body, headers=headers) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 1
    await run_jobs()
    # Also after it was applied, and with a new signature over the same body.
    again = await web().post(f"/webhooks/{shop.slug}", content=body, headers=signed(shop, body, event_id="msg_same"))
    assert again.status_code == 200 and await run_jobs() == 0


async def test_deliveries_at_once_are_one(web: Browser):
    shop = await a_shop()
    body = message("order.paid", order())
    headers = signed(shop, body, event_id="msg_same")
    answers = await asyncio.gather(
        *(web().post(f"/webhooks/{shop.slug}", content=body, headers=headers) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [202]
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 1


async def test_the_same_id_with_another_body_is_a_conflict(web: Browser):
    shop = await a_shop()
    assert (await send(web(), shop, "order.paid", order("1"), event_id="msg_same")).status_code == 202
    other = await send(web(), shop, "order.paid", order("2"), event_id="msg_same")
    assert other.status_code == 409 and other.json()["type"].endswith("/same-id-other-body")
    await run_jobs()
    assert await db.fetch_val("SELECT array_agg(external_id) FROM orders") == ["1"]


async def test_two_stores_may_use_the_same_id(web: Browser):
    for slug in ("north", "south"):
        assert (await send(web(), await a_shop(slug), "order.paid", order(), event_id="1")).status_code == 202


@pytest.mark.parametrize(("extra", "status"), [(0, 202), (1, 413)])
async def test_a_body_may_have_one_mebibyte_and_not_a_byte_more(web: Browser, extra: int, status: int):
    shop = await a_shop()
    body = message("order.paid", order(), padding="")
    body = body.replace(b'"padding": ""', b'"padding": "' + b"x" * (1024 * 1024 - len(body) + extra) + b'"')
    assert len(body) == 1024 * 1024 + extra
    answer = await web().post(f"/webhooks/{shop.slug}", content=body, headers=signed(shop, body))
    assert answer.status_code == status
    assert await db.fetch_val("SELECT count(*) FROM inbox") == (status == 202)


async def test_a_body_without_a_length_is_cut_off_as_well(web: Browser):
    shop = await a_shop()

    async def endless():
        for _ in range(64):
            yield b"x" * 64 * 1024

    answer = await web().post(f"/webhooks/{shop.slug}", content=endless(), headers=signed(shop, b"x"))
    assert answer.status_code == 413 and await nothing_is_left_behind()


@pytest.mark.parametrize(
    "body",
    [message("cart.abandoned", {"id": "7"}), b"[1, 2]", b"not json", b'{"type": 7}', b"[" * 9000],
    ids=["unknown type", "a list", "no json", "a number as type", "deep"],
)
async def test_what_we_do_not_understand_is_kept(web: Browser, body: bytes):
    shop = await a_shop()
    answer = await web().post(f"/webhooks/{shop.slug}", content=body, headers=signed(shop, body))
    assert answer.status_code == 202
    await run_jobs()
    kept = await db.fetch_one("SELECT state, note, payload FROM inbox")
    assert kept["state"] == "kept" and kept["note"] and kept["payload"] == body
    assert not await db.fetch_val("SELECT count(*) FROM orders")


async def test_the_customers_name_and_email_leave_the_inbox_once_applied(web: Browser):
    shop = await a_shop()
    await send(web(), shop, "order.paid", order())
    await run_jobs()
    row = await db.fetch_one("SELECT i.payload, c.email_hmac FROM inbox i, customer c")
    assert b"bob@example.org" not in row["payload"] and b'"Bob"' not in row["payload"]
    assert len(row["email_hmac"]) == 64


async def test_a_foreign_page_may_send_no_webhook_with_a_cookie(web: Browser):
    """The signature is the only key: cookies and CSRF tokens open nothing here."""
    shop = await a_shop()
    answer: httpx.Response = await web().post(
        f"/webhooks/{shop.slug}", content=b"{}", headers={"Origin": "https://evil.example", "Cookie": "gv_session=x"}
    )
    assert answer.status_code == 401


async def test_a_body_that_trickles_in_is_cut_off(web: Browser, monkeypatch: pytest.MonkeyPatch):
    from storefront.connectors import api

    monkeypatch.setattr(api, "BODY_SECONDS", 0.2)
    shop = await a_shop()
    body = message("order.paid", order())

    async def trickle():
        for byte in body:
            yield bytes([byte])
            await asyncio.sleep(0.05)

    answer = await web().post(f"/webhooks/{shop.slug}", content=trickle(), headers=signed(shop, body))
    assert answer.status_code == 408 and answer.json()["type"].endswith("/too-slow")
    assert await nothing_is_left_behind()


async def test_who_forges_too_often_is_told_to_stop_and_the_shop_beside_it_goes_on(web: Browser):
    from storefront.connectors.api import MOST_FORGED_A_MINUTE

    shop, other = await a_shop(), await a_shop("south")
    body = message("order.paid", order())
    forged = {**signed(shop, body), "webhook-signature": "v1,AAAA"}
    answers = [
        (await web().post(f"/webhooks/{shop.slug}", content=body, headers=forged)).status_code
        for _ in range(MOST_FORGED_A_MINUTE * 2 + 1)
    ]
    assert answers[0] == 401 and answers[-1] == 429
    assert (await send(web(), shop, "order.paid", order())).status_code == 202
    assert (await web().post("/webhooks/south", content=body, headers=forged)).status_code == 401
    assert (await send(web(), other, "order.paid", order())).status_code == 202


async def test_woocommerces_greeting_is_answered_and_forgotten(web: Browser):
    """A new webhook first says `webhook_id=7`, unsigned, and gives up for good unless it hears 200."""
    shop = await a_shop(provider="woocommerce", secret="what-we-agreed-on")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await web().post(f"/webhooks/{shop.slug}", content=b"webhook_id=7", headers=form)
    assert answer.status_code == 200 and await nothing_is_left_behind()
    for body in (b"webhook_id=7&order=1", b"webhook_id=", b"webhook_id=7\n{}", b'{"webhook_id": 7}'):
        assert (await web().post(f"/webhooks/{shop.slug}", content=body, headers=form)).status_code == 401
    generic = await a_shop("south")
    assert (await web().post(f"/webhooks/{generic.slug}", content=b"webhook_id=7")).status_code == 401


async def test_two_woocommerce_deliveries_of_one_second_are_two(web: Browser):
    """They carry the same delivery id, which is a hash of the webhook and the second."""
    from tests.storefront.providers import Sale, woocommerce

    shop = await a_shop(provider="woocommerce", secret=woocommerce.SECRET)
    for number in ("1", "2", "2"):
        told = woocommerce.order(Sale(number))[0]
        headers = woocommerce.headers(shop.secret, told, event_id="1f2e3d")
        answer = await web().post(f"/webhooks/{shop.slug}", content=told.body, headers=headers)
        assert answer.status_code in (200, 202)
    assert await db.fetch_val("SELECT count(*) FROM inbox") == 2


async def test_one_shopify_event_in_two_topics_is_two_messages(web: Browser):
    from tests.storefront.providers import Message, Sale, shopify

    shop = await a_shop(provider="shopify", secret=shopify.SECRET)
    body = shopify.order(Sale())[0].body
    for topic, status in (("orders/create", 202), ("orders/paid", 202), ("orders/paid", 200)):
        told = Message(topic, body)
        headers = shopify.headers(shop.secret, told, event_id="same")
        assert (await web().post(f"/webhooks/{shop.slug}", content=body, headers=headers)).status_code == status
    without = {name: value for name, value in headers.items() if "Event-Id" not in name}
    assert (await web().post(f"/webhooks/{shop.slug}", content=body, headers=without)).status_code == 202


async def test_a_message_nobody_cleared_forgets_the_customer_after_thirty_days(web: Browser):
    shop = await a_shop()
    customer = {"id": "c1", "email": "bob@example.org", "name": "Bob"}
    assert (await send(web(), shop, "order.paid", order(customer=customer, currency="???"))).status_code == 202
    assert (
        await send(web(), shop, "cart.abandoned", {"customer": customer, "email": "bob@example.org"})
    ).status_code == 202
    await run_jobs()
    await db.execute("UPDATE inbox SET payload = 'Bob, bob@example.org' WHERE topic = 'cart.abandoned'")

    async def said() -> str:
        return " ".join(
            bytes(row["payload"]).decode() for row in await db.fetch("SELECT payload FROM inbox ORDER BY id")
        )

    clock.travel(timedelta(days=29))
    await strip_old_messages()
    assert (await said()).count("bob@example.org") == 2
    clock.travel(timedelta(days=2))
    await strip_old_messages()
    assert "bob@" not in await said() and "Bob" not in await said() and '"1001"' in await said()
    # Still there to be looked at and read again, as far as it goes.
    states = [row["state"] for row in await db.fetch("SELECT state FROM inbox ORDER BY id")]
    assert states == ["flagged", "kept"]
