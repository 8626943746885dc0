"""What would this pay? The same reckoning as for an order, explained line by line before anything is sold."""

import random
from datetime import timedelta

import pytest

from app import clock, db
from referrals.commissions.limits import set_budget
from referrals.commissions.whatif import Cart, CartLine, quote, read_cart
from referrals.partners.service import agree_rate, set_tier
from referrals.programs.terms import Caps, CodeRate, Exclusion, Friend, Rule, Step, Terms, Volume
from storefront.stores.queries import store_by_slug
from tests.factories import Browser, a_member, sign_in, submit
from tests.referrals.cast import books_are_right
from tests.referrals.till import a_click, a_line, a_shop_that_pays, sell
from tests.storefront.shop import a_product

pytestmark = pytest.mark.anyio


async def test_a_cart_is_told_what_an_order_of_it_then_pays(web: Browser):
    """Twenty carts under the same terms: what was told is what the order grants, line by line."""
    chance = random.Random(7)
    kol = await a_member("kol")
    terms = Terms(
        currency="USD",
        rules=[
            Rule(name="Bags", scope="category", value="Bags", rate_bps=1234),
            Rule(name="Each", scope="product", value="SKU-3", kind="flat", amount=77),
            Rule(name="Launch", scope="brand", value="New", rate_bps=5000, budget="Launch"),
        ],
        deny=[Exclusion("product", "SKU-4")],
        codes=[CodeRate("LESS", 300)],
        caps=Caps(order=2_500, month=30_000),
    )
    shop = await a_shop_that_pays(terms)
    await a_product(shop, "SKU-2", title="Bag", category="Bags")
    await a_product(shop, "SKU-3", title="Cup")
    await a_product(shop, "SKU-5", title="New thing", brand="New")
    await set_budget(await db.fetch_val("SELECT id FROM program"), "Launch", 9_999, "USD")
    gv, store = await a_click(web, kol, shop), await store_by_slug("north")
    for number in range(20):
        lines = [
            CartLine(
                f"SKU-{chance.randint(1, 5)}", chance.randint(1, 9_000), chance.randint(1, 3), chance.randint(0, 50)
            )
            for _ in range(chance.randint(1, 4))
        ]
        codes = ["less"] if chance.random() < 0.3 else []
        told = await quote(store, Cart(lines, "USD", codes), kol.id)
        sold = [
            a_line(f"l{n}", one.price * one.quantity, sku=one.product, quantity=one.quantity,
                   discount=min(one.discount, one.price * one.quantity))
            for n, one in enumerate(lines)
        ]  # fmt: skip
        order_id = await sell(shop, gv, str(number), *sold, buyer=f"b{number}", codes=tuple(codes))
        rows = await db.fetch(
            """SELECT coalesce(c.granted, 0)::bigint AS granted FROM order_line l
                 LEFT JOIN commission c ON c.order_line_id = l.id WHERE l.order_id = $1 ORDER BY l.id""",
            order_id,
        )
        assert [line.amount.amount for line in told.lines] == [row["granted"] for row in rows], (number, told, lines)
    await books_are_right()


async def test_the_owner_pastes_a_cart_and_reads_why(web: Browser):
    owner, kol = await a_member("ona"), await a_member("kol")
    terms = Terms(
        rules=[Rule(name="Bags", scope="category", value="Bags", rate_bps=1500)], friend=Friend("percent", 500)
    )
    shop = await a_shop_that_pays(terms)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await a_product(shop, "SKU-2", title="Roll bag", category="Bags")
    page, cart = "/admin/programs/north/quote", "SKU-2 2 10.00\nSKU-1; 1; 129.00; 9.00"
    browser = await sign_in(web(), owner)
    told = await submit(browser, page, {"cart": cart, "currency": "USD", "member": "kol"}, page=page)
    assert told.status_code == 200
    for words in ("Roll bag", "Bags · 15 %", "$3.00", "Plain rate · 10 %", "$12.00", "$15.00", "$7.00 as credit"):
        assert words in told.text, words
    wrong = await submit(browser, page, {"cart": "SKU-2 two", "currency": "USD"}, page=page)
    assert wrong.status_code == 422 and "Line 1" in wrong.text
    assert (await (await sign_in(web(), kol)).get(page)).status_code == 403
    mine = await sign_in(web(), kol)
    told = await submit(mine, "/earn/programs/north", {"cart": cart, "currency": "USD"}, page="/earn/programs/north")
    assert "$15.00" in told.text and "Bags: 15 % for the category Bags." in told.text


