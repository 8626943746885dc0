"""What every provider's connector must do: one suite, told by all six."""

import asyncio
import gzip
import itertools
import random
from datetime import timedelta
from types import ModuleType
from typing import Any

import httpx
import msgspec
import pytest

from app import clock, db
from storefront.orders.fingerprints import phone_fingerprint
from storefront.orders.queries import lines_of
from storefront.orders.schemas import OrderTold
from tests.factories import Browser, a_member, run_jobs
from tests.storefront.providers import TELLERS, Message, Refund, Sale, SaleLine
from tests.storefront.providers.sale import iso, placed_at
from tests.storefront.shop import Shop, a_shop

pytestmark = pytest.mark.anyio
every_provider = pytest.mark.parametrize("provider", TELLERS)
TWO_LINES = [SaleLine("11", "901", "Trail pack", 2, 25_800, 1_801, 2_000), SaleLine("12", "902", "Cup", 1, 4_99, 0, 42)]
TAXED = Sale(lines=TWO_LINES, shipping=500, shipping_tax=41)
NO_SHIPPING = Sale(shipping=0)


async def a_shop_of(provider: str, **more: Any) -> Shop:
    return await a_shop("north", provider=provider, secret=TELLERS[provider].SECRET, **more)


async def send(web: Browser, provider: str, shop: Shop, message: Message, **how: Any) -> httpx.Response:
    teller = TELLERS[provider]
    headers = teller.headers(shop.secret, message, **how)
    return await web().post(f"/webhooks/{shop.slug}", content=message.body, headers=headers)


async def tell(web: Browser, provider: str, shop: Shop, messages: list[Message]) -> None:
    for message in messages:
        answer = await send(web, provider, shop, message)
        assert answer.status_code == 202, answer.text
    await run_jobs()
    left = await db.fetch("SELECT topic, state, note FROM inbox WHERE state <> 'applied'")
    assert [tuple(row) for row in left] == []


async def standing() -> dict[str, Any]:
    """What is known of the one order, in amounts; estimates of where a refund belongs count like told ones."""
    order = await db.fetch_one("SELECT * FROM orders")
    lines = await lines_of(order["id"])
    return {
        "order": order["external_id"],
        "currency": order["currency"],
        "gv": order["gv"] and order["gv"].hex,
        "codes": order["codes"],
        "beside": order["shipping"] + order["fees"],
        "total": order["total"],
        "doubt": order["doubt"],
        "happened": [bool(order[f"{name}_at"]) for name in ("paid", "delivered", "cancelled")],
        "lines": [(line["external_id"], line["external_product_id"], line["title"], line["quantity"],
                   line["base"], line["tax"]) for line in lines],
        "back": await back(),
        "address": order["address_hmac"],
        "phone": order["phone_hmac"],
    }  # fmt: skip


async def back() -> dict[str, int]:
    """What went back of each line, less what a won dispute gave back again."""
    rows = await db.fetch(
        """SELECT rl.external_line_id AS line, sum(CASE WHEN f.kind = 'dispute_won' THEN -amount ELSE amount END) AS n
             FROM refund f JOIN refund_line rl ON rl.refund_id = f.id GROUP BY 1 HAVING sum(amount) <> 0 ORDER BY 1"""
    )
    return {row["line"]: int(row["n"]) for row in rows}


def said_by(provider: str, message: Message, store: dict[str, Any] | None = None) -> list[Any]:
    """What the mapper alone makes of it."""
    from storefront.connectors.service import CONNECTORS

    north = store or {"currency": "USD", "channel": "", "origin": "https://north.example"}
    return CONNECTORS[provider].facts(north, message.topic, message.body, clock.now())  # type: ignore[arg-type]


