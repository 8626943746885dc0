"""Campaigns: fees promised once, work looked at, a rate for some weeks; and what all of it brought and cost."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.db import watch_queries
from app.errors import Conflict, Invalid
from referrals.campaigns import queries, service
from referrals.campaigns.schemas import NewOffer, Verdict, Work
from referrals.commissions.limits import set_budget
from referrals.partners import applying, crm
from referrals.partners.schemas import FormTold
from referrals.programs.terms import Friend, Terms
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import books_are_right, standing
from tests.referrals.till import a_click, a_line, a_shop_that_pays, give_back, sell
from tests.storefront.shop import Shop, a_product

pytestmark = pytest.mark.anyio
ADMIN = "/admin/programs/north"


def day(ahead: int) -> str:
    return f"{clock.now() + timedelta(days=ahead):%Y-%m-%d}"


async def a_store(terms: Terms | None = None) -> tuple[Shop, Person]:
    owner = await a_member("ona")
    shop = await a_shop_that_pays(terms or Terms())
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", owner.id, shop.id)
    await applying.set_form(owner.viewer, "north", FormTold(True, "", 100, []))
    return shop, owner


async def a_partner(handle: str) -> Person:
    person = await a_member(handle)
    await applying.apply(person.viewer, "north", [])
    return person


async def a_campaign(browser, *, budget: str = "200.00", products: str = "") -> int:
    typed = {"name": "Spring", "brief": "Films in rain.", "starts_on": day(0), "ends_on": day(30), "currency": "USD"}
    answer = await submit(browser, f"{ADMIN}/campaigns", typed | {"fee_budget": budget, "products": products})
    assert answer.status_code == 303, answer.text
    return int(await db.fetch_val("SELECT max(id) FROM campaign"))


def an_offer(handle: str, *fees: str, rate: str = "") -> NewOffer:
    return NewOffer(handle, rate, [f"Film {n}" for n, _ in enumerate(fees)], list(fees), [day(20)] * len(fees))


async def offered(owner: Person, campaign_id: int, offer: NewOffer) -> int:
    return await service.offer(owner.viewer, await queries.access_campaign(owner.viewer, "north", campaign_id), offer)


async def test_an_offer_is_taken_the_work_is_looked_at_and_the_fee_is_in_the_same_ledger(web: Browser):
    _shop, owner = await a_store()
    kim, as_owner = await a_partner("kim"), await sign_in(web(), owner)
    campaign = await a_campaign(as_owner)
    here = f"{ADMIN}/campaigns/{campaign}"
    typed = {"handle": "kim", "rate": "20 %", "title": ["A film", ""], "fee": ["150.00", ""], "due_on": [day(20), ""]}
    assert (await submit(as_owner, f"{here}/offers", typed | {"fee": ["201", ""]}, page=here)).status_code == 422
    assert (await submit(as_owner, f"{here}/offers", typed | {"handle": "eve"}, page=here)).status_code == 422
    assert (await submit(as_owner, f"{here}/offers", typed, page=here)).status_code == 303
    assert (await submit(as_owner, f"{here}/offers", typed, page=here)).status_code in (409, 422), "one offer at a time"
    as_kim = await sign_in(web(), kim)
    assert "offers you a campaign: Spring" in (await as_kim.get("/notifications")).text
    contract = await db.fetch_val("SELECT id FROM campaign_contract")
    mine = f"/earn/campaigns/{contract}"
    assert "$150.00" in (await as_kim.get(mine)).text
    eve = await sign_in(web(), await a_member("eve"))
    assert (await eve.get(mine)).status_code == 404
    assert (await submit(eve, f"{mine}/accept", {}, page="/earn")).status_code == 404
    assert (await submit(as_kim, f"{mine}/accept", {}, page=mine)).status_code == 303
    assert (await submit(as_kim, f"{mine}/decline", {}, page=mine)).status_code == 409
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    work = f"{mine}/milestones/{milestone}"
    assert (await submit(as_kim, work, {"proof_url": "javascript:1"}, page=mine)).status_code == 422
    look = f"{here}/milestones/{milestone}"
    assert (await submit(as_owner, look, {"verdict": "approved"}, page=here)).status_code == 409, "nothing there yet"
    assert (await submit(as_kim, work, {"proof_url": "https://films.example/1"}, page=mine)).status_code == 303
    assert "https://films.example/1" in (await as_owner.get(here)).text
    assert (await submit(as_owner, look, {"verdict": "declined"}, page=here)).status_code == 422
    assert (await submit(as_owner, look, {"verdict": "declined", "reason": "Dark."}, page=here)).status_code == 303
    assert "Dark." in (await as_kim.get(mine)).text and await standing(kim) == {}
    assert (await submit(as_kim, work, {"proof_url": "https://films.example/2"}, page=mine)).status_code == 303
    assert (await submit(as_owner, look, {"verdict": "approved"}, page=here)).status_code == 303
    assert await standing(kim) == {("pending", "USD"): 15_000}
    assert (await submit(as_owner, look, {"verdict": "approved"}, page=here)).status_code == 409
    await run_jobs()
    assert "$150.00" in (await as_kim.get("/earn/commissions")).text
    assert (await eve.get(here)).status_code == 403
    await books_are_right()


async def test_fees_are_never_promised_twice_however_many_offers_come_at_once(web: Browser):
    _shop, owner = await a_store()
    campaign = await a_campaign(await sign_in(web(), owner), budget="200.00")
    people = [await a_partner(f"kol{n}") for n in range(5)]
    ends = await asyncio.gather(
        *(offered(owner, campaign, an_offer(one.handle, "80.00")) for one in people), return_exceptions=True
    )
    assert sorted(isinstance(end, int) for end in ends) == [False] * 3 + [True] * 2
    assert all(isinstance(end, int | Invalid) for end in ends)
    contract = next(end for end in ends if isinstance(end, int))
    member = people[ends.index(contract)]
    await service.answer(member.viewer, contract, takes=False)
    assert await db.fetch_val("SELECT promised FROM campaign") == 8_000, "what is not taken is free again"
    await offered(owner, campaign, an_offer(member.handle, "120.00"))
    assert await db.fetch_val("SELECT promised FROM campaign") == 20_000


async def test_two_who_approve_at_once_pay_once_and_nobody_approves_their_own(web: Browser):
    _shop, owner = await a_store()
    boss, kim = await a_member("boss", role="admin"), await a_partner("kim")
    campaign_id = await a_campaign(await sign_in(web(), owner))
    contract = await offered(owner, campaign_id, an_offer("kim", "50.00"))
    await service.answer(kim.viewer, contract, takes=True)
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    await service.hand_in(kim.viewer, milestone, Work("https://films.example/1"))
    campaign = await queries.access_campaign(owner.viewer, "north", campaign_id)
    ends = await asyncio.gather(
        *(service.decide(one.viewer, campaign, milestone, Verdict("approved")) for one in (owner, boss, owner)),
        return_exceptions=True,
    )
    assert [end is None for end in ends].count(True) == 1
    assert all(end is None or isinstance(end, Conflict) for end in ends)
    assert await standing(kim) == {("pending", "USD"): 5_000}
    own = await a_partner("boss2")
    await db.execute("UPDATE member SET role = 'admin' WHERE id = $1", own.id)
    contract = await offered(owner, campaign_id, an_offer("boss2", "10.00"))
    await service.answer(own.viewer, contract, takes=True)
    milestone = await db.fetch_val("SELECT max(id) FROM campaign_milestone")
    await service.hand_in(own.viewer, milestone, Work("https://films.example/1"))
    answer = await submit(
        await sign_in(web(), own),
        f"{ADMIN}/campaigns/{campaign_id}/milestones/{milestone}",
        {"verdict": "approved"},
        page=f"{ADMIN}/campaigns/{campaign_id}",
    )
    assert answer.status_code == 403 and await standing(own) == {}
    await books_are_right()


async def test_a_fee_that_a_budget_would_cut_is_not_approved_by_half(web: Browser):
    _shop, owner = await a_store(Terms(currency="USD", budget="All"))
    program = (await applying.access_program("north"))["id"]
    await set_budget(program, "All", 3_000, "USD")
    kim = await a_partner("kim")
    campaign_id = await a_campaign(await sign_in(web(), owner))
    await service.answer(kim.viewer, await offered(owner, campaign_id, an_offer("kim", "50.00")), takes=True)
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    await service.hand_in(kim.viewer, milestone, Work("https://films.example/1"))
    campaign = await queries.access_campaign(owner.viewer, "north", campaign_id)
    with pytest.raises(Conflict):
        await service.decide(owner.viewer, campaign, milestone, Verdict("approved"))
    assert await standing(kim) == {} and await db.fetch_val("SELECT count(*) FROM commission") == 0
    assert await db.fetch_val("SELECT state FROM campaign_milestone") == "handed_in"
    await set_budget(program, "All", 9_000, "USD")
    await service.decide(owner.viewer, campaign, milestone, Verdict("approved"))
    assert await standing(kim) == {("pending", "USD"): 5_000}
    await books_are_right()


async def test_the_agreed_share_counts_while_the_campaign_runs_and_not_after(web: Browser):
    shop, owner = await a_store()
    kim = await a_partner("kim")
    campaign_id = await a_campaign(await sign_in(web(), owner))
    gv = await a_click(web, kim, shop)
    await sell(shop, gv, "before")
    contract = await offered(owner, campaign_id, an_offer("kim", rate="25"))
    await sell(shop, gv, "offered", buyer="carl")
    assert await standing(kim) == {("pending", "USD"): 2_000}, "an offer alone changes nothing"
    await service.answer(kim.viewer, contract, takes=True)
    clock.travel(timedelta(minutes=1))
    await sell(shop, gv, "during", buyer="dora")
    assert await standing(kim) == {("pending", "USD"): 4_500}
    clock.travel(timedelta(days=2))
    campaign = await queries.access_campaign(owner.viewer, "north", campaign_id)
    await service.call_off(owner.viewer, campaign, contract)
    clock.travel(timedelta(minutes=1))
    await sell(shop, gv, "after", buyer="emma")
    assert await standing(kim) == {("pending", "USD"): 5_500}
    await books_are_right()


async def test_a_report_counts_all_rewards_and_only_what_still_stands(web: Browser):
    shop, owner = await a_store(Terms(currency="USD", friend=Friend(kind="percent", rate_bps=500)))
    await a_product(shop, "SKU-2", title="Other thing")
    slug = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1 ORDER BY id LIMIT 1", shop.id)
    sku = await db.fetch_val("SELECT external_id FROM product WHERE slug = $1", slug)
    kim, eve, as_owner = await a_partner("kim"), await a_partner("eve"), await sign_in(web(), owner)
    campaign_id = await a_campaign(as_owner, products=slug)
    await service.answer(kim.viewer, await offered(owner, campaign_id, an_offer("kim", "50.00")), takes=True)
    gv, other = await a_click(web, kim, shop), await a_click(web, eve, shop)
    # 200 of which 40 go back; a product the campaign is not about; somebody who takes no part.
    await sell(shop, gv, "o1", a_line("l1", 20_000, sku=sku), a_line("l2", 5_000, sku="SKU-2"))
    await give_back(shop, "o1", "r1", 4_000)
    await sell(shop, other, "o2", a_line("l1", 10_000, sku=sku), buyer="carl")
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    await service.hand_in(kim.viewer, milestone, Work("https://films.example/1"))
    campaign = await queries.access_campaign(owner.viewer, "north", campaign_id)
    await service.decide(owner.viewer, campaign, milestone, Verdict("approved"))
    door = f"/api/v1/stores/north/campaigns/{campaign_id}/report"
    told = (await web(token=owner.token).get(door)).json()
    (of,) = told["results"]
    assert of["orders"] == 1 and of["sales"]["amount"] == 16_000
    assert of["commissions"]["amount"] == 1_600 and of["fees"]["amount"] == 5_000
    credit = await db.fetch_val(
        """SELECT sum(e.amount)::bigint FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
             JOIN ledger_transaction t ON t.id = e.transaction_id AND t.ref_type = 'friend_reward'
             JOIN friend_reward f ON f.id = t.ref_id JOIN orders o ON o.id = f.order_id AND o.external_id = 'o1'
            WHERE a.kind = 'reward_expense'"""
    )
    assert of["credit"]["amount"] == credit == 1_050, "5 % of all that the order kept"
    assert of["cost"]["amount"] == 7_650 and of["return_bps"] == 16_000 * 10_000 // 7_650
    assert [(one["handle"], one["clicks"]) for one in told["partners"]] == [("kim", 1)]
    page = (await as_owner.get(f"{ADMIN}/campaigns/{campaign_id}")).text
    assert "$160.00" in page and "$76.50" in page and "2.09 ×" in page
    assert (await web(token=kim.token).get(door)).status_code == 403
    await books_are_right()


async def test_the_overview_adds_up_and_never_mixes_currencies(web: Browser):
    shop, owner = await a_store()
    mara, as_owner = await a_member("mara"), await sign_in(web(), owner)
    gv = await a_click(web, mara, shop)
    await sell(shop, gv, "o1")
    await sell(shop, gv, "o2", currency="EUR", buyer="carl")
    await give_back(shop, "o1", "r1", 2_500)
    told = (await web(token=owner.token).get("/api/v1/stores/north/program/overview?days=7")).json()
    by = {one["sales"]["currency"]: one for one in told["figures"]}
    assert by["USD"]["sales"]["amount"] == 7_500 and by["USD"]["commissions"]["amount"] == 750
    assert by["EUR"]["sales"]["amount"] == 10_000 and by["USD"]["share_bps"] == 1_000
    assert told["clicks"] == 1 and {one["currency"]: one["amount"] for one in told["pending"]} == {
        "USD": 750,
        "EUR": 1_000,
    }
    for address in (ADMIN, f"{ADMIN}?days=90", f"{ADMIN}?days=nonsense"):
        page = await as_owner.get(address)
        assert page.status_code == 200 and "$75.00" in page.text and "€100.00" in page.text
    assert (await (await sign_in(web(), mara)).get(ADMIN)).status_code == 403


async def test_the_list_of_partners_finds_pages_and_leaves_no_formula_in_a_sheet(web: Browser):
    shop, owner = await a_store()
    as_owner = await sign_in(web(), owner)
    evil = await a_member("evil", name='=HYPERLINK("https://evil.example")')
    await applying.apply(evil.viewer, "north", [])
    await sell(shop, await a_click(web, evil, shop), "o1")
    with watch_queries() as few:
        await as_owner.get(f"{ADMIN}/partners")
    people = [await a_partner(f"kol{n}") for n in range(6)]
    program = (await applying.access_program("north"))["id"]
    await crm.set_tags(program, people[2].id, "trail")
    await sell(shop, await a_click(web, people[0], shop), "o2", buyer="carl")
    with watch_queries() as many:
        page = (await as_owner.get(f"{ADMIN}/partners")).text
    assert len(few) == len(many) and "$100.00" in page
    found = (await as_owner.get(f"{ADMIN}/partners?find=TRAIL")).text
    assert "kol2" in found and "kol1" not in found
    assert "kol1" not in (await as_owner.get(f"{ADMIN}/partners?find=%25")).text, "a sign is looked for as it is"
    api, seen, cursor = web(token=owner.token), [], ""
    while cursor is not None:
        answer = (await api.get(f"/api/v1/stores/north/partners?limit=3&after={cursor}")).json()
        seen += [one["handle"] for one in answer["items"]]
        cursor = answer["next"]
    assert len(seen) == len(set(seen)) == 7
    sheet = await as_owner.get(f"{ADMIN}/partners.csv")
    assert sheet.headers["content-type"].startswith("text/csv")
    lines = sheet.text.removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("handle,name") and len(lines) == 8
    assert not any(cell.strip('"').startswith(("=", "+", "@")) for line in lines for cell in line.split(","))
    assert "'=HYPERLINK" in sheet.text and "100.00" in sheet.text


async def test_odd_campaigns_are_refused_and_nothing_is_half_written(web: Browser):
    _shop, owner = await a_store()
    as_owner = await sign_in(web(), owner)
    good = {"name": "Spring", "starts_on": day(0), "ends_on": day(9), "currency": "USD", "fee_budget": "5"}
    for wrong in (
        {"name": ""},
        {"ends_on": day(-1)},
        {"ends_on": "soon"},
        {"starts_on": day(20)},
        {"currency": "XXX"},
        {"fee_budget": "-5"},
        {"fee_budget": "1.001"},
        {"products": "no-such-thing"},
    ):
        answer = await submit(as_owner, f"{ADMIN}/campaigns", good | wrong)
        assert answer.status_code == 422, wrong
    assert await db.fetch_val("SELECT count(*) FROM campaign") == 0
    kim, campaign = await a_partner("kim"), await a_campaign(as_owner)
    for offer in (
        an_offer("kim"),
        an_offer("kim", "0"),
        an_offer("ona", "5"),
        an_offer("kim", rate="101"),
        NewOffer("kim", "", ["Film"], ["5"], []),
    ):
        with pytest.raises(Invalid):
            await offered(owner, campaign, offer)
    assert await db.fetch_val("SELECT count(*) FROM campaign_contract") == 0
    assert await db.fetch_val("SELECT promised FROM campaign") == 0
    assert kim.id
