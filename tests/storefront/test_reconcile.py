"""Asking the shop itself: what its webhooks left out is made up for, and a shop that fell silent is noticed.

The shops answer what their documented APIs answer, recorded here; what we ask is checked word by word.
"""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from app import clock, db
from app.http import Answer, CannotFetch
from storefront.connectors import ask, codes, reconcile, silence
from storefront.connectors.ask import Refused
from storefront.connectors.schemas import Offer
from storefront.stores.queries import store_by_slug
from storefront.stores.service import give_access
from tests.factories import Browser, a_member, run_jobs
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing
from tests.storefront import test_connectors as contract
from tests.storefront.providers import TELLERS, Refund, Sale, saleor, shopify, woocommerce
from tests.storefront.shop import a_shop, order, send

pytestmark = pytest.mark.anyio
Asked = dict[str, Any]
Reply = Callable[[Asked], Answer]


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch):
    """`outside(reply)`: whatever we ask from now on is answered by this function; the list of what was asked."""

    def answer_with(reply: Reply) -> list[Asked]:
        asked: list[Asked] = []

        async def fetch(method: str, url: str, **how: Any) -> Answer:
            asked.append({"method": method, "url": url, **how})
            return reply(asked[-1])

        async def at_once(seconds: float) -> None:
            asked.append({"waited": seconds})

        monkeypatch.setattr(ask, "fetch", fetch)
        monkeypatch.setattr(ask, "sleep", at_once)
        return asked

    return answer_with


def says(data: Any, status: int = 200, **headers: str) -> Answer:
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, msgspec.json.encode(data))


async def a_shop_to_ask(provider: str, keys: str = "ck_1:cs_2", **more: Any):
    shop = await contract.a_shop_of(provider, **more)
    await give_access(await store_by_slug("north"), "https://north.example", "" if provider == "generic" else keys)
    return shop


async def test_a_generic_shop_is_asked_with_a_signature_it_can_check(web: Browser, outside):
    shop = await a_shop_to_ask("generic")
    first, second = (TELLERS["generic"].order(Sale(number))[0] for number in ("1", "2"))

    def reply(asked: Asked) -> Answer:
        Webhook(shop.secret).verify(asked["content"], asked["headers"], json_parse=False)
        said = msgspec.json.decode(asked["content"])
        message = first if said["after"] is None else second
        return says({"messages": [msgspec.json.decode(message.body)], "next": None if said["after"] else "page-2"})

    asked = outside(reply)
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert (report.seen, report.missed, report.stale, report.error) == (2, 2, 0, "")
    assert [one["url"] for one in asked] == ["https://north.example"] * 2
    assert await db.fetch_val("SELECT count(*) FROM orders WHERE paid_at IS NOT NULL") == 2
    again = await reconcile.reconcile(await store_by_slug("north"))
    assert (again.seen, again.missed, again.stale) == (2, 0, 0)


async def test_what_a_lost_webhook_would_have_earned_is_earned_by_the_pull(web: Browser, outside):
    shop, mara = await a_paying_shop(), await a_member("mara")
    await give_access(await store_by_slug("north"), "https://north.example/feed")
    gv = await click(web(), (await a_link(web, mara))["code"])
    hour_ago = (clock.now() - timedelta(hours=1)).isoformat()
    known, lost = order("1", updated_at=hour_ago), order("2", gv=gv, updated_at=hour_ago)
    await send(web(), shop, "order.paid", known)
    await run_jobs()
    told = [{"type": "order.paid", "timestamp": hour_ago, "data": data} for data in (known, lost)]
    outside(lambda asked: says({"messages": told}))
    report = await reconcile.reconcile(await store_by_slug("north"))
    await run_jobs()
    assert (report.seen, report.missed, report.stale) == (2, 1, 0)
    assert await standing(mara) == {("pending", "USD"): 1_200}
    # The webhook comes after all: nothing is counted twice.
    await send(web(), shop, "order.paid", lost)
    await run_jobs()
    assert await standing(mara) == {("pending", "USD"): 1_200}
    await books_are_right()


