"""Holds of their own, for a category, a product, a tier of partners: the most specific counts and is frozen."""

from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Invalid
from referrals.commissions import rewards
from referrals.commissions.audit import check_commissions
from referrals.commissions.release import release_due
from referrals.commissions.together import settle_all
from referrals.partners.service import set_tier
from referrals.programs.editor import as_form, as_rules
from referrals.programs.schemas import Rules
from referrals.programs.service import publish_rules
from referrals.programs.terms import Release, Terms, Wait
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_line, a_shop_that_pays, give_back, sell
from tests.storefront.shop import Shop, a_product

pytestmark = pytest.mark.anyio
SOFAS = Wait(60, "category", "Furniture / Sofas")
GOLD = Wait(7, tier="Gold")
BOTH = Wait(30, "category", "Furniture", "gold")
ALL = Terms(waits=[SOFAS, GOLD, BOTH, Wait(3, "product", "SKU-9")])


async def a_shop_with_sofas(terms: Terms) -> Shop:
    shop = await a_shop_that_pays(terms)
    await a_product(shop, "SKU-2", title="Sofa", category="Furniture / Sofas")
    await a_product(shop, "SKU-3", title="Chair", category="Furniture / Chairs")
    await a_product(shop, "SKU-9", title="Lamp", category="Furniture / Sofas")
    return shop


async def a_golden(name: str) -> Person:
    member, admin = await a_member(name), await a_member("ada", role="admin")
    await set_tier("north", name, "Gold", admin.viewer)
    return member


async def waits_of(order_id: int) -> list[int]:
    """Days from hearing of an order to the end of each line's hold."""
    rows = await db.fetch(
        """SELECT c.hold_until - greatest(o.paid_at, o.created_at) AS wait FROM commission c
             JOIN orders o ON o.id = c.order_id WHERE c.order_id = $1 ORDER BY c.order_line_id, c.id""",
        order_id,
    )
    return [row["wait"].days for row in rows]


def four_lines() -> list:
    return [a_line(f"l{n}", sku=f"SKU-{n}") for n in (1, 2, 3, 9)]


