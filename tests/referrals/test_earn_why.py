"""Every commission says why it is there: orders of two stores that share a number, and what came without an order."""

import pytest

from app import clock, db
from app.db import watch_queries
from referrals.campaigns import queries, service
from referrals.campaigns.schemas import Verdict, Work
from referrals.clicks.service import credit_signup
from referrals.commissions import rewards
from referrals.programs.terms import EventPay, Step, Terms, Volume
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, tell
from tests.referrals.test_bounties import ADMIN, offered
from tests.referrals.test_campaigns import a_campaign, a_partner, a_store, an_offer
from tests.referrals.test_campaigns import offered as offers
from tests.referrals.till import a_click, a_shop_that_pays, sell
from tests.storefront.shop import line, order

pytestmark = pytest.mark.anyio
WHY = "/api/v1/earn/orders/1001/why"


async def two_orders_of_one_number(web: Browser) -> Person:
    """Mara has a part in order 1001 of North and in order 1001 of South."""
    mara = await a_member("mara")
    north, south = await a_paying_shop(), await a_paying_shop("south")
    gv = await click(web(), (await a_link(web, mara, "page:/p/"))["code"])
    await tell(web, north, "order.paid", order(gv=gv))
    await tell(web, south, "order.paid", order(gv=gv, lines=[line(gross=5_000, discount=0)]))
    return mara


async def test_orders_of_one_number_at_two_stores_are_each_explained(web: Browser):
    mara = await two_orders_of_one_number(web)
    api = web(token=mara.token)
    for store, amount in (("north", 1_200), ("south", 500)):
        told = (await api.get(f"{WHY}?store={store}")).json()
        assert (told["store"], told["store_slug"], told["amount"]["amount"]) == (store.title(), store, amount)
    which = await api.get(WHY)
    assert which.status_code == 409 and "?store=north" in which.json()["detail"], "the number alone does not say"
    assert (await api.get(f"{WHY}?store=west")).status_code == 404
    assert (await api.get(f"{WHY}?store=%00")).status_code == 404
    urls = {one["why_url"] for one in (await api.get("/api/v1/earn/commissions")).json()["items"]}
    assert urls == {"/earn/orders/1001/why?store=north", "/earn/orders/1001/why?store=south"}


async def test_an_old_address_asks_which_store_is_meant_when_two_may_be(web: Browser):
    mara = await two_orders_of_one_number(web)
    browser = await sign_in(web(), mara)
    asked = await browser.get("/earn/orders/1001/why")
    assert asked.status_code == 200
    for store, amount in (("north", "$12.00"), ("south", "$5.00")):
        address = f"/earn/orders/1001/why?store={store}"
        assert address in asked.text
        assert amount in (await browser.get(address)).text
    month = f"{clock.now():%Y-%m}"
    shown = (await browser.get(f"/earn/statements/{month}?currency=USD")).text
    bells = (await browser.get("/notifications")).text
    for store in ("north", "south"):
        assert f"/earn/orders/1001/why?store={store}" in shown, "the statement leads to the right one"
        assert f"/earn/orders/1001/why?store={store}" in bells or "/notifications/" in bells
    await books_are_right()


async def test_one_store_s_number_is_enough_for_whoever_had_a_part_at_one_only(web: Browser):
    mara = await two_orders_of_one_number(web)
    ines = await a_member("ines")
    west = await a_paying_shop("west")
    gv = await click(web(), (await a_link(web, ines, "page:/p/"))["code"])
    await tell(web, west, "order.paid", order(gv=gv, lines=[line(gross=7_000, discount=0)]))
    assert (await web(token=ines.token).get(WHY)).json()["amount"]["amount"] == 700
    assert (await web(token=ines.token).get(f"{WHY}?store=north")).status_code == 404, "that is Mara's"
    assert (await web(token=mara.token).get(f"{WHY}?store=west")).status_code == 404