async def test_shopify_is_asked_page_by_page_and_the_token_stays_with_it(web: Browser, outside):
    await a_shop_to_ask("shopify", keys="shpat_secret")
    pages = {None: [shopify.told(Sale("1"))], "b": [shopify.told(Sale("2", minutes=1))]}

    def reply(asked: Asked) -> Answer:
        assert asked["headers"]["x-shopify-access-token"] == "shpat_secret"
        if "/shopify_payments/" in asked["url"]:
            return says({"errors": "Not Found"}, status=404)  # not every shop has Shopify's own payments
        info = parse_qs(urlsplit(asked["url"]).query).get("page_info", [None])[0]
        link = '<https://north.example/admin/api/2026-01/orders.json?page_info=b>; rel="next"'
        return says({"orders": pages[info]}, link="" if info else link)

    asked = outside(reply)
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert (report.seen, report.missed, report.error) == (2, 2, "")
    query = parse_qs(urlsplit(asked[0]["url"]).query)
    assert query["status"] == ["any"] and query["updated_at_min"][0] <= clock.now().isoformat()
    evil = '<https://evil.example/orders.json?page_info=b>; rel="next"'
    asked = outside(lambda asked: says({"orders": []}, link=evil))
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert report.error and len(asked) == 1
    sealed = await db.fetch_val("SELECT keys FROM store_access")
    assert "shpat" not in sealed


async def test_woocommerce_tells_the_lines_of_a_refund_when_asked(web: Browser, outside):
    """The webhook says 40.00 back, of two lines; only the pull knows that all of it was of the cup."""
    shop = await a_shop_to_ask("woocommerce")
    sale = msgspec.structs.replace(
        contract.NO_SHIPPING, lines=[*Sale().lines, _a_cup()], refunds=[Refund("801", {}, 4_000)]
    )
    await contract.tell(web, "woocommerce", shop, woocommerce.order(sale))
    assert await contract.back() == {"11": 3_000, "12": 1_000}
    line = {"id": 9, "total": "-40.00", "quantity": -1, "meta_data": [{"key": "_refunded_item_id", "value": "12"}]}

    def reply(asked: Asked) -> Answer:
        assert asked["headers"]["authorization"] == "Basic " + base64.b64encode(b"ck_1:cs_2").decode()
        if "/refunds" in asked["url"]:
            return says([{"id": 801, "amount": "40.00", "line_items": [line]}])
        return says([woocommerce.told(sale)])

    outside(reply)
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert (report.missed, report.stale, report.error) == (0, 1, "")
    assert await contract.back() == {"12": 4_000}
    # What the webhook says once more knows less, and changes nothing.
    await contract.tell(web, "woocommerce", shop, woocommerce.order(msgspec.structs.replace(sale, minutes=5)))
    assert await contract.back() == {"12": 4_000}


def _a_cup():
    from tests.storefront.providers import SaleLine

    return SaleLine("12", "902", "Cup", 1, 4_000, 0)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (lambda asked: says({"error": "no"}, status=401), "answered 401"),
        (lambda asked: Answer(200, {}, b"<html>"), "not what it should be"),
        (lambda asked: says({"something": "else"}), "not what it should be"),
        (lambda asked: (_ for _ in ()).throw(CannotFetch("not_public", asked["url"])), "not_public"),
        (lambda asked: says({}, status=429, retry_after="1"), "answered 429"),
        (lambda asked: says({"messages": [], "next": "more"}), "does not end"),
    ],
    ids=["keys refused", "no json", "another json", "a private address", "too fast for ever", "endless"],
)
async def test_a_shop_that_cannot_be_asked_is_in_the_report_and_its_owner_hears(web: Browser, outside, reply, why: str):
    ines = await a_member("ines")
    await a_shop_to_ask("generic", owner_id=ines.id)
    asked = outside(reply)
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert why in report.error and report.missed == 0
    assert await db.fetch_val("SELECT error FROM store_pull") == report.error
    assert await db.fetch_val("SELECT kind FROM notification WHERE member_id = $1", ines.id) == "store_missed"
    if "429" in why:
        assert [one["waited"] for one in asked if "waited" in one] == [1.0] * 3