@every_provider
@pytest.mark.parametrize("tax_included", [False, True], ids=["tax added", "tax included"])
async def test_the_same_order_is_the_same_facts_whoever_tells_it(web: Browser, provider: str, tax_included: bool):
    shipping_tax = 0 if tax_included else 41
    sale = msgspec.structs.replace(TAXED, shipping_tax=shipping_tax, tax_included=tax_included)
    shop = await a_shop_of(provider)
    await tell(web, provider, shop, TELLERS[provider].order(sale))
    known = await standing()
    assert known.pop("address") == await _address_hmac()
    assert known.pop("phone") == phone_fingerprint("+44 20 7946 0018")
    assert known == {
        "order": "5001",
        "currency": "USD",
        "gv": "0123456789abcdef0123456789abcdef",
        "codes": ["MARA10"],
        "beside": 500 + shipping_tax,
        "total": sale.total,
        "doubt": "",
        "happened": [True, False, False],
        "lines": [("11", "901", "Trail pack", 2, 23_999, 2_000), ("12", "902", "Cup", 1, 499, 42)],
        "back": {},
    }
    buyer = await db.fetch_one("SELECT external_id, email_hmac FROM customer")
    from storefront.orders.fingerprints import email_fingerprint

    assert (buyer["external_id"], buyer["email_hmac"]) == ("71", email_fingerprint("bob@example.org"))
    inbox = b"".join(row["payload"] for row in await db.fetch("SELECT payload FROM inbox"))
    for private in (b"bob@example.org", b'"Bob"', b"Mill Lane", b"AB1 2CD", b"7946"):
        assert private not in inbox


async def _address_hmac() -> str:
    from storefront.orders.fingerprints import address_fingerprint

    return address_fingerprint(["1 mill lane", "FLAT 2", "ab12cd", "gb"])


@every_provider
@pytest.mark.parametrize(
    ("currency", "gross", "discount"), [("JPY", 12_900, 901), ("KWD", 12_905, 5), ("EUR", 1, 0), ("ISK", 1_500, 100)]
)
async def test_amounts_have_the_decimals_of_their_currency(provider: str, currency: str, gross: int, discount: int):
    sale = Sale(currency=currency, lines=[SaleLine(gross=gross, discount=discount)], shipping=50)
    told = TELLERS[provider].order(sale)[0]
    if provider == "stripe" and currency == "ISK":
        told = TELLERS[provider].order(_in_hundredths(sale))[0]
    store = {"currency": currency, "channel": "", "origin": "https://north.example"}
    (order, *_) = said_by(provider, told, store)
    assert isinstance(order, OrderTold) and order.currency == currency
    assert [(line.gross, line.discount) for line in order.lines or []] == [(gross, discount)]
    assert (order.shipping, order.total) == (50, gross - discount + 50)


def _in_hundredths(sale: Sale) -> Sale:
    lines = [SaleLine(gross=line.gross * 100, discount=line.discount * 100) for line in sale.lines]
    return msgspec.structs.replace(sale, lines=lines, shipping=sale.shipping * 100)


