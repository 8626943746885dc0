"""What a programme costs: every reward of whatever kind, each once, to the cent as the ledger says."""

from datetime import timedelta

import pytest

from app import clock, db
from referrals.books.debts import write_off
from referrals.campaigns import queries, service
from referrals.campaigns.schemas import Verdict, Work
from referrals.commissions import rewards
from referrals.payouts.claims import Figures, ask_for_payout
from referrals.payouts.quotes import quote_for
from referrals.payouts.terms import Terms as PayoutTerms
from referrals.payouts.terms import publish_terms
from referrals.programs.terms import Friend, Step, Terms, Volume
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import books_are_right
from tests.referrals.payees import a_bank_account, a_house, earn, ripen
from tests.referrals.test_campaigns import a_campaign, a_partner, a_store, an_offer, offered
from tests.referrals.test_payouts import a_batch, send
from tests.referrals.till import a_click, a_line, give_back, sell
from tests.storefront.shop import Shop, a_product

pytestmark = pytest.mark.anyio
TERMS = Terms(
    currency="USD",
    volume=Volume("marginal", [Step(10_000, 1_500)]),
    friend=Friend(kind="percent", rate_bps=500, days=10),
)
EXPENSES = ("commission_expense", "reward_expense", "credit_bonus", "written_off", "credit_expired")
"""Where a store's costs are posted; what ended unspent stands there below zero."""


async def in_the_ledger(shop: Shop, currency: str = "USD") -> int:
    """All that the store's expense accounts came to, whatever it was posted for."""
    return await db.fetch_val(
        """SELECT coalesce(sum(e.amount), 0)::bigint FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.owner_kind = 'store' AND a.owner_id = $1 AND a.currency = $2 AND a.kind = ANY($3)""",
        shop.id,
        currency,
        list(EXPENSES),
    )


async def give(person: Person, source: str, amount: int) -> None:
    rules = await db.fetch_one("SELECT * FROM program_version ORDER BY version DESC LIMIT 1")
    assert rules
    async with db.transaction():
        await rewards.grant(
            source, rules, member_id=person.id, role="author", rule="bounty", amount=amount, currency="USD",
            reason="bounty",
        )  # fmt: skip


async def take_as_credit(shop: Shop, person: Person) -> None:
    """All that is ready, as credit of the shop, with its bonus."""
    seen = await quote_for(person.id, shop.id, "USD", "store_credit")
    assert seen is not None and seen.bonus > 0
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", shop.id)
    assert store
    await ask_for_payout(person.viewer, store, "USD", "store_credit", Figures(seen.sum.amount, seen.sends))
    await run_jobs()


async def overview(web: Browser, owner: Person) -> dict:
    told = (await web(token=owner.token).get("/api/v1/stores/north/program/overview?days=366")).json()["figures"]
    return next(one for one in told if one["sales"]["currency"] == "USD")


async def with_everything(web: Browser) -> tuple[Shop, Person, Person, int]:
    """Kim sells in and beside a campaign, and earns its fee and a bounty."""
    shop, owner = await a_store(TERMS)
    await a_product(shop, "SKU-2", title="Other thing")
    slug = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1 ORDER BY id LIMIT 1", shop.id)
    sku = await db.fetch_val("SELECT external_id FROM product WHERE slug = $1", slug)
    terms = PayoutTerms("USD", 100, fees={"bank": 50}, credit_bonus_bps=700, rails=("bank", "store_credit"))
    await publish_terms(owner.viewer, "north", terms)
    kim = await a_partner("kim")
    campaign_id = await a_campaign(await sign_in(web(), owner), products=slug)
    await service.answer(kim.viewer, await offered(owner, campaign_id, an_offer("kim", "50.00")), takes=True)
    gv = await a_click(web, kim, shop)
    await sell(shop, gv, "o1", a_line("l1", 15_001, sku=sku), a_line("l2", 9_999, sku="SKU-2"))
    await sell(shop, gv, "o2", a_line("l1", 7_777, sku=sku), buyer="carl")
    milestone = await db.fetch_val("SELECT id FROM campaign_milestone")
    await service.hand_in(kim.viewer, milestone, Work("https://films.example/1"))
    campaign = await queries.access_campaign(owner.viewer, "north", campaign_id)
    await service.decide(owner.viewer, campaign, milestone, Verdict("approved"))
    await give(kim, "gift:7", 333)
    await run_jobs()
    return shop, owner, kim, campaign_id


