"""Every kind of shop is asked at night over a real socket, and whatever its webhooks left out is made up for."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from importlib import import_module

import msgspec
import pytest

from app import clock, db, http
from storefront.connectors import ask, reconcile
from storefront.stores.queries import store_by_slug
from storefront.stores.service import give_access
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals import cast
from tests.storefront.providers import TELLERS, Refund, Sale
from tests.storefront.shop import Shop
from tests.storefront.test_connectors import every_provider, send
from tests.storefront.vendors import KEYS, PAGE, Vendor, open_to_questions

pytestmark = pytest.mark.anyio
HERE = "/admin/programs/north/orders"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two to a page, and this machine counts as outside: otherwise the client refuses what is not public."""
    for provider in TELLERS:
        # By its name: the folder shows the function of the same name. A shop of one's own chooses its pages.
        pull = import_module(f"storefront.connectors.{provider}.pull")
        monkeypatch.setattr(pull, "PAGE", PAGE, raising=provider != "generic")
    monkeypatch.setattr(ask, "fetch", partial(http.fetch, allow_local=True))


async def a_shop_that_sells(web: Browser, provider: str):
    """A shop of this kind with a programme, its owner, and Mara, by whose click all of these were bought."""
    shop, mara, ines = await cast.a_paying_shop(), await a_member("mara"), await a_member("ines")
    gv = await cast.click(web(), (await cast.a_link(web, mara))["code"])
    shop.secret = TELLERS[provider].SECRET or shop.secret
    await db.execute("UPDATE store SET provider = $1, secret = $2, owner_id = $3", provider, shop.secret, ines.id)
    clock.travel(timedelta(hours=5))  # bought after the click, and no longer on its way
    return shop, mara, ines, Sale(gv=gv, code=None, shipping=0)


async def told(web: Browser, provider: str, shop: Shop, *sales: Sale) -> None:
    for sale in sales:
        for message in TELLERS[provider].order(sale):
            assert (await send(web, provider, shop, message)).status_code in (200, 202)
    await run_jobs()


async def asked_again(vendor: Vendor) -> reconcile.Report:
    await give_access(await store_by_slug("north"), vendor.url, KEYS[vendor.provider])
    report = await reconcile.reconcile(await store_by_slug("north"))
    await run_jobs()
    return report


@every_provider
async def test_what_was_missing_or_differs_is_made_up_for_and_what_only_we_know_is_said(web: Browser, provider: str):
    shop, mara, _ines, sale = await a_shop_that_sells(web, provider)
    heard, lost, also_lost, ours_alone = (
        msgspec.structs.replace(sale, id=number) for number in ("5001", "5002", "5003", "5004")
    )
    returned = msgspec.structs.replace(sale, id="5005")
    await told(web, provider, shop, heard, returned, ours_alone)
    assert await cast.standing(mara) == {("pending", "USD"): 3_600}
    returned = msgspec.structs.replace(returned, refunds=[Refund("801", {"11": (0, 3_000)})], minutes=5)
    vendor = Vendor(provider, shop.secret, [heard, lost, also_lost, returned])
    async with open_to_questions(vendor):
        report = await asked_again(vendor)
        assert (report.missed, report.stale, report.extra, report.error) == (2, 1, 1, "")
        assert len(vendor.asked) > 2  # too fast at first, then page by page
        assert await cast.standing(mara) == {("pending", "USD"): 1_200 * 4 + 900}
        finds = await db.fetch("SELECT order_external_id, kind FROM store_pull_find ORDER BY 1")
        assert [tuple(find) for find in finds] == [
            ("5002", "missing"), ("5003", "missing"), ("5004", "extra"), ("5005", "differs"),
        ]  # fmt: skip
        # Nothing is news twice: neither to the next night, nor when the webhooks come after all.
        again = await asked_again(vendor)
        assert (again.missed, again.stale, again.extra, again.error) == (0, 0, 0, "")
    await told(web, provider, shop, lost, also_lost, returned)
    assert await cast.standing(mara) == {("pending", "USD"): 1_200 * 4 + 900}
    await cast.books_are_right()