@every_provider
async def test_partial_refunds_take_their_part_and_the_last_one_all(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    teller = TELLERS[provider]
    first, second = Refund("801", {"11": (0, 4_000)}), Refund("802", {"11": (1, 8_000)})
    await tell(web, provider, shop, teller.order(NO_SHIPPING))
    await tell(web, provider, shop, teller.order(msgspec.structs.replace(NO_SHIPPING, refunds=[first], minutes=5)))
    assert await back() == {"11": 4_000}
    both = msgspec.structs.replace(NO_SHIPPING, refunds=[first, second], minutes=9)
    await tell(web, provider, shop, teller.order(both))
    assert await back() == {"11": 12_000} and (await standing())["doubt"] == ""


@every_provider
async def test_giving_back_everything_gives_back_every_line_to_the_cent(web: Browser, provider: str):
    """With tax and shipping in it, in two uneven parts, and nobody told which part was of which line."""
    shop = await a_shop_of(provider)
    odd = Refund("801", {}, beside=7_777)
    rest = Refund("802", {}, beside=TAXED.total - 7_777)
    if provider in ("generic", "shopify"):  # these name the lines
        odd = Refund("801", {"11": (1, 7_777)})
        rest = Refund("802", {"11": (1, 23_999 - 7_777), "12": (1, 499)}, beside=541 if provider == "shopify" else 0)
    await tell(web, provider, shop, TELLERS[provider].order(msgspec.structs.replace(TAXED, refunds=[odd, rest])))
    assert await back() == {"11": 23_999, "12": 499} and (await standing())["doubt"] == ""


@every_provider
async def test_a_cancelled_and_a_delivered_order_say_so(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    teller = TELLERS[provider]
    if provider == "stripe":  # it knows neither: money that did not come after all is what it has
        unpaid = teller.event("checkout.session.async_payment_failed", _session_of(teller, Sale(paid=False)), Sale())
        await tell(web, provider, shop, [unpaid])
        assert (await standing())["happened"] == [False, False, True]
        return
    await tell(web, provider, shop, teller.order(Sale()))
    await tell(web, provider, shop, teller.order(Sale(delivered=True, minutes=5)))
    assert (await standing())["happened"] == [True, True, False]
    await tell(web, provider, shop, teller.order(Sale(cancelled=True, minutes=9)))
    assert (await standing())["happened"] == [True, True, True]


def _session_of(teller: ModuleType, sale: Sale) -> dict[str, Any]:
    return msgspec.json.decode(teller.order(sale)[0].body)["data"]["object"]


@every_provider
async def test_an_unpaid_order_is_known_and_not_paid(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    await tell(web, provider, shop, TELLERS[provider].order(Sale(paid=False)))
    assert (await standing())["happened"] == [False, False, False]
    await tell(web, provider, shop, TELLERS[provider].order(Sale(minutes=3)))
    assert (await standing())["happened"] == [True, False, False]


@every_provider
async def test_a_chargeback_takes_it_and_winning_gives_it_back(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    teller = TELLERS[provider]
    await tell(web, provider, shop, teller.order(TAXED))
    await tell(web, provider, shop, teller.dispute(TAXED, won=False))
    assert await back() == {"11": 23_999, "12": 499}
    assert await db.fetch_val("SELECT string_agg(kind, ',') FROM refund") == "chargeback"
    await tell(web, provider, shop, teller.dispute(TAXED, won=True)[1:])
    assert await back() == {"11": 0, "12": 0} and (await standing())["doubt"] == ""


@pytest.mark.parametrize("first", ["told first", "failed first", "sum first"])
async def test_a_stripe_refund_that_failed_gave_nothing_back(web: Browser, first: str):
    """Also when the charge's sum still had it, and whichever is heard first."""
    shop, teller = await a_shop_of("stripe"), TELLERS["stripe"]
    sale = msgspec.structs.replace(NO_SHIPPING, refunds=[Refund("re_1", {}, 4_000), Refund("re_2", {}, 1_000)])
    order, one, two, so_far = teller.order(sale)
    failed = msgspec.json.decode(one.body)["data"]["object"] | {"status": "failed"}
    failure = teller.event("refund.failed", failed, sale)
    sequences = {
        "told first": [order, one, two, so_far, failure],
        "failed first": [failure, two, one, order, so_far],
        "sum first": [so_far, order, failure, one, two],
    }
    await tell(web, "stripe", shop, sequences[first])
    assert await back() == {"11": 1_000} and (await standing())["doubt"] == ""


async def test_the_card_that_paid_is_kept_as_a_keyed_hash_alike(web: Browser):
    """Stripe tells it apart from the checkout, before or after it; a generic shop with the order."""
    from storefront.orders.fingerprints import instrument_fingerprint

    shop, teller = await a_shop_of("stripe"), TELLERS["stripe"]
    card = {"type": "card", "card": {"brand": "visa", "fingerprint": "Xt5EWLLDS7FJjR1c", "last4": "4242"}}
    charge = {"id": "ch_1", "object": "charge", "payment_method_details": card, "billing_details": {"name": "Bob"}}
    told = teller.event(
        "charge.succeeded", {**charge, "currency": "usd", "created": 1, "payment_intent": "5001"}, Sale()
    )
    await tell(web, "stripe", shop, [told, *teller.order(Sale())])
    kept = await db.fetch_val("SELECT instrument_hmac FROM orders")
    assert kept == instrument_fingerprint("Xt5EWLLDS7FJjR1c") and len(kept) == 64
    assert not await db.fetch_val("SELECT count(*) FROM inbox WHERE position('Xt5EWLLDS7FJjR1c'::bytea in payload) > 0")
    south = await a_shop("south")
    from tests.storefront.shop import order as generic_order
    from tests.storefront.shop import send as generic_send

    await generic_send(web(), south, "order.paid", generic_order(payment_fingerprint="Xt5EWLLDS7FJjR1c"))
    await run_jobs()
    assert await db.fetch_val("SELECT count(DISTINCT instrument_hmac) FROM orders") == 1
    assert not await db.fetch_val("SELECT count(*) FROM inbox WHERE position('Xt5EWLLDS7FJjR1c'::bytea in payload) > 0")


@every_provider
async def test_whoever_shared_earns_and_gives_back_the_same_whoever_tells_it(web: Browser, provider: str):
    from tests.referrals import cast

    shop, mara = await cast.a_paying_shop(), await a_member("mara")
    gv = await cast.click(web(), (await cast.a_link(web, mara))["code"])
    teller = TELLERS[provider]
    shop.secret = teller.SECRET or shop.secret
    await db.execute("UPDATE store SET provider = $1, secret = $2", provider, shop.secret)
    now = int((clock.now() - placed_at()).total_seconds() // 60) + 1  # bought after the click
    sale = Sale(gv=gv, code=None, shipping=0, minutes=now)
    await tell(web, provider, shop, _bought_now(teller, sale))
    assert await cast.standing(mara) == {("pending", "USD"): 1_200}
    some = msgspec.structs.replace(sale, refunds=[Refund("801", {"11": (0, 3_000)})], minutes=now + 1)
    await tell(web, provider, shop, _bought_now(teller, some))
    assert await cast.standing(mara) == {("pending", "USD"): 900}
    rest = [*some.refunds, Refund("802", {"11": (1, 9_000)})]
    await tell(web, provider, shop, _bought_now(teller, msgspec.structs.replace(some, refunds=rest, minutes=now + 2)))
    assert await cast.standing(mara) == {}
    await cast.books_are_right()


def _bought_now(teller: ModuleType, sale: Sale) -> list[Message]:
    """The sale, as of a moment after the clicks of this test."""
    then, now = placed_at(), clock.now()
    spellings = [(iso(then), iso(now)), (then.strftime("%Y-%m-%dT%H:%M:%S"), now.strftime("%Y-%m-%dT%H:%M:%S")),
                 (f'"created": {int(then.timestamp())}', f'"created": {int(now.timestamp()) + 1}')]  # fmt: skip
    messages = teller.order(sale)
    for message in messages:
        for before, after in spellings:
            message.body = message.body.replace(before.encode(), after.encode())
    return messages


@every_provider
async def test_a_customer_and_a_product_are_known(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    teller = TELLERS[provider]
    await tell(web, provider, shop, [teller.customer(Sale())])
    assert await db.fetch_val("SELECT external_id FROM customer") == "71"
    if teller.product is None:
        return
    await tell(web, provider, shop, [teller.product(Sale(), "Trail pack", 12_900)])
    await tell(web, provider, shop, [teller.product(Sale(minutes=-60), "Old name", 1)])
    row = await db.fetch_one("SELECT external_id, title, price, url FROM product")
    assert tuple(row) == ("901", "Trail pack", 12_900, "https://north.example/products/trail-pack")


def _history(teller: ModuleType) -> list[Message]:
    """Paid, edited by one line, two refunds, delivered, charged back, won; with times that go up."""
    edited = [SaleLine(gross=13_900), SaleLine("12", "902", "Cup", 1, 500, 0, 0)]
    back_ = [Refund("801", {"11": (0, 1_000)}), Refund("802", {"11": (0, 500)})]
    sales = [
        Sale(shipping=0),
        Sale(shipping=0, lines=edited, minutes=2),
        Sale(shipping=0, lines=edited, minutes=4, refunds=back_[:1]),
        Sale(shipping=0, lines=edited, minutes=6, refunds=back_, delivered=True),
    ]
    told = [message for sale in sales for message in teller.order(sale)] + teller.dispute(sales[1], won=True)
    return list({(message.topic, message.body): message for message in told}.values())


@every_provider
async def test_any_sequence_and_repetition_of_the_same_messages_ends_the_same(web: Browser, provider: str):
    """Forty shuffles, each with repetitions, beside the sequence as it happened."""
    from storefront.connectors.service import apply
    from storefront.stores.queries import store_by_slug

    await a_shop_of(provider)
    store, history = await store_by_slug("north"), _history(TELLERS[provider])
    chance, outcomes = random.Random(7), []
    for number in range(40):
        told = [*history, *chance.sample(history, 2)]
        if number:
            chance.shuffle(told)
        for message in told:
            for fact in said_by(provider, message):
                await apply(store, fact)
        outcomes.append(await _everything())
        for table in ("refund_line", "refund", "order_line", "orders", "customer"):
            await db.execute(f"DELETE FROM {table}")
    for outcome in outcomes:
        assert outcome == outcomes[0]
    assert outcomes[0]


async def _everything() -> list[Any]:
    """Every row that the messages left, without our own numbers and times."""
    rows = []
    for table in ("orders", "order_line", "refund_line", "refund", "customer"):
        found = await db.fetch(
            f"SELECT to_jsonb(t) - '{{id,order_id,refund_id,customer_id,created_at}}'::text[] FROM {table} t"
        )
        rows += sorted(str(sorted(row[0].items())) for row in found)
    return rows


@every_provider
async def test_tellings_of_the_same_moment_end_the_same(provider: str, web: Browser):
    from storefront.connectors.service import apply
    from storefront.stores.queries import store_by_slug

    await a_shop_of(provider)
    store, teller = await store_by_slug("north"), TELLERS[provider]
    sales = [
        Sale(lines=[SaleLine(gross=gross, discount=0)], code=code)
        for gross, code in ((100, "A"), (90, "B"), (80, None))
    ]
    outcomes = []
    for sequence in itertools.permutations([message for sale in sales for message in teller.order(sale)[:1]]):
        for message in sequence:
            for fact in said_by(provider, message):
                await apply(store, fact)
        outcomes.append(await _everything())
        for table in ("order_line", "orders", "customer"):
            await db.execute(f"DELETE FROM {table}")
    assert all(outcome == outcomes[0] for outcome in outcomes)


@every_provider
async def test_a_replay_changes_nothing_and_sixty_four_at_once_are_one(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    message = TELLERS[provider].order(Sale())[0]
    headers = TELLERS[provider].headers(shop.secret, message, event_id="evt_same")
    address = f"/webhooks/{shop.slug}"
    answers = await asyncio.gather(*(web().post(address, content=message.body, headers=headers) for _ in range(64)))
    assert sorted(answer.status_code for answer in answers) == [200] * 63 + [202]
    await run_jobs()
    again = await web().post(address, content=message.body, headers=headers)
    assert again.status_code == 200 and await run_jobs() == 0
    assert await db.fetch_val("SELECT count(*) FROM inbox") == await db.fetch_val("SELECT count(*) FROM orders") == 1


@every_provider
async def test_forged_truncated_and_recoded_messages_leave_nothing(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    message = TELLERS[provider].order(Sale(email="zoë@example.org"))[0]
    body = message.body.replace(b"\\u00eb", "ë".encode())
    message.body = body
    headers = TELLERS[provider].headers(shop.secret, message)
    forged = TELLERS[provider].headers(shop.secret[:-4] + "AAA=", message)
    tries: list[tuple[bytes, dict[str, str]]] = [
        (body[:-1], headers),
        (body + b" ", headers),
        (body.replace(b"5001", b"5002"), headers),
        (body.decode().encode("utf-16"), headers),
        (body.decode().encode("latin-1"), headers),
        (gzip.compress(body), {**headers, "Content-Encoding": "gzip"}),
        (body, {name: value for name, value in headers.items() if "ignature" not in name and "Hmac" not in name}),
        (
            body,
            {name: value[::-1] if "ignature" in name or "Hmac" in name else value for name, value in headers.items()},
        ),
        (body, forged),
        (b"", headers),
    ]
    for content, given in tries:
        answer = await web().post(f"/webhooks/{shop.slug}", content=content, headers=given)
        assert answer.status_code == 401 and answer.json()["type"].endswith("/bad-signature")
    assert not await db.fetch_val("SELECT count(*) FROM inbox")
    assert (await web().post(f"/webhooks/{shop.slug}", content=body, headers=headers)).status_code == 202
    large = Message(message.topic, b'{"id": "' + b"x" * 1024 * 1024 + b'"}')
    answer = await web().post(
        f"/webhooks/{shop.slug}", content=large.body, headers=TELLERS[provider].headers(shop.secret, large)
    )
    assert answer.status_code == 413


@every_provider
async def test_what_is_signed_and_makes_no_sense_is_kept(web: Browser, provider: str):
    shop = await a_shop_of(provider)
    order = TELLERS[provider].order(Sale())[0]
    nonsense = [
        Message("nobody/knows", b'{"id": "1", "type": "nobody.knows", "created": 1, "data": {"object": {}}}'),
        Message(order.topic, b"[1, 2]"),
        Message(order.topic, b"not json at all"),
        Message(order.topic, b"\xff\xfe\x00"),
        Message(order.topic, b"[" * 5000),
        Message(
            order.topic, b'{"type": "' + order.topic.encode() + b'", "id": "evt", "created": 1, "data": {"object": {}}}'
        ),
    ]
    if provider in ("generic", "medusa"):
        nonsense = [message for message in nonsense if b"\xff" not in message.body]  # the standard signs text
    for number, message in enumerate(nonsense):
        how = {} if provider == "stripe" else {"event_id": f"evt_{number}"}
        if provider in ("generic", "medusa"):
            answer = await _signed_bytes(web, shop, message.body, f"evt_{number}")
        else:
            answer = await send(web, provider, shop, message, **how)
        assert answer.status_code == 202, (message, answer.text)
    await run_jobs()
    states = {row["state"] for row in await db.fetch("SELECT state, note FROM inbox WHERE note <> ''")}
    assert states <= {"kept", "flagged"} and await db.fetch_val("SELECT count(*) FROM inbox WHERE note <> ''") == len(
        nonsense
    )
    assert not await db.fetch_val("SELECT count(*) FROM orders")


async def _signed_bytes(web: Browser, shop: Shop, body: bytes, event_id: str) -> httpx.Response:
    """Standard Webhooks sign bytes; the library only takes text."""
    import base64
    import hashlib
    import hmac
    import time

    at = str(int(time.time()))
    key = base64.b64decode(shop.secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{event_id}.{at}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": event_id,
        "webhook-timestamp": at,
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
    }
    return await web().post(f"/webhooks/{shop.slug}", content=body, headers=headers)


@pytest.mark.parametrize("provider", ["shopify", "woocommerce"])
async def test_a_topic_that_belies_its_body_does_nothing(web: Browser, provider: str):
    """The header is not signed: whoever holds one message may not make another one of it."""
    shop = await a_shop_of(provider)
    await tell(web, provider, shop, TELLERS[provider].order(Sale()))
    body = TELLERS[provider].order(Sale(minutes=5))[0].body
    lies = {
        "shopify": ["orders/cancelled", "refunds/create", "disputes/create", "products/create"],
        "woocommerce": ["order.created", "customer.updated", "product.updated", "coupon.created", "order.disputed"],
    }
    for topic in lies[provider]:
        await send(web, provider, shop, Message(topic, body))
    await run_jobs()
    known = await standing()
    assert known["happened"] == [True, False, False] and known["back"] == {}
    assert not await db.fetch_val("SELECT count(*) FROM product")


@pytest.mark.parametrize("provider", ["generic", "medusa", "stripe"])
@pytest.mark.parametrize("age", [timedelta(seconds=310), timedelta(seconds=-310)], ids=["late", "early"])
async def test_a_signature_is_good_for_five_minutes(web: Browser, provider: str, age: timedelta):
    shop = await a_shop_of(provider)
    message = TELLERS[provider].order(Sale())[0]
    assert (await send(web, provider, shop, message, age=age)).status_code == 401
    assert (await send(web, provider, shop, message, age=age * 0.9)).status_code == 202


@every_provider
async def test_after_a_change_both_secrets_are_taken_for_a_while(web: Browser, provider: str):
    from storefront.stores.queries import store_by_slug
    from storefront.stores.secrets import change_secret

    shop = await a_shop_of(provider)
    new = "" if provider in ("generic", "medusa") else shop.secret[::-1]
    new = await change_secret(await store_by_slug("north"), new, overlap=timedelta(days=2))
    changed = Shop(shop.id, shop.slug, new, shop.publishable_key, shop.origin)
    order = TELLERS[provider].order
    assert (await send(web, provider, shop, order(Sale("1"))[0])).status_code == 202
    assert (await send(web, provider, changed, order(Sale("2"))[0])).status_code == 202
    await db.execute("UPDATE store SET old_secret_until = now() - interval '1 second'")
    assert (await send(web, provider, shop, order(Sale("3"))[0])).status_code == 401
    assert (await send(web, provider, changed, order(Sale("4"))[0])).status_code == 202
