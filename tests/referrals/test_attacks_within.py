"""Whoever runs a shop and earns there too: one person alone turns nothing into money of their own."""

from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, Forbidden, Invalid
from referrals.codes.service import vouch
from referrals.payouts import exports
from referrals.payouts.claims import Figures, ask_for_payout
from referrals.payouts.quotes import quote_for
from referrals.payouts.terms import Terms as PayoutTerms
from referrals.payouts.terms import publish_terms
from tests.factories import Browser, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import a_link, books_are_right, click, standing, tell
from tests.referrals.payees import a_bank_account, a_house, all_is_right, earn, the_payout_of
from tests.referrals.test_attribution_doors import WORTH_LITTLE, overrule
from tests.referrals.test_codes import a_shop_of, bought, code_of
from tests.referrals.test_payouts import a_batch, send
from tests.storefront.shop import line

pytestmark = pytest.mark.anyio
DOOR = "/api/v1/stores/north"


# --- what was paid ---


async def test_whoever_was_paid_does_not_say_that_it_came_back(web: Browser):
    """An admin who earns is paid like anybody, by two others; then she alone must not say that it bounced."""
    house, eve = await a_house(), await a_member("eve", role="admin")
    await earn(web, house.shop, eve, "1001", 50_000)
    await a_bank_account(eve)
    batch = await a_batch(house)
    await send(house, batch)
    payout = await the_payout_of(eve)
    for result in ("failed", "settled"):
        assert "Somebody else" in await exports.mark(eve.viewer, batch["id"], payout["id"], result, "", "")
    assert await exports.mark(house.ada.viewer, batch["id"], payout["id"], "settled", "wire 77", "") == ""
    file = f"payout,result,reference,reason\r\nPO-{payout['id']},returned,,account closed\r\n".encode()
    (line_,) = await exports.import_results(eve.viewer, "north", batch["id"], file)
    assert "Somebody else" in line_.said
    assert await standing(eve) == {} and (await the_payout_of(eve))["state"] == "settled"
    await all_is_right()


async def test_whoever_set_the_bonus_on_credit_does_not_take_it(web: Browser):
    """Credit waits for nobody's approval, so its bonus must not be a lever for who sets it."""
    house, eve, mara = await a_house(), await a_member("eve", role="admin"), await a_member("mara")
    for number, who in enumerate((eve, mara)):
        await earn(web, house.shop, who, f"100{number}", 50_000)
    await publish_terms(eve.viewer, "north", PayoutTerms("USD", 2_000, credit_bonus_bps=10_000))
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    with pytest.raises(Invalid, match="set this bonus"):
        await ask_for_payout(eve.viewer, store, "USD", "store_credit", Figures(5_000, 10_000))
    assert await standing(eve) == {("available", "USD"): 5_000}
    await ask_for_payout(mara.viewer, store, "USD", "store_credit", Figures(5_000, 10_000))
    seen = await quote_for(eve.id, house.shop.id, "USD", "store_credit")
    assert seen.sends == 10_000, "what others get is shown; another hand has to have set it"
    await publish_terms(house.owner.viewer, "north", PayoutTerms("USD", 2_000, credit_bonus_bps=500))
    await ask_for_payout(eve.viewer, store, "USD", "store_credit", Figures(5_000, 5_250))
    await all_is_right()


# --- who is credited ---


async def test_whoever_would_win_by_it_does_not_withdraw_a_decision(web: Browser):
    eve, ben, ines = await a_member("eve", role="admin"), await a_member("ben"), await a_member("ines")
    root = await a_member("rooty", role="admin")
    shop = await a_shop_of(ines)
    gv = await click(web(), (await a_link(web, eve))["code"])
    await tell(web, shop, "order.paid", bought(1, gv=gv))
    made = await overrule(web, ines, "ben")
    assert (await web(token=root.token).put(f"{DOOR}/overrides/{made['id']}/agreement")).status_code == 204
    await run_jobs()
    assert await standing(ben) == {("pending", "USD"): 1200}
    gone = await web(token=eve.token).delete(f"{DOOR}/overrides/{made['id']}")
    assert gone.status_code == 403, gone.text
    await run_jobs()
    assert await standing(eve) == {} and await standing(ben) == {("pending", "USD"): 1200}
    assert (await web(token=root.token).delete(f"{DOOR}/overrides/{made['id']}")).status_code == 204
    await run_jobs()
    assert await standing(eve) == {("pending", "USD"): 1200}
    await books_are_right()


