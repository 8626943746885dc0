"""The funnel of each link, live; goals for oneself; a board nobody is put on."""

import asyncio
from datetime import timedelta

import msgspec
import pytest

from app import clock, db
from app.db import watch_queries
from referrals.clicks.service import credit_signup
from referrals.commissions import rewards
from referrals.earn import live
from referrals.programs.terms import EventPay, Terms
from tests.factories import Browser, a_group, a_member, run_jobs, sign_in, submit, words_of
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, tell
from tests.referrals.till import a_shop_that_pays
from tests.storefront.shop import Shop, order, refund

pytestmark = pytest.mark.anyio
GOOGLEBOT = "Googlebot/2.1 (+http://www.google.com/bot.html)"


async def the_funnel(web: Browser, person) -> dict[str, dict]:
    answer = await web(token=person.token).get("/api/v1/earn/funnel?limit=100")
    return {one["code"]: one for one in answer.json()["items"]}


async def test_each_link_shows_its_whole_way_and_what_is_left_after_a_refund(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    quiet = (await a_link(web, mara, "page:/p/trail-pack"))["code"]
    gv = await click(web(), code)
    await click(web(), code, agent=GOOGLEBOT)
    joined = {"handle": "newbie", "email": "newbie@example.org", "password": "correct horse battery", "gv": gv}
    assert (await web().post("/api/v1/members", json=joined)).status_code == 201
    await run_jobs()
    await tell(web, shop, "order.paid", order(gv=gv))
    await tell(web, shop, "order.paid", order("1002", gv=gv))
    before = (await the_funnel(web, mara))[code]
    assert (before["clicks"], before["bots"], before["joined"], before["orders"], before["refunds"]) == (1, 1, 1, 2, 0)
    assert before["net"] == [{"amount": 2400, "currency": "USD"}]
    await tell(web, shop, "order.refunded", refund())
    after = await the_funnel(web, mara)
    assert (after[code]["orders"], after[code]["refunds"]) == (2, 1)
    assert after[code]["net"] == [{"amount": 2000, "currency": "USD"}]
    assert (after[quiet]["clicks"], after[quiet]["orders"], after[quiet]["net"]) == (0, 0, [])
    shown = (await (await sign_in(web(), mara)).get("/earn")).text
    assert "$20.00" in shown and "As a table" in shown
    assert code not in await the_funnel(web, await a_member("eve")), "to each their own"
    await books_are_right()


async def test_a_link_shows_its_leads_and_what_they_and_active_members_paid(web: Browser):
    owner, mara, nina = await a_member("ona"), await a_member("mara"), await a_member("nina")
    trial = EventPay("trial", amount=150)
    shop = await a_shop_that_pays(Terms(currency="USD", activation=200, events=[trial]))
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    code, quiet = (await a_link(web, mara))["code"], (await a_link(web, mara, placement="Shelf"))["code"]
    gv, bot = await click(web(), code), await click(web(), code, agent=GOOGLEBOT)
    of_order = await tell_sale(web, shop, gv)
    as_shop = web(token=owner.token)
    for number, one in enumerate(
        [{"gv": gv, "kind": "trial"}, {"gv": gv, "kind": "visit"}, {"gv": bot, "kind": "trial"}, of_order]
    ):
        answer = await as_shop.post("/api/v1/conversions", json={"store": "north", "id": str(number), **one})
        assert answer.status_code in (200, 201), answer.text
    assert await credit_signup(nina.id, gv)
    await a_group(nina, "tea")
    topic = {"title": "Which leaves?", "body": "Mine are bitter."}
    assert (await web(token=nina.token).post("/api/v1/groups/tea/topics", json=topic)).status_code == 201
    await rewards.consider_activation(nina.id)
    await run_jobs()
    of = (await the_funnel(web, mara))[code]
    assert (of["joined"], of["leads"], of["orders"]) == (1, 2, 1), "a machine's is no lead, an order's counts as order"
    assert of["net"] == [{"amount": 1_200 + 150 + 200, "currency": "USD"}]
    assert (await the_funnel(web, mara))[quiet]["leads"] == 0
    told = (await web(token=mara.token).get("/api/v1/earn/summary")).json()["balances"]["USD"]["pending"]["amount"]
    assert told == of["net"][0]["amount"], "what the link brought is what there is"
    assert "$15.50" in (await (await sign_in(web(), mara)).get("/earn/links")).text
    await books_are_right()


async def tell_sale(web: Browser, shop: Shop, gv: str) -> dict[str, str]:
    """An order by this click, and what the shop's server says of it besides."""
    await tell(web, shop, "order.paid", order(gv=gv))
    return {"gv": gv, "kind": "order", "order_id": "1001"}


async def test_links_cost_the_same_number_of_queries_however_many(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    browser = await sign_in(web(), mara)
    with watch_queries() as few:
        await browser.get("/earn/links")
    for _n in range(5):
        gv = await click(web(), (await a_link(web, mara, "page:/p/trail-pack", placement=f"Shelf {_n}"))["code"])
        await tell(web, shop, "order.paid", order(f"o{_n}", gv=gv))
    with watch_queries() as many:
        await browser.get("/earn/links")
    assert len(few) == len(many)


class AtTheWindow:
    """A socket as `referrals.earn.live` sees it."""

    def __init__(self, member_id: int) -> None:
        self.member_id, self.told = member_id, []

    def tell(self, kind: str, **facts: object) -> None:
        self.told.append((kind, facts))


async def test_an_open_page_hears_of_a_click_within_seconds_and_only_its_owner_does(web: Browser, monkeypatch):
    monkeypatch.setattr(live, "EVERY_SECONDS", 0.05)
    mara, eve = await a_member("mara"), await a_member("eve")
    await a_paying_shop()
    code = (await a_link(web, mara))["code"]
    hers, other = AtTheWindow(mara.id), AtTheWindow(eve.id)
    live.watch(hers, live.Watch())
    live.watch(other, live.Watch())
    await asyncio.sleep(0.2)
    hers.told.clear()
    await click(web(), code)
    for _n in range(40):
        if hers.told:
            break
        await asyncio.sleep(0.05)
    assert hers.told == [("notify", {"about": "earn"})] and other.told == []
    await asyncio.sleep(0.2)
    assert len(hers.told) == 1, "nothing moved, nothing is said"
    live.forget(hers)
    live.forget(other)
    assert live._watching == {}


async def test_a_goal_is_reached_and_a_refund_moves_it_back(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    browser = await sign_in(web(), mara)
    assert (await submit(browser, "/earn/goals", {"amount": "nine", "currency": "USD"})).status_code == 422
    assert (await submit(browser, "/earn/goals", {"amount": "10", "currency": "XXX"})).status_code == 422
    assert (await submit(browser, "/earn/goals", {"amount": "10.00", "currency": "usd"})).status_code == 303
    await tell(web, shop, "order.paid", order(gv=await click(web(), (await a_link(web, mara))["code"])))
    page = (await browser.get("/earn")).text
    assert "$12.00 of $10.00" in page and "<meter" in page and "Reached" in page
    await tell(web, shop, "order.refunded", refund())
    page = (await browser.get("/earn")).text
    assert "$8.00 of $10.00" in page and "Reached" not in page
    api = web(token=mara.token)
    told = (await api.put("/api/v1/earn/goals/USD", json={"amount": 5000})).json()
    assert told == {
        "goals": [{"goal": {"amount": 5000, "currency": "USD"}, "earned": {"amount": 800, "currency": "USD"}}]
    }
    assert (await api.put("/api/v1/earn/goals/USD", json={"amount": -1})).status_code == 422
    assert (await web(token=(await a_member("eve")).token).get("/api/v1/earn/goals")).json() == {"goals": []}
    assert (await api.put("/api/v1/earn/goals/USD", json={"amount": 0})).json() == {"goals": []}
    clock.travel(timedelta(days=32))
    await api.put("/api/v1/earn/goals/USD", json={"amount": 5000})
    assert (await api.get("/api/v1/earn/goals")).json()["goals"][0]["earned"]["amount"] == 0, "a new month"


async def test_the_board_shows_who_asked_in_order_of_what_is_left_and_no_amounts(web: Browser):
    shop = await a_paying_shop()
    people = [await a_member(handle) for handle in ("ann", "ben", "cid", "shy", "idle")]
    for n, person in enumerate(people[:4]):
        code = (await a_link(web, person))["code"]
        for one in range(n + 1):
            await tell(web, shop, "order.paid", order(f"{person.handle}-{one}", gv=await click(web(), code)))
    door = "/api/v1/earn/board"
    for person in (*people[:2], people[4]):
        await web(token=person.token).put(f"{door}/seat")
    assert (await web(token=people[0].token).get(door)).json() == {"boards": []}, "two are no board"
    browser = await sign_in(web(), people[2])
    assert (await submit(browser, "/earn/board", {})).status_code == 303
    board = (await web(token=people[0].token).get(door)).json()["boards"][0]
    assert [seat["handle"] for seat in board["seats"]] == ["cid", "ben", "ann"], "not the shy one, not the idle one"
    assert board["your_place"] == 3 and "amount" not in msgspec.json.encode(board).decode()
    page = (await browser.get("/earn/board")).text
    assert "$" not in page and "shy" not in words_of(page).split()
    # Whoever earns more only because refunds have not come yet falls back when they do.
    for one in range(3):
        await tell(web, shop, "order.cancelled", order(f"cid-{one}"))
    assert (await web(token=people[0].token).get(door)).json() == {"boards": []}, "nobody stands there with nothing"
    assert (await submit(browser, "/earn/board/leave", {}, page="/earn/board")).status_code == 303
    assert await db.fetch_val("SELECT count(*) FROM board_seat WHERE member_id = $1", people[2].id) == 0
    assert (await web().get("/earn/board")).status_code == 303