async def test_every_store_that_may_be_asked_is_asked_at_night(web: Browser, outside):
    from storefront.connectors.jobs import ask_every_store

    await a_shop_to_ask("generic")
    await a_shop("south")
    asked = outside(lambda asked: says({"messages": []}))
    await ask_every_store()
    await run_jobs()
    assert len(asked) == 1 and await db.fetch_val("SELECT count(*) FROM store_pull WHERE ended_at IS NOT NULL") == 1


async def test_a_shop_that_is_silent_for_longer_than_usual_is_noticed_once(web: Browser):
    ines = await a_member("ines")
    shop = await a_shop(owner_id=ines.id)
    for number in range(10):
        await send(web(), shop, "order.paid", order(str(number)))
    await run_jobs()
    # One message every six hours, the last one an hour ago.
    await db.execute("UPDATE inbox SET received_at = now() - interval '1 hour' - (event_id_n.n * interval '6 hours') "
                     "FROM (SELECT id, row_number() OVER (ORDER BY id DESC) - 1 AS n FROM inbox) event_id_n "
                     "WHERE event_id_n.id = inbox.id")  # fmt: skip
    assert await silence.silent_stores() == []
    clock.travel(timedelta(hours=46))
    assert await silence.silent_stores() == []
    clock.travel(timedelta(hours=2))
    (silent,) = await silence.silent_stores()
    assert silent.slug == "north" and not silent.is_sure
    for _ in range(3):
        await silence.tell_owners()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'store_silent'") == 1
    from app.doctor import CHECKS

    finding = await CHECKS["shops"]()
    assert not finding.ok and "north" in finding.seen


async def test_orders_that_only_a_pull_found_prove_the_silence(web: Browser, outside):
    await a_shop_to_ask("generic")
    hour_ago = (clock.now() - timedelta(hours=1)).isoformat()
    told = [{"type": "order.paid", "timestamp": hour_ago, "data": order("1", updated_at=hour_ago)}]
    outside(lambda asked: says({"messages": told}))
    await reconcile.reconcile(await store_by_slug("north"))
    (silent,) = await silence.silent_stores()
    assert silent.is_sure and silent.heard_at is None


async def test_codes_are_written_into_woocommerce_and_a_second_time_changes_nothing(web: Browser, outside):
    await a_shop_to_ask("woocommerce")
    there: set[str] = {"BOB10"}

    def reply(asked: Asked) -> Answer:
        made = []
        for coupon in msgspec.json.decode(asked["content"])["create"]:
            assert coupon["discount_type"] == "percent" and coupon["amount"] in ("10", "10.0", "10.00")
            if coupon["code"] == "bad code":
                made.append({"id": 0, "error": {"code": "rest_invalid_param", "message": "Not a code."}})
            elif coupon["code"] in there:
                made.append({"id": 0, "error": {"code": "woocommerce_rest_coupon_code_already_exists", "message": "x"}})
            else:
                there.add(coupon["code"])
                made.append({"id": 1, "code": coupon["code"].lower()})
        return says({"create": made})

    asked = outside(reply)
    store, many = await store_by_slug("north"), [f"C{number}" for number in range(150)]
    answers = await codes.push_codes(store, ["MARA10", "BOB10", "bad code", *many], Offer(percent_bps=1000))
    assert {code: why for code, why in answers.items() if why} == {"bad code": "Not a code."}
    assert len(asked) == 2 and {"MARA10", *many} <= there
    assert not any((await codes.push_codes(store, ["MARA10", *many], Offer(percent_bps=1000))).values())