async def test_a_decision_on_a_small_order_does_not_hold_when_the_order_grows(web: Browser):
    """Decided alone while five dollars were at stake; then the shop tells of the rest."""
    mara, ben, ines = await a_member("mara"), await a_member("ben"), await a_member("ines")
    root = await a_member("rooty", role="admin")
    shop = await a_shop_of(ines)
    gv = await click(web(), (await a_link(web, mara))["code"])
    await tell(web, shop, "order.paid", bought(1, gv=gv, lines=WORTH_LITTLE))
    made = await overrule(web, ines, "ben")
    assert made["state"] == "in_force" and await standing(ben) == {("pending", "USD"): 500}
    later = (clock.now() + timedelta(seconds=30)).isoformat()
    grown = bought(1, gv=gv, lines=[line(gross=500_000, discount=0)], updated_at=later)
    await tell(web, shop, "order.updated", grown)
    assert await standing(ben) == {} and await standing(mara) == {("pending", "USD"): 50_000}
    (shown,) = (await web(token=root.token).get(f"{DOOR}/overrides")).json()["items"]
    assert (shown["state"], shown["needs_second"]) == ("proposed", True)
    assert (await web(token=root.token).put(f"{DOOR}/overrides/{made['id']}/agreement")).status_code == 204
    await run_jobs()
    assert await standing(ben) == {("pending", "USD"): 50_000} and await standing(mara) == {}
    await books_are_right()


async def test_an_admin_does_not_tell_the_shops_news_about_a_click_of_their_own(web: Browser):
    """Where two must agree on who is credited, one must not get there by telling of a click instead."""
    eve, mara, ines = await a_member("eve", role="admin"), await a_member("mara"), await a_member("ines")
    shop = await a_shop_of(ines)
    own, theirs = [await click(web(), (await a_link(web, who))["code"]) for who in (eve, mara)]
    await tell(web, shop, "order.paid", bought(1))
    told = {"store": "north", "id": "k1", "kind": "order", "order_id": "o1", "gv": own}
    answer = await web(token=eve.token).post("/api/v1/conversions", json=told)
    assert answer.status_code == 403, answer.text
    await run_jobs()
    assert await standing(eve) == {}
    as_owner = web(token=ines.token)
    assert (await as_owner.post("/api/v1/conversions", json=told | {"gv": theirs})).status_code == 201
    await run_jobs()
    assert await standing(mara) == {("pending", "USD"): 1200}


async def test_an_admin_does_not_become_the_house(web: Browser):
    eve, ines = await a_member("eve", role="admin"), await a_member("ines")
    shop = await a_shop_of(ines)
    client = web(token=eve.token)
    rules = (await client.get(f"{DOOR}/crediting")).json()
    wanted = {"draft": rules["draft"] | {"house": "eve"}, "instead_of": rules["version"]}
    answer = await client.put(f"{DOOR}/crediting", json=wanted)
    assert answer.status_code == 403, answer.text
    await tell(web, shop, "order.paid", bought(1))
    assert await standing(eve) == {}
    assert (await web(token=ines.token).put(f"{DOOR}/crediting", json=wanted)).status_code == 200
    # What somebody else decided stays when she changes another thing.
    rules = (await client.get(f"{DOOR}/crediting")).json()
    wanted = {"draft": rules["draft"] | {"window_days": 10}, "instead_of": rules["version"]}
    assert (await client.put(f"{DOOR}/crediting", json=wanted)).status_code == 200


# --- what is paid ---


