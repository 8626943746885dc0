"""Codes stand in the shop's own till as soon as they are made, and a nightly look finds what is not there."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from app import db
from app.http import Answer
from referrals.codes import jobs
from storefront.connectors import ask
from storefront.stores.queries import store_by_slug
from storefront.stores.service import give_access
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_paying_shop
from tests.referrals.test_codes import code_of

pytestmark = pytest.mark.anyio
DOOR = "/api/v1/stores/north/shop-codes"


class Till:
    """A WooCommerce shop that is asked; `down` makes it refuse everything."""

    def __init__(self) -> None:
        self.coupons: dict[str, dict[str, Any]] = {}
        self.asked = 0
        self.down = False

    async def fetch(self, method: str, url: str, **how: Any) -> Answer:
        self.asked += 1
        if self.down:
            return Answer(500, {}, b"")
        if method == "GET":
            page = int(parse_qs(urlsplit(url).query)["page"][0])
            there = [{"code": code.lower()} for code in self.coupons][(page - 1) * 100 : page * 100]
            return Answer(200, {}, msgspec.json.encode(there))
        said = []
        for one in msgspec.json.decode(how["content"])["create"]:
            if one["code"].startswith("BAD"):
                said.append({"id": 0, "error": {"code": "no", "message": "Not a code."}})
            else:
                self.coupons[one["code"]] = one
                said.append({"id": 1})
        return Answer(200, {}, msgspec.json.encode({"create": said}))


@pytest.fixture
def till(monkeypatch: pytest.MonkeyPatch) -> Till:
    till = Till()
    monkeypatch.setattr(ask, "fetch", till.fetch)
    return till


async def a_woo_shop(owner: Person, *, has_key: bool = True) -> None:
    shop = await a_paying_shop()
    await db.execute("UPDATE store SET owner_id = $1, provider = 'woocommerce' WHERE id = $2", owner.id, shop.id)
    if has_key:
        await give_access(await store_by_slug("north"), "https://north.example", "ck_1:cs_2")
    await run_jobs()


async def turn_on(web: Browser, owner: Person) -> dict:
    answer = await web(token=owner.token).put(DOOR, json={"percent_bps": 1250})
    assert answer.status_code == 200, answer.text
    await run_jobs()
    return (await web(token=owner.token).get(DOOR)).json()


async def test_every_code_there_is_and_each_new_one_stands_in_the_shop(web: Browser, till: Till):
    ines, mara = await a_member("ines"), await a_member("mara")
    await a_woo_shop(ines)
    assert (await turn_on(web, ines))["taken"] == 2
    assert set(till.coupons) == {await code_of(ines), await code_of(mara)}
    assert till.coupons[await code_of(mara)]["amount"] in ("12.5", "12.50")
    bob = await a_member("bob")
    campaign = {"code": "SPRING", "owner": "mara", "limit_total": 500, "limit_per_buyer": 1}
    assert (await web(token=ines.token).post("/api/v1/stores/north/codes", json=campaign)).status_code == 201
    await run_jobs()
    assert await code_of(bob) in till.coupons
    assert till.coupons["SPRING"]["usage_limit"] == 500 and till.coupons["SPRING"]["usage_limit_per_user"] == 1
    # Nothing new: the shop is left in peace.
    asked = till.asked
    await jobs.write_what_is_missing()
    await run_jobs()
    assert till.asked == asked


async def test_a_code_that_leaked_is_replaced_in_the_shop_and_said_to_be_left_there(web: Browser, till: Till):
    ines, mara = await a_member("ines"), await a_member("mara")
    await a_woo_shop(ines)
    await turn_on(web, ines)
    old = await db.fetch_one("SELECT * FROM code WHERE owner_id = $1", mara.id)
    from referrals.codes.service import _replace

    async with db.transaction():
        await _replace(old)
    await run_jobs()
    assert await code_of(mara) in till.coupons and await code_of(mara) != old["text"]
    assert (await web(token=ines.token).get(DOOR)).json()["left_over"] == 1
    page = await (await sign_in(web(), ines)).get("/admin/programs/north/codes")
    assert "still takes something off there" in page.text and "2 of 2 codes" in page.text


async def test_the_nightly_look_writes_what_somebody_removed_and_counts_what_is_not_ours(web: Browser, till: Till):
    ines = await a_member("ines")
    await a_woo_shop(ines)
    await turn_on(web, ines)
    mine = await code_of(ines)
    till.coupons = {"BLACKFRIDAY": {}}
    await jobs.look_into_every_shop()
    await run_jobs()
    told = (await web(token=ines.token).get(DOOR)).json()
    assert mine in till.coupons and (told["taken"], told["strange"], told["error"]) == (1, 1, "")
    assert told["looked_at"] is not None


async def test_a_shop_that_is_down_is_asked_again_and_a_refusal_is_shown(web: Browser, till: Till):
    ines = await a_member("ines")
    await a_woo_shop(ines)
    till.down = True
    assert "500" in (await turn_on(web, ines))["error"]
    till.down = False
    bad = {"code": "BAD-ONE", "owner": "ines"}
    assert (await web(token=ines.token).post("/api/v1/stores/north/codes", json=bad)).status_code == 201
    await jobs.write_what_is_missing()
    await run_jobs()
    told = (await web(token=ines.token).get(DOOR)).json()
    assert (told["live"], told["taken"], told["refused"], told["error"]) == (2, 1, 1, "")
    assert "Not a code." in (await (await sign_in(web(), ines)).get("/admin/programs/north/codes")).text


async def test_a_shop_without_a_key_is_never_asked_and_only_its_owner_says_so(web: Browser, till: Till):
    ines, mara = await a_member("ines"), await a_member("mara")
    await a_woo_shop(ines, has_key=False)
    assert (await web(token=ines.token).put(DOOR, json={"percent_bps": 1000})).status_code == 409
    assert (await web(token=mara.token).put(DOOR, json={"percent_bps": 1000})).status_code == 403
    assert (await web(token=ines.token).put(DOOR, json={})).status_code == 422
    await jobs.look_into_every_shop()
    await run_jobs()
    assert till.asked == 0


async def test_the_page_turns_it_on_and_off_without_scripts(web: Browser, till: Till):
    ines = await a_member("ines")
    await a_woo_shop(ines)
    owner = await sign_in(web(), ines)
    page = "/admin/programs/north/codes"
    wrong = await submit(owner, f"{page}/shop", {"percent": "lots"}, page=page)
    assert wrong.status_code == 422 and "A number between 0 and 100." in wrong.text
    assert (await submit(owner, f"{page}/shop", {"percent": "7.5"}, page=page)).status_code == 303
    await run_jobs()
    assert till.coupons[await code_of(ines)]["amount"] in ("7.5", "7.50")
    assert "1 of 1 codes" in (await owner.get(page)).text
    assert (await submit(owner, f"{page}/shop/closure", {}, page=page)).status_code == 303
    bob = await a_member("bob")
    await run_jobs()
    assert await code_of(bob) not in till.coupons