async def test_programs_ask_too(web: Browser):
    kol = await a_member("kol")
    await a_shop_that_pays(Terms())
    body = {"lines": [{"product": "SKU-1", "price": 10_000}], "currency": "USD"}
    told = (await web(token=kol.token).post("/api/v1/stores/north/quotes", json=body)).json()
    assert told["amount"] == {"amount": 1000, "currency": "USD"} and told["lines"][0]["rule"] == "plain"
    assert (await web().post("/api/v1/stores/north/quotes", json=body)).status_code == 401
    body["currency"] = "XXX"
    assert (await web(token=kol.token).post("/api/v1/stores/north/quotes", json=body)).status_code == 422


def test_a_cart_is_read_in_its_currency():
    assert read_cart("A 1 1.250", "KWD") == [CartLine("A", 1250)]
    assert read_cart("A\t3\t500\n\n", "JPY") == [CartLine("A", 500, 3)]


async def test_budgets_and_agreed_rates_are_set_on_pages(web: Browser):
    owner, kol = await a_member("ona"), await a_member("kol")
    shop = await a_shop_that_pays(Terms(currency="USD", budget="Launch"))
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    browser = await sign_in(web(), owner)
    page = "/admin/programs/north/budgets"
    assert (await submit(browser, page, {"name": "Launch", "most": "12.50", "currency": "USD"})).status_code == 303
    await sell(shop, await a_click(web, kol, shop), "1", a_line(gross=100_000))
    shown = (await browser.get(page)).text
    assert "$12.50" in shown and "spent" in shown
    assert (await submit(browser, page, {"name": "Launch", "most": "x", "currency": "USD"})).status_code == 422
    rates = "/admin/programs/north/rates"
    agreed = {"handle": "@kol", "rate": "25 %", "expires_on": "2099-01-01", "note": "fair"}
    assert (await submit(browser, rates, agreed)).status_code == 422, "not for ever"
    assert (await submit(browser, rates, agreed | {"expires_on": "2027-06-30"})).status_code == 303
    assert (await submit(browser, rates, agreed | {"handle": "ona", "expires_on": "2027-06-30"})).status_code == 422
    assert (await submit(browser, f"{rates}/tiers", {"handle": "kol", "tier": "Gold"}, page=rates)).status_code == 303
    shown = (await browser.get(rates)).text
    assert "25 %" in shown and "Gold" in shown and "@ona" in shown
    override = await db.fetch_val("SELECT id FROM rate_override")
    assert (await submit(browser, f"{rates}/{override}/end", {}, page=rates)).status_code == 303
    assert await db.fetch_val("SELECT ended_by_id FROM rate_override") == owner.id


async def test_a_member_sees_the_terms_that_are_theirs(web: Browser):
    owner, kol = await a_member("ona"), await a_member("kol")
    terms = Terms(currency="USD", volume=Volume("marginal", [Step(50_000, 1250)]))
    shop = await a_shop_that_pays(terms)
    await sell(shop, await a_click(web, kol, shop), "1")
    browser = await sign_in(web(), kol)
    with db.watch_queries() as queries:
        shown = (await browser.get("/earn/programs")).text
    assert "10 %" in shown and "Sold this month: $100.00" in shown and "12.5 % from $500.00 on" in shown
    assert len(queries) <= 12
    await set_tier("north", "kol", "Gold", owner.viewer)
    await agree_rate("north", "kol", 2505, clock.now() + timedelta(days=9), owner.viewer)
    shown = (await browser.get("/earn/programs")).text
    assert "25.05 %" in shown and "Tier Gold" in shown and "A rate agreed with you" in shown