async def test_nobody_puts_themselves_into_a_tier(web: Browser):
    from referrals.partners.service import set_tier

    eve, ines = await a_member("eve", role="admin"), await a_member("ines")
    await a_shop_of(ines)
    with pytest.raises(Invalid, match="Somebody else"):
        await set_tier("north", "eve", "Gold", eve.viewer)
    await set_tier("north", "eve", "Gold", ines.viewer)
    await set_tier("north", "eve", "", eve.viewer)


async def test_nobody_vouches_for_their_own_code(web: Browser):
    eve, ines = await a_member("eve", role="admin"), await a_member("ines")
    await a_shop_of(ines)
    await code_of(eve)
    code_id = await db.fetch_val("SELECT id FROM code WHERE owner_id = $1", eve.id)
    await db.execute("UPDATE code SET leak_state = 'watch' WHERE id = $1", code_id)
    with pytest.raises(Forbidden):
        await vouch(eve.viewer, "north", code_id)
    await vouch(ines.viewer, "north", code_id)


async def test_whoever_earns_by_an_order_does_not_say_that_its_amounts_are_right(web: Browser):
    eve, ines = await a_member("eve", role="admin"), await a_member("ines")
    shop = await a_shop_of(ines)
    gv = await click(web(), (await a_link(web, eve))["code"])
    await tell(web, shop, "order.paid", bought(1, gv=gv, total=99_999))
    assert await standing(eve) == {} and await db.fetch_val("SELECT doubt FROM orders") != ""
    door = f"{DOOR}/orders/o1/clearance"
    assert (await web(token=eve.token).put(door, json={"note": "Fine."})).status_code == 403
    await run_jobs()
    assert await standing(eve) == {}
    assert (await web(token=ines.token).put(door, json={"note": "I gave a discount."})).status_code == 200
    await run_jobs()
    assert await standing(eve) == {("pending", "USD"): 1200}


async def test_what_was_handed_in_is_not_another_thing_when_it_is_approved(web: Browser):
    from referrals.bounties.schemas import NewSubmission
    from referrals.bounties.service import hand_in
    from tests.referrals.test_bounties import offered

    _owner, _browser, bounty = await offered(web)
    kol = await a_member("kol")
    await hand_in(kol.viewer, bounty, NewSubmission("https://films.example/good"))
    assert await db.fetch_val("SELECT state FROM bounty_submission") == "waiting"
    with pytest.raises(Conflict):
        await hand_in(kol.viewer, bounty, NewSubmission("https://films.example/empty"))
    assert await db.fetch_val("SELECT proof_url FROM bounty_submission") == "https://films.example/good"


# --- partners and campaigns ---


async def test_nobody_invites_themselves_into_a_tier(web: Browser):
    from referrals.partners.applying import accept_invite
    from referrals.partners.crm import invite
    from referrals.partners.schemas import NewInvite

    eve, ines, mara = await a_member("eve", role="admin"), await a_member("ines"), await a_member("mara")
    await a_shop_of(ines)
    program_id = await db.fetch_val("SELECT id FROM program")
    until = f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    code = await invite(eve.viewer, program_id, NewInvite(tier="Gold", most_uses=5, expires_on=until))
    with pytest.raises(Forbidden):
        await accept_invite(eve.viewer, code)
    assert await db.fetch_val("SELECT count(*) FROM partner WHERE tier <> ''") == 0
    await accept_invite(mara.viewer, code)
    assert await db.fetch_val("SELECT used FROM partner_invite") == 1