async def commission_of(source: str) -> int:
    found = await db.fetch_val("SELECT id FROM commission WHERE source LIKE $1", f"{source}:%")
    assert found is not None, f"nothing was earned by a {source}"
    return int(found)


async def explained(web: Browser, person: Person, source: str) -> tuple[dict, str]:
    """What the API and the page say of the commission this came from; the list leads to the page."""
    number = await commission_of(source)
    api = web(token=person.token)
    told = (await api.get(f"/api/v1/earn/commissions/{number}/why")).json()
    listed = (await api.get("/api/v1/earn/commissions")).json()["items"]
    mine = next(one for one in listed if one["id"] == str(number))
    assert mine["why_url"] == f"/earn/commissions/{number}" and mine["title"] == told["title"] != ""
    browser = await sign_in(web(), person)
    overview = (await browser.get("/earn")).text
    assert "/earn/orders//why" not in overview
    for address in ("/earn", "/earn/commissions"):
        shown = (await browser.get(address)).text
        assert f"/earn/commissions/{number}" in shown, address
        assert "You brought the buyer here" not in shown, "there was no buyer"
    page = await browser.get(f"/earn/commissions/{number}")
    assert page.status_code == 200
    assert told["entries"] and told["steps"][0]["to"] == "pending" and told["rules_version"] >= 1
    assert told["hold_until"] > told["created_at"]
    bells = await db.fetch("SELECT url FROM notification WHERE member_id = $1", person.id)
    assert f"/earn/commissions/{number}" in {row["url"] for row in bells}
    rung = (await browser.get("/notifications")).text
    assert "on hold for a while" in rung and "Your word led to an order" not in rung, "no order did it"
    return told, page.text


async def test_a_bounty_says_which_and_that_somebody_looked(web: Browser):
    _owner, as_owner, bounty = await offered(web)
    kol = await a_member("kol")
    as_kol = await sign_in(web(), kol)
    await submit(as_kol, f"/earn/bounties/{bounty}", {"proof_url": "https://films.example/42", "reach": "0"})
    submission = await db.fetch_val("SELECT id FROM bounty_submission")
    door = f"{ADMIN}/submissions/{submission}"
    assert (await submit(as_owner, door, {"verdict": "approved"}, page=ADMIN)).status_code == 303
    await run_jobs()
    told, page = await explained(web, kol, "bounty")
    assert told["title"] == "A film" and told["cause"] == "bounty" and told["amount"]["amount"] == 15_000
    assert "A film" in page and "$150.00" in page and f'href="/earn/bounties/{bounty}"' in page
    eve = await a_member("eve")
    number = await commission_of("bounty")
    assert (await web(token=eve.token).get(f"/api/v1/earn/commissions/{number}/why")).status_code == 404
    assert (await (await sign_in(web(), eve)).get(f"/earn/commissions/{number}")).status_code == 404
    assert (await web().get(f"/earn/commissions/{number}")).status_code == 303
    assert (await web().get(f"/api/v1/earn/commissions/{number}/why")).status_code == 401
    assert (await as_kol.get("/earn/commissions/99999999999999999999")).status_code == 404
    statement = (await as_kol.get(f"/earn/statements/{clock.now():%Y-%m}?currency=USD")).text
    assert "bounty:" not in statement and f"/earn/commissions/{number}" in statement
    await books_are_right()


async def test_a_fee_of_a_campaign_says_which_work(web: Browser):
    _shop, owner = await a_store()
    kim = await a_partner("kim")
    campaign = await a_campaign(await sign_in(web(), owner))
    contract = await offers(owner, campaign, an_offer("kim", "150.00"))
    await service.answer(kim.viewer, contract, takes=True)
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    await service.hand_in(kim.viewer, milestone, Work("https://films.example/1", ""))
    found = await queries.access_campaign(owner.viewer, "north", campaign)
    await service.decide(owner.viewer, found, milestone, Verdict("approved", ""))
    await run_jobs()
    told, page = await explained(web, kim, "milestone")
    assert told["title"] == "Film 0" and "Spring" in told["words"] and told["cause"] == "milestone"
    assert f'href="/earn/campaigns/{contract}"' in page and "$150.00" in page
    await books_are_right()