async def test_codes_join_a_discount_that_stands_in_shopify(web: Browser, outside):
    await a_shop_to_ask("shopify", keys="shpat_1")
    looks = iter([False, True])

    def reply(asked: Asked) -> Answer:
        said = msgspec.json.decode(asked["content"])
        assert asked["url"].endswith("/admin/api/2026-01/graphql.json")
        if "discountRedeemCodeBulkAdd" in said["query"]:
            assert said["variables"] == {"id": "gid://shopify/DiscountCodeNode/1",
                                         "codes": [{"code": "MARA10"}, {"code": "BOB10"}]}  # fmt: skip
            return says(
                {"data": {"discountRedeemCodeBulkAdd": {"bulkCreation": {"id": "gid://x/1"}, "userErrors": []}}}
            )
        nodes = [{"code": "MARA10", "errors": []}, {"code": "BOB10", "errors": [{"message": "Code must be unique"}]}]
        creation = {"done": next(looks), "codes": {"nodes": nodes}}
        return says({"data": {"discountRedeemCodeBulkCreation": creation}})

    outside(reply)
    offer = Offer(discount_id="gid://shopify/DiscountCodeNode/1")
    answers = await codes.push_codes(await store_by_slug("north"), ["MARA10", "BOB10"], offer)
    assert answers == {"MARA10": "", "BOB10": "Code must be unique"}
    outside(lambda asked: says({"errors": [{"message": "Access denied"}]}))
    with pytest.raises(Refused, match="Access denied"):
        await codes.push_codes(await store_by_slug("north"), ["MARA10"], offer)


async def test_the_codes_that_a_shop_takes_are_read_page_by_page(web: Browser, outside):
    await a_shop_to_ask("woocommerce")

    def woo(asked: Asked) -> Answer:
        page = int(parse_qs(urlsplit(asked["url"]).query)["page"][0])
        some = [{"code": f"c{number}", "status": "publish"} for number in range(100 if page == 1 else 2)]
        return says([*some[:-1], {"code": "draft", "status": "draft"}])

    asked = outside(woo)
    found = await codes.pull_codes(await store_by_slug("north"), Offer())
    assert len(asked) == 2 and len(found) == 100 and found[0] == "C0" and "DRAFT" not in found
    await db.execute("UPDATE store SET provider = 'shopify'")

    def shopify_(asked: Asked) -> Answer:
        said = msgspec.json.decode(asked["content"])["variables"]
        info = {"hasNextPage": said["after"] is None, "endCursor": "b"}
        page = {"nodes": [{"code": "MARA10" if said["after"] is None else "BOB10"}], "pageInfo": info}
        return says({"data": {"codeDiscountNode": {"codeDiscount": {"codes": page}}}})

    outside(shopify_)
    offer = Offer(discount_id="gid://shopify/DiscountCodeNode/1")
    assert await codes.pull_codes(await store_by_slug("north"), offer) == ["MARA10", "BOB10"]
    outside(lambda asked: says({"data": {"codeDiscountNode": None}}))
    with pytest.raises(Refused, match="no such discount"):
        await codes.pull_codes(await store_by_slug("north"), offer)


async def test_keys_kept_under_another_secret_are_asked_for_again(web: Browser, outside):
    await a_shop_to_ask("woocommerce")
    await db.execute("UPDATE store_access SET keys = 'gAAAAAB' || keys")
    outside(lambda asked: says([]))
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert "Enter them again" in report.error


async def test_an_order_that_a_person_must_look_at_is_not_one_the_shop_does_not_know(web: Browser, outside):
    shop = await a_shop_to_ask("saleor")
    told = saleor.told(Sale())
    await contract.tell(web, "saleor", shop, saleor.order(Sale()))
    del told["shippingPrice"]
    page = {"edges": [{"node": told}], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    outside(lambda asked: says({"data": {"orders": page}}))
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert (report.seen, report.extra, report.error) == (1, 0, "")
    assert "shippingPrice" in await db.fetch_val("SELECT note FROM inbox WHERE state = 'flagged'")