async def test_a_milestone_is_not_another_thing_when_it_is_approved(web: Browser):
    from referrals.campaigns.queries import access_milestone
    from referrals.campaigns.schemas import Work
    from referrals.campaigns.service import hand_in

    kol, ines = await a_member("kol"), await a_member("ines")
    await a_shop_of(ines)
    campaign = await db.fetch_val(
        """INSERT INTO campaign (program_id, name, brief, starts_at, ends_at, currency, fee_budget, promised, by_id,
                                 created_at)
           SELECT id, 'Spring', '', $1, $1::timestamptz + interval '30 days', 'USD', 9000, 9000, $2, $1
             FROM program RETURNING id""",
        clock.now(), ines.id,
    )  # fmt: skip
    contract = await db.fetch_val(
        """INSERT INTO campaign_contract (campaign_id, member_id, state, by_id, created_at)
           VALUES ($1, $2, 'accepted', $3, $4) RETURNING id""",
        campaign, kol.id, ines.id, clock.now(),
    )  # fmt: skip
    milestone = await db.fetch_val(
        """INSERT INTO campaign_milestone (contract_id, title, fee, due_at, state)
           VALUES ($1, 'A film', 9000, $2, 'open') RETURNING id""",
        contract, clock.now(),
    )  # fmt: skip
    await hand_in(kol.viewer, milestone, Work("https://films.example/good", ""))
    with pytest.raises(Conflict):
        await hand_in(kol.viewer, milestone, Work("https://films.example/empty", ""))
    async with db.transaction():
        assert (await access_milestone(milestone, member_id=kol.id))["proof_url"] == "https://films.example/good"


# --- what breaks instead of answering ---


async def test_a_lead_beyond_all_bounds_is_refused_not_booked(web: Browser):
    """A million times a billion: ten of them would be more than the books can add up, for everybody."""
    from referrals.programs.terms import EventPay, Terms
    from tests.referrals.till import a_shop_that_pays

    kol, ines = await a_member("kol"), await a_member("ines")
    shop = await a_shop_that_pays(Terms(currency="USD", events=[EventPay("trial", "flat", amount=10**12)]))
    await db.execute("UPDATE store SET owner_id = $1 WHERE id = $2", ines.id, shop.id)
    for number in range(12):
        told = {"store": "north", "id": f"k{number}", "kind": "trial", "quantity": 1_000_000}
        told |= {"gv": await click(web(), (await a_link(web, kol))["code"])}
        await web(token=ines.token).post("/api/v1/conversions", json=told)
        await run_jobs()
    assert sum((await standing(kol)).values()) < 10**16
    assert (await web(token=kol.token).get("/api/v1/earn/commissions")).status_code == 200
    await books_are_right()


@pytest.mark.parametrize(
    ("door", "typed", "page"),
    [
        ("/admin/programs/north/codes/sheet", {"sheet": '"code"x,owner\r\nA,b'}, "/admin/programs/north/codes"),
        ("/admin/programs/north/rates", {"handle": "a\0b", "rate": "10", "expires_on": "2027-01-01"}, None),
        ("/admin/programs/north/rates/tiers", {"handle": "a\0b", "tier": "x"}, "/admin/programs/north/rates"),
        ("/admin/programs/north/quote", {"cart": "SKU-1 1 10.00", "currency": "USD", "member": "a\0b"}, None),
        ("/admin/programs/north/budgets", {"name": "a\0b", "most": "10", "currency": "USD"}, None),
        ("/admin/programs/north/payouts/credit", {"code": "a\0b"}, "/admin/programs/north/payouts"),
        ("/admin/programs/north/partners/applications/nobody", {"verdict": "declined", "reason": "a\0b"}, None),
        ("/admin/programs/north/links/hosts", {"host": "a\0b.example"}, "/admin/programs/north/links"),
        ("/earn/codes/entered", {"store": "no\0rth", "code": "a\0b"}, "/earn/codes"),
        ("/hi", {"code": "a\0b"}, None),
    ],
)
async def test_odd_words_are_answered_by_a_sentence(web: Browser, door: str, typed: dict, page: str | None):
    ines = await a_member("ines")
    await a_shop_of(ines)
    browser = await sign_in(web(), ines)
    if door == "/hi":
        answer = await browser.get("/hi", params=typed)
    else:
        shown = page or (door if "applications" not in door else "/admin/programs/north/partners/applications")
        answer = await submit(browser, door, typed, page=shown)
    assert answer.status_code < 500, answer.text