async def test_each_line_waits_as_long_as_the_most_specific_hold_says(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_with_sofas(ALL)
    golden = await a_golden("gus")
    plain = await sell(shop, await a_click(web, kol, shop), "1", *four_lines())
    assert await waits_of(plain) == [14, 60, 14, 3]
    theirs = await sell(shop, await a_click(web, golden, shop), "2", *four_lines(), buyer="cy")
    assert await waits_of(theirs) == [7, 60, 30, 3], "a longer path is closer than a tier"
    await run_jobs()
    for later, free in ((4, 1000), (11, 3000), (46, 4000)):
        clock.travel(timedelta(days=later))
        await release_due()
        assert (await standing(kol))["available", "USD"] == free
    await books_are_right()


async def test_a_hold_is_frozen_whatever_becomes_of_the_tier_the_category_or_the_rules(web: Browser):
    shop = await a_shop_with_sofas(ALL)
    golden, admin = await a_golden("gus"), await a_member("zed", role="admin")
    order = await sell(shop, await a_click(web, golden, shop), "1", *four_lines())
    before = await waits_of(order)
    await set_tier("north", "gus", "", admin.viewer)
    await db.execute("UPDATE product SET category = 'Boats' WHERE external_id <> 'SKU-1'")
    await publish_rules("north", terms=Terms(waits=[Wait(365, "category", "Boats")]))
    await give_back(shop, "1", "r1", 2_500, line="l2")
    assert await waits_of(order) == before == [7, 60, 30, 3]
    assert await standing(golden) == {("pending", "USD"): 3750}
    later = await sell(shop, await a_click(web, golden, shop), "2", *four_lines(), buyer="cy")
    assert await waits_of(later) == [14, 365, 365, 365], "an order after that goes by the rules of then"
    await books_are_right()


async def test_a_delivery_moves_each_line_by_its_own_days(web: Browser):
    kol = await a_member("kol")
    terms = Terms(release=Release("delivered", 10, 45), waits=[SOFAS, Wait(2, "category", "Furniture")])
    shop = await a_shop_with_sofas(terms)
    order = await sell(shop, await a_click(web, kol, shop), "1", *four_lines())
    assert await waits_of(order) == [45, 60, 45, 60], "the fallback, or longer where the hold is"
    await db.execute(
        "UPDATE orders SET delivered_at = greatest(paid_at, created_at) + interval '5 days' WHERE id = $1", order
    )
    await settle_all([order])
    assert await waits_of(order) == [15, 65, 7, 65]
    await books_are_right()


async def test_orders_settled_together_wait_as_one_by_one(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_with_sofas(ALL)
    gv = await a_click(web, kol, shop)
    ids = [await sell(shop, gv, str(n), *four_lines(), buyer=f"b{n}", settled=False) for n in range(3)]
    await settle_all(ids)
    assert [await waits_of(one) for one in ids] == [[14, 60, 14, 3]] * 3
    await books_are_right()


async def test_what_is_earned_without_an_order_waits_as_its_tier_does(web: Browser):
    shop = await a_shop_with_sofas(ALL)
    golden, kol = await a_golden("gus"), await a_member("kol")
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY version DESC LIMIT 1")
    assert rules and shop
    for number, person in enumerate((golden, kol)):
        async with db.transaction():
            await rewards.grant(f"test:{number}", rules, member_id=person.id, role="sharer", rule="x", amount=77,
                                currency="USD", reason="lead")  # fmt: skip
    rows = await db.fetch("SELECT hold_until - created_at AS wait FROM commission ORDER BY id")
    assert [row["wait"].days for row in rows] == [7, 14]
    await books_are_right()


async def test_the_books_notice_a_hold_that_no_rule_gave(web: Browser):
    kol = await a_member("kol")
    shop = await a_shop_with_sofas(ALL)
    await sell(shop, await a_click(web, kol, shop), "1", a_line(sku="SKU-2"))
    await books_are_right()
    await db.execute("""UPDATE commission SET how = jsonb_set(how, '{wait,days}', '1')""")
    assert [one for one in await check_commissions() if "hold" in one]
    await db.execute("""UPDATE commission SET how = jsonb_set(how, '{wait,days}', '60')""")
    await books_are_right()
    await db.execute("UPDATE commission SET hold_until = hold_until - interval '1 day'")
    assert [one for one in await check_commissions() if "hold" in one]


async def test_why_and_what_if_say_which_hold_it_is(web: Browser):
    owner = await a_member("ona")
    shop = await a_shop_with_sofas(ALL)
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    golden = await a_golden("gus")
    await sell(shop, await a_click(web, golden, shop), "1", *four_lines())
    await run_jobs()
    as_gus = web(token=golden.token)
    why = (await as_gus.get("/api/v1/earn/orders/1/why")).json()
    said = {one["hold"] for one in why["commissions"]}
    assert len(said) == 4 and min(said) == "It waits 3 days for returns. So it is for the product SKU-9."
    wanted = "It waits 30 days for returns. So it is for the category Furniture, sold by partners of the tier gold."
    assert wanted in said
    browser = await sign_in(web(), golden)
    assert wanted in (await browser.get("/earn/orders/1/why")).text
    zh = (await browser.get("/earn/orders/1/why?lang=zh-Hans")).text
    assert "保留 30 天等待退货。" in zh and "gold 级伙伴售出的类别 Furniture" in zh
    number = why["commissions"][0]["id"]
    one = (await as_gus.get(f"/api/v1/earn/commissions/{number}/why")).json()
    assert one["hold"] in said and f" {one['hold_days']} days" in one["hold"]
    cart = {"lines": [{"product": f"SKU-{n}", "price": 100} for n in (1, 2, 3)], "currency": "USD", "tier": "Gold"}
    told = (await web(token=owner.token).post("/api/v1/stores/north/quotes", json=cart)).json()
    assert [line["hold"].split(" days")[0] for line in told["lines"]] == ["It waits 7", "It waits 60", "It waits 30"]
    page = "/admin/programs/north/quote"
    shown = await submit(
        await sign_in(web(), owner), page, {"cart": "SKU-2 1 10.00", "currency": "USD", "tier": "Gold"}, page=page
    )
    assert "It waits 60 days for returns. So it is for the category Furniture / Sofas." in shown.text


def test_what_the_form_shows_of_holds_is_what_it_sends():
    odd = [Wait(1, "brand", "A = B: c"), Wait(0, "category", "Tier one, and two", "Old, gold")]
    terms = Terms(waits=[*ALL.waits, *odd])
    rules = Rules(1000)
    assert as_rules(as_form(rules, terms, 1)) == (rules, terms)


@pytest.mark.parametrize(
    "typed", ["Sofas = 60", "category: Sofas", "category: = 3", "tier: Gold = 366", "store: x = 3", "tier: Gold = -1",
              "= 7", "tier: Gold = 7\nTIER: gold = 8", "category: Sofas = ٣"]
)  # fmt: skip
async def test_a_hold_that_cannot_be_read_is_said_to_the_field(web: Browser, typed: str):
    owner = await a_member("ona")
    shop = await a_shop_that_pays(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    page = "/admin/programs/north/rules"
    form = {"rate": "10 %", "base_version": "2", "waits": typed}
    answer = await submit(await sign_in(web(), owner), f"{page}/preview", form, page=page)
    assert answer.status_code == 422 and 'id="waits-error"' in answer.text


async def test_the_owner_writes_holds_and_everybody_reads_them(web: Browser):
    owner = await a_member("ona")
    shop = await a_shop_that_pays(Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    page = "/admin/programs/north/rules"
    form = {"rate": "10 %", "base_version": "2", "waits": "category: Sofas, tier: Gold = 30\ntier: Gold = 7"}
    shown = await submit(await sign_in(web(), owner), f"{page}/preview", form, page=page)
    assert "It waits 7 days instead for partners of the tier Gold." in shown.text
    await publish_rules("north", terms=Terms(waits=[Wait(30, "category", "Sofas", "Gold"), GOLD]))
    told = (await web(token=owner.token).get("/api/v1/stores/north/program")).json()
    assert told["terms"]["waits"][1] == {"days": 7, "tier": "Gold"}
    wanted = "It waits 30 days instead for the category Sofas, sold by partners of the tier Gold."
    assert wanted in told["words"]
    with pytest.raises(Invalid):
        await publish_rules("north", terms=Terms(waits=[Wait(7)]))