async def test_a_month_s_volume_says_the_month_and_its_sales(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", volume=Volume("marginal", [Step(10_000, 1500)])))
    gv = await a_click(web, kol, shop)
    for number in range(2):
        await sell(shop, gv, str(number), buyer=f"b{number}")
    await run_jobs()
    number = await commission_of("volume")
    told = (await web(token=kol.token).get(f"/api/v1/earn/commissions/{number}/why")).json()
    assert told["cause"] == "volume" and f"{clock.now():%Y-%m}" in told["words"]
    assert told["amount"]["amount"] == 500
    page = (await (await sign_in(web(), kol)).get(f"/earn/commissions/{number}")).text
    assert "$200.00" in page, "what was sold in the month"
    await books_are_right()


async def test_an_active_new_member_is_not_named(web: Browser):
    mara, nina = await a_member("mara"), await a_member("nina")
    await a_shop_that_pays(Terms(currency="USD", activation=200))
    code = (await a_link(web, mara))["code"]
    assert await credit_signup(nina.id, await click(web(), code))
    await a_group(nina, "tea")
    topic = {"title": "Which leaves?", "body": "Mine are bitter."}
    assert (await web(token=nina.token).post("/api/v1/groups/tea/topics", json=topic)).status_code == 201
    await rewards.consider_activation(nina.id)
    await run_jobs()
    told, page = await explained(web, mara, "activation")
    assert told["cause"] == "activation" and told["link"] == code and told["amount"]["amount"] == 200
    assert f"/share/{code}" in page and "nina" not in page.lower() and "nina" not in str(told).lower()
    await books_are_right()


async def test_a_lead_says_what_the_store_told_and_by_which_link(web: Browser):
    owner, mara = await a_member("ona"), await a_member("mara")
    shop = await a_shop_that_pays(Terms(currency="USD", events=[EventPay("newsletter", amount=150)]))
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    code = (await a_link(web, mara))["code"]
    told_by_shop = {"store": "north", "gv": await click(web(), code), "id": "1", "kind": "newsletter"}
    assert (await web(token=owner.token).post("/api/v1/conversions", json=told_by_shop)).status_code in (200, 201)
    await run_jobs()
    told, page = await explained(web, mara, "conversion")
    assert told["title"] == "newsletter" and told["cause"] == "conversion" and told["link"] == code
    assert "newsletter" in page and f"/share/{code}" in page
    await books_are_right()


async def test_the_list_costs_the_same_however_much_came_without_an_order(web: Browser):
    mara = await a_member("mara")
    await a_shop_that_pays(Terms())
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY version DESC LIMIT 1")
    assert rules

    async def earn(*numbers: int) -> None:
        async with db.transaction():
            for number in numbers:
                await rewards.grant(
                    f"gift:{number}", rules, member_id=mara.id, role="sharer", rule="x", amount=77,
                    currency="USD", reason="lead",
                )  # fmt: skip

    await earn(1)
    browser = await sign_in(web(), mara)
    await browser.get("/earn/commissions")
    with watch_queries() as few:
        await browser.get("/earn/commissions")
    await earn(2, 3, 4, 5)
    with watch_queries() as many:
        await browser.get("/earn/commissions")
    assert len(few) == len(many)


async def test_a_commission_of_an_order_leads_to_the_order(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await tell(web, shop, "order.paid", order(gv=await click(web(), (await a_link(web, mara))["code"])))
    number = await db.fetch_val("SELECT id FROM commission")
    led = await (await sign_in(web(), mara)).get(f"/earn/commissions/{number}")
    assert led.headers["location"] == "/earn/orders/1001/why?store=north"
    told = (await web(token=mara.token).get(f"/api/v1/earn/commissions/{number}/why")).json()
    assert told["cause"] == "order" and told["order"] == "1001" and told["words"].startswith("/r/")
