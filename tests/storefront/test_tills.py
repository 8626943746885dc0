"""Our codes in the tills of Stripe, Medusa and Saleor, over a real socket; the others' stand in test_reconcile."""

import asyncio
from functools import partial
from importlib import import_module

import pytest

from app import db, http
from storefront.connectors import ask
from storefront.connectors.codes import pull_codes, push_codes
from storefront.connectors.schemas import Offer
from storefront.stores.queries import store_by_slug
from storefront.stores.service import give_access
from tests.factories import PASSWORD, Browser, a_member, run_jobs, submit
from tests.referrals.cast import a_paying_shop
from tests.referrals.test_codes import code_of
from tests.storefront.vendors import KEYS, PAGE, Vendor, open_to_questions

pytestmark = pytest.mark.anyio
every_till = pytest.mark.parametrize("provider", ["stripe", "medusa", "saleor"])


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for provider in ("stripe", "medusa", "saleor"):
        monkeypatch.setattr(import_module(f"storefront.connectors.{provider}.codes"), "PAGE", PAGE)
    monkeypatch.setattr(ask, "fetch", partial(http.fetch, allow_local=True))


async def a_till(provider: str, vendor: Vendor) -> None:
    shop, ines = await a_paying_shop(), await a_member("ines")
    await db.execute("UPDATE store SET owner_id = $1, provider = $2 WHERE id = $3", ines.id, provider, shop.id)
    await give_access(await store_by_slug("north"), vendor.url, KEYS[provider])
    await run_jobs()


@every_till
async def test_codes_are_written_once_whoever_writes_them_and_read_page_by_page(web: Browser, provider: str):
    offer = Offer(discount_id="autumn", percent_bps=1250, most_uses=500)
    many = [f"C{number}" for number in range(5)]
    async with open_to_questions(Vendor(provider, "", [], codes={"BOB10": {}})) as vendor:
        await a_till(provider, vendor)
        store = await store_by_slug("north")
        answers = await push_codes(store, ["MARA-10", "BOB10", "bad code", *many], offer)
        assert {code for code, why in answers.items() if why} == {"bad code"} and answers["bad code"]
        twice = await asyncio.gather(*(push_codes(store, ["MARA-10", *many, "NEW1", "NEW2"], offer) for _ in range(2)))
        assert not any(why for answers in twice for why in answers.values())
        found = await pull_codes(store, offer)
        mara = "MARA10" if provider == "stripe" else "MARA-10"  # the same code to us
        assert sorted(found) == sorted(["BOB10", mara, "NEW1", "NEW2", *many])
        if provider == "saleor":  # the voucher itself says how often
            with pytest.raises(ask.Refused, match="no such voucher"):
                await push_codes(store, ["ONCE"], Offer(discount_id="another"))
            return
        for_each = Offer(discount_id="autumn", percent_bps=1250, most_uses_per_buyer=1)
        assert "for each buyer" in (await push_codes(store, ["ONCE"], for_each))["ONCE"]
    written = vendor.codes[mara]
    if provider == "stripe":
        assert (written["coupon"], written["max_redemptions"]) == ("autumn", "500")
    else:
        assert (written["application_method"]["value"], written["limit"]) == (12.5, 500)


@every_till
async def test_the_owner_turns_it_on_and_every_code_stands_there(web: Browser, provider: str):
    async with open_to_questions(Vendor(provider, "", [])) as vendor:
        await a_till(provider, vendor)
        mara = await a_member("mara")
        await run_jobs()
        browser = web()
        page = "/admin/programs/north/codes"
        await submit(browser, "/login", {"login": "ines", "password": PASSWORD}, page="/login")
        wrong = await submit(browser, f"{page}/shop", {"discount_id": "", "percent": ""}, page=page)
        assert wrong.status_code == 422
        coupons = {"stripe": "autumn", "saleor": "autumn%3D"}  # as the dashboard's address writes it
        given = {"percent": "12.5"} if provider == "medusa" else {"discount_id": coupons[provider]}
        assert (await submit(browser, f"{page}/shop", given, page=page)).status_code == 303
        await run_jobs()
        code = await code_of(mara)
        assert (code.replace("-", "") if provider == "stripe" else code) in vendor.codes
        assert await db.fetch_val("SELECT error FROM shop_codes") == ""
