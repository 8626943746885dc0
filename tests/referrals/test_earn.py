"""What a member sees of their earnings, and what nobody else sees."""

import pytest

from app.db import watch_queries
from tests.factories import Browser, a_member, run_jobs, sign_in
from tests.referrals.cast import a_link, a_paying_shop, click, tell
from tests.storefront.shop import line, order, refund

pytestmark = pytest.mark.anyio


async def test_the_page_shows_clicks_orders_and_what_stands_after_a_refund(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    gv = await click(web(), code)
    await click(web(), code, agent="Googlebot/2.1 (+http://www.google.com/bot.html)")
    browser = await sign_in(web(), mara)
    before = (await browser.get("/earn/live")).text
    assert f"/r/{code}" in before and "$" not in before
    await tell(web, shop, "order.paid", order(gv=gv))
    await tell(web, shop, "order.refunded", refund())
    for address in ("/earn", "/earn/live", "/earn/commissions"):
        shown = (await browser.get(address)).text
        assert "$8.00" in shown and "$12.00" in shown and "#1001" in shown, address
    assert "bob" not in shown.lower()
    summary = (await web(token=mara.token).get("/api/v1/earn/summary")).json()
    assert summary["balances"]["USD"]["pending"] == {"amount": 800, "currency": "USD"}
    assert summary["clicks_30_days"] == 1
    assert (await browser.get("/earn/links")).status_code == 200


async def test_a_stranger_reads_how_earning_works_and_nothing_else(web: Browser):
    assert (await web().get("/earn")).status_code == 200
    for address in ("/earn/live", "/earn/commissions", "/earn/orders/1001/why"):
        assert (await web().get(address)).status_code == 303
    for address in ("summary", "commissions", "orders/1001/why"):
        assert (await web().get(f"/api/v1/earn/{address}")).status_code == 401


async def test_why_is_told_to_every_candidate_and_to_nobody_else(web: Browser):
    mara, ines, eve = await a_member("mara"), await a_member("ines"), await a_member("eve")
    shop = await a_paying_shop()
    bob = await a_member("bob")
    from referrals.clicks.service import claim

    early = await click(web(), (await a_link(web, mara))["code"])
    late = await click(web(), (await a_link(web, ines))["code"])
    await claim(bob.id, early)
    await run_jobs()
    await tell(web, shop, "order.paid", order(gv=late))
    await tell(web, shop, "order.refunded", refund())
    address = "/api/v1/earn/orders/1001/why"
    won = (await web(token=ines.token).get(address)).json()
    lost = (await web(token=mara.token).get(address)).json()
    assert won["you_won"] and won["amount"]["amount"] == 800
    assert [entry["amount"]["amount"] for entry in won["entries"]] == [1200, -400]
    assert won["rule"]["name"] == "last_click" and won["rule"]["rate_bps"] == 1000
    assert not lost["you_won"] and lost["winner"] == "ines" and lost["entries"] == [] and lost["commissions"] == []
    assert [(one["member"], one["reason"]) for one in lost["candidates"]] == [
        ("mara", "carried_click_won"),
        ("ines", "won"),
    ]
    for outsider in (eve, bob):
        assert (await web(token=outsider.token).get(address)).status_code == 404
    assert (await web(token=ines.token).get("/api/v1/earn/orders/none/why")).status_code == 404
    assert (await web(token=ines.token).get("/api/v1/earn/orders/%00/why")).status_code == 404
    page = (await (await sign_in(web(), mara)).get("/earn/orders/1001/why")).text
    assert "Why this was not yours" in page and "@ines" in page and "bob" not in page.lower()
    assert "why not?" in (await (await sign_in(web(), mara)).get("/earn")).text


async def test_who_bought_is_not_given_away_by_why_they_could_not_earn(web: Browser):
    """Bob clicked Mara's link and then his own, and bought. Mara must not learn that it was Bob."""
    mara, bob = await a_member("mara"), await a_member("bob")
    shop = await a_paying_shop()
    from referrals.clicks.service import claim

    await claim(bob.id, await click(web(), (await a_link(web, mara))["code"]))
    own = await click(web(), (await a_link(web, bob))["code"])
    await tell(web, shop, "order.paid", order(gv=own))
    told = (await web(token=mara.token).get("/api/v1/earn/orders/1001/why")).json()
    assert told["you_won"]
    assert [(one["member"], one["reason"]) for one in told["candidates"] if not one["is_you"]] == [
        (None, "not_eligible")
    ]
    assert "bob" not in str(told).lower()


async def test_two_currencies_stand_side_by_side(web: Browser):
    mara = await a_member("mara")
    north, yen = await a_paying_shop(), await a_paying_shop("yen", currency="JPY")
    gv = await click(web(), (await a_link(web, mara, "page:/p/"))["code"])
    await tell(web, north, "order.paid", order(gv=gv))
    await tell(web, yen, "order.paid", order(gv=gv, currency="JPY", lines=[line(gross=3000, discount=0)]))
    balances = (await web(token=mara.token).get("/api/v1/earn/summary")).json()["balances"]
    assert balances["USD"]["pending"]["amount"] == 1200 and balances["JPY"]["pending"]["amount"] == 300
    shown = (await (await sign_in(web(), mara)).get("/earn")).text
    assert "$12.00" in shown and "¥300" in shown


async def test_the_bell_rings_once_for_an_order(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv, lines=[line("l1"), line("l2")]))
    browser = await sign_in(web(), mara)
    assert (await browser.get("/notifications")).text.count("Your word led to an order") == 1


async def test_the_page_costs_the_same_however_much_was_earned(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", order(gv=gv))
    browser = await sign_in(web(), mara)
    with watch_queries() as few:
        await browser.get("/earn")
    for number in range(6):
        await tell(web, shop, "order.paid", order(f"o{number}", gv=gv))
    with watch_queries() as many:
        await browser.get("/earn")
    assert len(few) == len(many)
    pages = []
    cursor = ""
    while cursor is not None:
        answer = (await web(token=mara.token).get(f"/api/v1/earn/commissions?limit=3&after={cursor}")).json()
        pages += [one["id"] for one in answer["items"]]
        cursor = answer["next"]
    assert len(pages) == len(set(pages)) == 7


async def test_the_bell_tells_how_much_and_for_what(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await tell(web, shop, "order.paid", order(gv=await click(web(), (await a_link(web, mara))["code"])))
    told = (await (await sign_in(web(), mara)).get("/notifications")).text
    assert "$12.00, on hold until returns are over" in told and line()["title"] in told