@pytest.mark.parametrize("provider", ["generic", "shopify", "stripe", "saleor"])
async def test_a_dispute_that_was_never_told_is_found(web: Browser, provider: str):
    shop, mara, _ines, sale = await a_shop_that_sells(web, provider)
    await told(web, provider, shop, sale)
    async with open_to_questions(Vendor(provider, shop.secret, [sale], disputed=[sale])) as vendor:
        report = await asked_again(vendor)
    assert (report.missed, report.stale, report.error) == (0, 1, "")
    assert await cast.standing(mara) == {}
    await cast.books_are_right()


@every_provider
async def test_keys_that_the_shop_refuses_are_in_the_report(web: Browser, provider: str):
    shop, _mara, ines, sale = await a_shop_that_sells(web, provider)
    async with open_to_questions(Vendor(provider, shop.secret, [sale])) as vendor:
        await give_access(await store_by_slug("north"), vendor.url, "not-these")
        if provider == "generic":  # it has no keys: it sees that somebody else signed
            vendor.secret = "whsec_" + "A" * 32
        report = await reconcile.reconcile(await store_by_slug("north"))
    assert ("500" if provider == "generic" else "401") in report.error and report.missed == report.extra == 0
    assert await db.fetch_val("SELECT kind FROM notification WHERE member_id = $1", ines.id) == "store_missed"


@every_provider
async def test_after_nights_that_failed_the_look_goes_back_to_the_last_that_did_not(web: Browser, provider: str):
    shop, _mara, _ines, sale = await a_shop_that_sells(web, provider)
    async with open_to_questions(Vendor(provider, shop.secret, [sale])) as vendor:
        await asked_again(vendor)
    for _night in range(6):
        clock.travel(timedelta(days=1))
        report = await reconcile.reconcile(await store_by_slug("north"))
        assert report.error
    async with open_to_questions(vendor):
        await asked_again(vendor)
    pulls = await db.fetch("SELECT since, started_at, error FROM store_pull ORDER BY id")
    first, last = pulls[0], pulls[-1]
    assert last["since"] == first["started_at"] - reconcile.ON_ITS_WAY and last["error"] == ""
    clock.travel(timedelta(days=90))
    await reconcile.reconcile(await store_by_slug("north"))
    latest = await db.fetch_val("SELECT started_at - since FROM store_pull ORDER BY id DESC LIMIT 1")
    assert latest == reconcile.MOST_LOOK_BACK


async def test_a_checkout_of_stripe_is_known_line_by_line_as_soon_as_it_may_be_asked(web: Browser):
    """Its webhook names no lines. Whoever gave a key has them at once; the pull adds nothing to that."""
    shop, mara, _ines, sale = await a_shop_that_sells(web, "stripe")
    async with open_to_questions(Vendor("stripe", shop.secret, [sale])) as vendor:
        vendor.asked.append(None)  # type: ignore[arg-type]  # it is in no hurry today
        await give_access(await store_by_slug("north"), vendor.url, KEYS["stripe"])
        bare = msgspec.json.decode(TELLERS["stripe"].order(sale)[0].body)
        del bare["data"]["object"]["line_items"]
        bare["data"]["object"]["id"] = f"cs_{sale.id}"
        message = msgspec.structs.replace(TELLERS["stripe"].order(sale)[0], body=msgspec.json.encode(bare))
        assert (await send(web, "stripe", shop, message)).status_code == 202
        await run_jobs()
        lines = await db.fetch("SELECT external_id, external_product_id, gross - discount AS base FROM order_line")
        assert [tuple(line) for line in lines] == [("11", "901", 12_000)]
        report = await asked_again(vendor)
        assert (report.missed, report.stale) == (0, 0)
    assert await cast.standing(mara) == {("pending", "USD"): 1_200}
    await cast.books_are_right()