async def test_every_cost_stands_in_the_overview_once_and_is_what_the_ledger_says(web: Browser):
    shop, owner, kim, _campaign = await with_everything(web)
    before = await overview(web, owner)
    assert before["fees"]["amount"] == 5_000 and before["rewards"]["amount"] == 333
    assert before["commissions"]["amount"] == 1_500 + 1_000 + 778
    assert before["volume"]["amount"] == round((15_001 + 9_999 + 7_777 - 10_000) * 0.05)
    assert before["credit"]["amount"] == 1_250 + 389 and before["bonus"]["amount"] == 0
    assert before["cost"]["amount"] == await in_the_ledger(shop)
    clock.travel(timedelta(days=60))
    await ripen()
    await take_as_credit(shop, kim)
    paid = await overview(web, owner)
    assert paid["bonus"]["amount"] > 0
    # What the buyers did not spend ended meanwhile, and costs the store nothing.
    assert paid["cost"]["amount"] == await in_the_ledger(shop)
    await give_back(shop, "o2", "r1", 7_777)
    await run_jobs()
    assert (await overview(web, owner))["cost"]["amount"] == await in_the_ledger(shop)
    await write_off(owner.viewer, "north", kim.id, "USD", "A friend of the house.")
    last = await overview(web, owner)
    assert last["cost"]["amount"] == await in_the_ledger(shop), "what was let go of is paid for nothing: a cost"
    parts = ("commissions", "fees", "volume", "rewards", "credit", "bonus")
    assert sum(last[part]["amount"] for part in parts) == last["cost"]["amount"]
    page = (await (await sign_in(web(), owner)).get("/admin/programs/north?days=90")).text
    assert "Bounties, new members, leads" in page and "$3.33" in page and "$50.00" in page
    await books_are_right()


async def test_a_bonus_is_cut_over_the_commissions_it_was_paid_on_to_the_cent(web: Browser):
    shop, owner, kim, campaign_id = await with_everything(web)
    clock.travel(timedelta(days=60))
    await ripen()
    await take_as_credit(shop, kim)
    whole = await db.fetch_val("SELECT bonus FROM payout")
    assert (await overview(web, owner))["bonus"]["amount"] == whole
    door = f"/api/v1/stores/north/campaigns/{campaign_id}/report"
    (of,) = (await web(token=owner.token).get(door)).json()["results"]
    assert 0 < of["bonus"]["amount"] < whole, "not what was paid on the bounty and on other products"
    await books_are_right()


async def test_a_campaign_bears_its_part_of_the_month_s_volume(web: Browser):
    shop, owner, kim, campaign_id = await with_everything(web)
    door = f"/api/v1/stores/north/campaigns/{campaign_id}/report"
    report = (await web(token=owner.token).get(door)).json()
    (of,) = report["results"]
    added = await db.fetch_val("SELECT granted FROM commission WHERE source LIKE 'volume:%'")
    mine, month = 15_001 + 7_777, 15_001 + 9_999 + 7_777
    assert of["volume"]["amount"] == round(added * mine / month)
    assert of["sales"]["amount"] == mine and of["commissions"]["amount"] == 1_500 + 778
    parts = ("commissions", "fees", "volume", "credit", "bonus")
    assert of["cost"]["amount"] == sum(of[part]["amount"] for part in parts)
    assert report["partners"][0]["results"] == [of]
    page = (await (await sign_in(web(), owner)).get(f"/admin/programs/north/campaigns/{campaign_id}")).text
    assert "Volume" in page
    assert kim and shop
    await books_are_right()


async def test_a_payout_s_fee_is_the_member_s_and_no_cost_of_the_store_s_besides(web: Browser):
    """The bank's fee is kept back from what the member earned: what leaves the store is the commission, no more."""
    house = await a_house()
    terms = PayoutTerms("USD", 100, fees={"bank": 50})
    await publish_terms(house.owner.viewer, "north", terms)
    mara = await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_000)
    before = (await overview(web, house.owner))["cost"]["amount"]
    await send(house, await a_batch(house))
    assert (await overview(web, house.owner))["cost"]["amount"] == before == 5_000
    await books_are_right()
