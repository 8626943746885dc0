"""What a member sees and presses to be paid, and what those who run the store do; without JavaScript."""

import re
from datetime import timedelta

import pytest

from app import clock, db
from app.db import watch_queries
from tests.factories import PASSWORD, Browser, a_member, is_told, run_jobs, sign_in, submit
from tests.referrals.cast import standing
from tests.referrals.payees import IBAN, a_bank_account, a_house, all_is_right, earn, the_payout_of

pytestmark = pytest.mark.anyio

HERE = "/admin/programs/north/payouts"


async def test_a_member_adds_an_account_looks_at_the_figures_and_asks(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    browser = await sign_in(web(), mara)
    shown = (await browser.get("/earn/payouts")).text
    assert "$50.00" in shown and "Say first where the money should go." in shown
    told = {"rail": "bank", "holder": "Mara Weiss", "account": "DE89 3704 0044 0532 0130 00", "password": PASSWORD}
    slip = await submit(browser, "/earn/payouts/methods", told | {"account": "DE88 3704 0044 0532 0130 00"})
    assert slip.status_code == 422 and "check digits" in slip.text and "Mara Weiss" in slip.text
    wrong = await submit(browser, "/earn/payouts/methods", told | {"password": "not mine at all"})
    assert wrong.status_code == 422 and "not your password" in wrong.text
    assert (await submit(browser, "/earn/payouts/methods", told)).status_code == 303
    shown = (await browser.get("/earn/payouts")).text
    assert "less than 72 hours ago" in shown
    early = await submit(
        browser,
        "/earn/payouts",
        {"store": "north", "currency": "USD", "rail": "bank", "amount": "5000", "receives": "5000"},
        page="/earn/payouts/methods",
    )
    assert early.status_code == 422 and await the_payout_of(mara) == {}
    clock.travel(timedelta(hours=73))
    address = "/earn/payouts/new?store=north&currency=USD&rail=bank"
    confirm = (await browser.get(address)).text
    assert "DE•• 3000" in confirm and "Pay me $50.00" in confirm and "two people approve" in confirm
    assert not is_told(IBAN, confirm)
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', confirm))
    for _press in range(2):
        answer = await browser.post("/earn/payouts", data=fields)
        assert answer.status_code == 303, answer.text
    payout = await the_payout_of(mara)
    assert answer.headers["location"] == f"/earn/payouts/{payout['id']}"
    assert await db.fetch_val("SELECT count(*) FROM payout") == 1, "a double press is one payout"
    advice = (await browser.get(answer.headers["location"])).text
    assert f"PO-{payout['id']}" in advice and "#1001" in advice and "$50.00" in advice
    stranger = await sign_in(web(), await a_member("eve"))
    assert (await stranger.get(answer.headers["location"])).status_code == 404
    assert (
        await submit(browser, f"/earn/payouts/{payout['id']}/cancel", {}, page="/earn/payouts/methods")
    ).status_code == 303
    assert await standing(mara) == {("available", "USD"): 5_000}


async def test_the_store_previews_gathers_approves_sends_and_marks(web: Browser):
    house, mara, ines = await a_house(), await a_member("mara"), await a_member("ines")
    await earn(web, house.shop, mara, "1001", 50_000)
    await earn(web, house.shop, ines, "1002", 40_000)
    await a_bank_account(mara)
    owner, ada, ben = [await sign_in(web(), one) for one in (house.owner, house.ada, house.ben)]
    before = await db.fetch_val("SELECT count(*) FROM ledger_entry")
    preview = (await owner.get(f"{HERE}/new")).text
    assert "@mara" in preview and "Has not said where the money should go" in preview and "$50.00" in preview
    assert await db.fetch_val("SELECT count(*) FROM ledger_entry") == before
    made = await submit(owner, HERE, {"currency": "USD", "cutoff": "", "minimum": "20"}, page=f"{HERE}/new")
    assert made.status_code == 303, made.text
    await run_jobs()
    batch = made.headers["location"]
    shown = (await owner.get(batch)).text
    assert "two others have to" in shown and "Approve exactly this list" not in shown
    for browser in (ada, ben):
        look = (await browser.get(batch)).text
        seen = re.search(r'name="seen" value="([0-9a-f]{64})"', look)
        assert seen
        wrong = await submit(browser, f"{batch}/approvals", {"seen": seen[1], "password": "no"}, page=batch)
        assert wrong.status_code == 422 and "not your password" in wrong.text
        answer = await submit(browser, f"{batch}/approvals", {"seen": seen[1], "password": PASSWORD}, page=batch)
        assert answer.status_code == 303, answer.text
    assert (await submit(owner, f"{batch}/submit", {}, page=batch)).status_code == 303
    await run_jobs()
    file = await submit(ada, f"{batch}/export", {}, page=batch)
    assert IBAN in file.text and file.headers["content-type"].startswith("text/csv")
    assert await db.fetch_val(
        "SELECT count(*) FROM payout_step WHERE step = 'exported' AND actor_id = $1", house.ada.id
    )
    payout = await the_payout_of(mara)
    number = f"PO-{payout['id']}"
    lines = f"payout,result,reference,reason\n{number},settled,=wire(7),\nPO-999,settled,,\n{number},paid,,\n"
    done = await submit(ada, f"{batch}/results", {}, page=batch, files={"file": ("r.csv", lines.encode())})
    assert (
        done.status_code == 200
        and "There is no such payout" in done.text
        and "settled, failed or returned" in done.text
    )
    assert (await the_payout_of(mara))["state"] == "settled"
    back = await submit(ada, f"{batch}/payouts/{payout['id']}", {"result": "returned", "reason": "closed"}, page=batch)
    assert back.status_code == 303
    assert await standing(mara) == {("available", "USD"): 5_000}
    assert "Came back" in (await owner.get(batch)).text
    assert (await owner.get(HERE)).status_code == 200
    await all_is_right()


@pytest.mark.parametrize(
    "broken", [b"\xff\xfe\x00", b"a,b\n1,2\n", b'payout,result\n"open', b"payout,result\n" + b"x" * 2_100_000]
)
async def test_a_broken_result_file_changes_nothing_and_says_so(web: Browser, broken: bytes):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    owner = await sign_in(web(), house.owner)
    made = await submit(owner, HERE, {"currency": "USD"}, page=f"{HERE}/new")
    await run_jobs()
    batch = made.headers["location"]
    answer = await submit(owner, f"{batch}/results", {}, page=batch, files={"file": ("r.csv", broken)})
    assert answer.status_code in (413, 422), answer.status_code
    assert (await the_payout_of(mara))["state"] == "claimed"


async def test_nobody_else_sees_a_stores_payouts(web: Browser):
    house = await a_house()
    other = await a_house("south")
    for person, status in ((await a_member("eve"), 403), (other.owner, 403)):
        browser = await sign_in(web(), person)
        for address in (HERE, f"{HERE}/new", f"{HERE}/terms", f"{HERE}/1"):
            assert (await browser.get(address)).status_code == status, address
        assert (await submit(browser, HERE, {"currency": "USD"}, page="/earn/payouts/methods")).status_code == status
    for address in ("/earn/payouts", "/earn/payouts/methods", HERE):
        assert (await web().get(address)).status_code == 303
    owner = await sign_in(web(), house.owner)
    assert (await owner.get(f"{HERE}/999")).status_code == 404
    assert (await owner.get("/admin/programs/nowhere/payouts")).status_code == 404
    assert (await owner.get("/earn/payouts/new?store=north&currency=EUR&rail=bank")).status_code == 404
    assert (await owner.get("/earn/payouts/new?store=nowhere&currency=USD&rail=bank")).status_code == 404


async def test_the_terms_of_a_store_are_shown_before_anybody_confirms(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    owner, browser = await sign_in(web(), house.owner), await sign_in(web(), mara)
    terms = {
        "currency": "USD",
        "minimum": "100",
        "least": "10",
        "early_fee": "2.50",
        "bonus": "10",
        "pay_day": "0",
        "rails": ["bank", "store_credit"],
        "fee_bank": "0.25",
    }
    slip = await submit(owner, f"{HERE}/terms", terms | {"least": "100"})
    assert slip.status_code == 422 and "below the usual one" in slip.text
    assert (await submit(owner, f"{HERE}/terms", terms | {"minimum": "1.005"})).status_code == 422
    assert (await submit(owner, f"{HERE}/terms", terms)).status_code == 303
    bank = (await browser.get("/earn/payouts/new?store=north&currency=USD&rail=bank")).text
    assert "Pay me $47.25" in bank and "an early payout costs" in bank
    credit = (await browser.get("/earn/payouts/new?store=north&currency=USD&rail=store_credit")).text
    assert "Take $55.00 as store credit" in credit
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', credit))
    answer = await browser.post("/earn/payouts", data=fields)
    code = await db.fetch_val("SELECT code FROM store_credit")
    assert code in (await browser.get(answer.headers["location"])).text
    assert code not in (await owner.get(answer.headers["location"])).text
    for status in (303, 422):
        used = await submit(owner, f"{HERE}/credit", {"code": code.upper(), "order": "77"}, page=HERE)
        assert used.status_code == status, "a code pays once"
    assert await standing(mara) == {}
    await all_is_right()


async def test_lists_cost_the_same_however_long_they_are(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await a_bank_account(mara)
    browser, owner = await sign_in(web(), mara), await sign_in(web(), house.owner)
    counts = []
    for length in (1, 4):
        for number in range(length):
            await earn(web, house.shop, mara, f"credit-{length}-{number}", 50_000)
            confirm = (await browser.get("/earn/payouts/new?store=north&currency=USD&rail=store_credit")).text
            fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', confirm))
            assert (await browser.post("/earn/payouts", data=fields)).status_code == 303
        for number in range(length):
            ines = await a_member()
            await earn(web, house.shop, ines, f"ines-{length}-{number}", 50_000)
            await earn(web, house.shop, mara, f"mara-{length}-{number}", 50_000)
        with watch_queries() as seen:
            for person, address in ((browser, "/earn/payouts"), (owner, f"{HERE}/new"), (owner, HERE)):
                assert (await person.get(address)).status_code == 200
        counts.append(len(seen))
        await ask_for_everything(browser)
    assert counts[0] == counts[1], counts


async def ask_for_everything(browser) -> None:
    confirm = (await browser.get("/earn/payouts/new?store=north&currency=USD&rail=bank")).text
    fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', confirm))
    assert (await browser.post("/earn/payouts", data=fields)).status_code == 303


async def test_programs_can_do_what_pages_do(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    api = web(token=mara.token)
    new = {"rail": "bank", "details": {"holder": "Mara", "account": IBAN}, "password": PASSWORD}
    assert (await api.post("/api/v1/payout-methods", json=new | {"password": "nope nope nope"})).status_code == 422
    made = await api.post("/api/v1/payout-methods", json=new)
    assert made.status_code == 201 and made.json()["trouble"] == "cooling_off" and made.json()["account"] == "DE•• 3000"
    clock.travel(timedelta(hours=73))
    quote = next(one for one in (await api.get("/api/v1/payouts/quotes")).json()["quotes"] if one["rail"] == "bank")
    assert quote["receives"] == {"amount": 5000, "currency": "USD"} and quote["trouble"] == ""
    asked = {"store": "north", "currency": "USD", "rail": "bank", "amount": 5000, "receives": 5000}
    stale = await api.post("/api/v1/payouts", json=asked | {"receives": 5001})
    assert stale.status_code == 409 and stale.json()["type"].endswith("figures-changed")
    first = await api.post("/api/v1/payouts", json=asked, headers={"Idempotency-Key": "p1"})
    again = await api.post("/api/v1/payouts", json=asked, headers={"Idempotency-Key": "p1"})
    assert (first.status_code, again.json()) == (201, first.json())
    reused = await api.post("/api/v1/payouts", json=asked | {"rail": "store_credit"}, headers={"Idempotency-Key": "p1"})
    assert reused.status_code == 409
    eve = web(token=(await a_member("eve")).token)
    address = f"/api/v1/payouts/{first.json()['id']}"
    assert (await eve.get(address)).status_code == 404 and (await eve.delete(address)).status_code == 404
    assert (await api.delete(address)).status_code == 204 and (await api.delete(address)).status_code == 409
    assert (await api.get("/api/v1/payouts")).json()["items"][0]["state"] == "cancelled"
    assert (await api.delete(f"/api/v1/payout-methods/{made.json()['id']}")).status_code == 204
    assert (await web().get("/api/v1/payouts")).status_code == 401
    await all_is_right()


async def test_a_member_tells_the_tax_office_what_it_asks(web: Browser):
    mara = await a_member("mara")
    browser = await sign_in(web(), mara)
    page, told = "/earn/payouts/methods", {"country": "DE", "kind": "person", "legal_name": "Mara Weiss"}
    wrong = await submit(browser, "/earn/payouts/tax", told | {"tax_password": "no"}, page=page)
    assert wrong.status_code == 422 and 'href="#tax_password"' in wrong.text and "Mara Weiss" in wrong.text
    told |= {"tax_id": "12 345 678 901", "tax_password": PASSWORD}
    assert (await submit(browser, "/earn/payouts/tax", told, page=page)).status_code == 303
    shown = (await browser.get(page)).text
    assert "number ending in 8901" in shown and not is_told("12345678901", shown)
    assert "345 678" not in shown
    names = re.findall(r' id="([^"]+)"', shown)
    assert len(names) == len(set(names)), "each label leads to its own field"
    saved = await submit(browser, "/earn/payouts/wish", {"rail": "store_credit"}, page=page)
    assert saved.status_code == 303
    assert (await submit(browser, "/earn/payouts/wish", {"rail": "bank"}, page=page)).status_code == 422