@pytest.mark.parametrize("first", ["by the webhook", "by the pull"])
async def test_of_the_same_moment_whoever_names_the_lines_of_a_checkout_is_believed(web: Browser, first: str):
    shop, mara, _ines, sale = await a_shop_that_sells(web, "stripe")
    full = TELLERS["stripe"].order(sale)[0]
    bare = msgspec.json.decode(full.body)
    del bare["data"]["object"]["line_items"]
    rough = msgspec.structs.replace(full, body=msgspec.json.encode(bare | {"id": "evt_rough"}))
    for message in (rough, full) if first == "by the webhook" else (full, rough):
        assert (await send(web, "stripe", shop, message)).status_code == 202
        await run_jobs()
    lines = await db.fetch("SELECT external_id FROM order_line WHERE gross > 0")
    assert [line["external_id"] for line in lines] == ["11"]
    assert await cast.standing(mara) == {("pending", "USD"): 1_200}
    await cast.books_are_right()


async def test_the_owner_reads_what_was_found_and_may_ask_at_once(web: Browser):
    shop, _mara, ines, sale = await a_shop_that_sells(web, "medusa")
    await told(web, "medusa", shop, msgspec.structs.replace(sale, id="5004"))
    browser, client = await sign_in(web(), ines), web(token=ines.token)
    assert (await client.post("/api/v1/stores/north/pulls")).status_code == 409  # nobody said how
    assert "brought to light" not in (await browser.get(HERE)).text
    async with open_to_questions(Vendor("medusa", shop.secret, [sale])) as vendor:
        await give_access(await store_by_slug("north"), vendor.url, KEYS["medusa"])
        assert (await client.post("/api/v1/stores/north/pulls")).status_code == 202
        await run_jobs()
    shown = (await browser.get(HERE)).text
    assert "unknown to the shop" in shown and "was missing" in shown and "5004" in shown
    assert "商店不认识" in (await browser.get(HERE + "?lang=zh-Hans")).text
    (pull,) = (await client.get("/api/v1/stores/north/pulls")).json()["items"]
    assert (pull["missed"], pull["stale"], pull["extra"], pull["error"]) == (1, 0, 1, "")
    finds = (await client.get("/api/v1/stores/north/pulls/orders?limit=1")).json()
    rest = (await client.get(f"/api/v1/stores/north/pulls/orders?limit=1&after={finds['next']}")).json()
    assert [one["kind"] for one in finds["items"] + rest["items"]] == ["extra", "missing"] and rest["next"] is None
    assert "had not been told of" in (await browser.get("/notifications?lang=en")).text
    assert (await submit(browser, f"{HERE}/pull", {}, page=HERE)).status_code == 303
    stranger = web(token=(await a_member("otto")).token)
    for door in ("pulls", "pulls/orders"):
        assert (await stranger.get(f"/api/v1/stores/north/{door}")).status_code == 403
    assert (await stranger.post("/api/v1/stores/north/pulls")).status_code == 403


ODD = {
    "nothing of what it should be": b'{"orders":[{}],"payments":[{}],"data":[{}],"events":[{}]}',
    "a list of nothing": b"[null]",
    "refunds of no order": b'[{"refunds":[{}]}]',
    "ids that no database keeps": b'{"orders":[{"id":"a\\u0000b"}],"payments":[],"data":[{"id":"a\\u0000b"}]}',
    "without end": b'{"orders":' + b"[" * 200_000,
    "without end, and whole": b'{"data":[{"id":"evt_1","type":"x","data":' + b"[" * 50_000 + b"]" * 50_000 + b"}]}",
}


@every_provider
@pytest.mark.parametrize("odd", ODD)
async def test_a_shop_that_answers_nonsense_is_reported_and_stops_nobody(
    house: Callable, provider: str, odd: str, monkeypatch: pytest.MonkeyPatch
):
    await cast.a_paying_shop()
    await db.execute("UPDATE store SET provider = $1", provider)

    async def answer(*_asked: object, **_how: object) -> http.Answer:
        return http.Answer(200, {}, ODD[odd])

    monkeypatch.setattr(ask, "fetch", answer)
    await give_access(await store_by_slug("north"), "https://shop.example", KEYS[provider])
    report = await reconcile.reconcile(await store_by_slug("north"))
    assert (report.missed, report.stale) == (0, 0)
    assert await db.fetch_val("SELECT ended_at IS NOT NULL FROM store_pull"), "it came to an end"
