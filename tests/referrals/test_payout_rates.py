"""Whose account is in another currency is paid by a rate that everybody saw; and what comes back comes back whole."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import clock, db, valkey
from app.errors import Forbidden, Invalid, NotFound
from app.money import EXPONENTS
from referrals.commissions.release import release_due
from referrals.payouts import batches, claims, exports
from referrals.payouts.audit import check_payouts
from referrals.payouts.claims import Figures, FiguresChanged
from referrals.payouts.methods import add_method
from referrals.payouts.quotes import quote_for
from referrals.payouts.rates import NewRate, convert, rest_of, tell_rate
from referrals.payouts.taxes import NewTaxProfile, tell_tax_profile
from referrals.payouts.terms import Terms, publish_terms
from tests.conftest import examples
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import standing
from tests.referrals.payees import IBAN, House, a_house, all_is_right, earn, the_payout_of
from tests.referrals.quick import a_quick_click, a_quick_shop, cheap_passwords, forget_jobs, run_jobs_of, standing_at
from tests.referrals.till import a_line, sell

pytestmark = pytest.mark.anyio

HERE = "/admin/programs/north/payouts"


async def rate(house: House, base: str, quote: str, told: str, *, by: Person | None = None, days: int = 0) -> int:
    new = NewRate(base, quote, told, "European Central Bank", clock.now() - timedelta(days=days))
    return await tell_rate((by or house.owner).viewer, house.shop.slug, new)


async def an_account_in(currency: str, member: Person) -> None:
    told = {"holder": member.handle.title(), "account": IBAN, "bic": ""}
    await add_method(member.viewer, "bank", told, password=PASSWORD, currency=currency)
    await db.execute("UPDATE payout_method SET usable_at = created_at")


async def ask(house: House, member: Person, currency: str = "USD", shown: Figures | None = None) -> int:
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    assert store is not None
    seen = await quote_for(member.id, house.shop.id, currency, "bank")
    shown = shown or Figures(seen.sum.amount, seen.sends, seen.pays if seen.rate else 0)
    return await claims.ask_for_payout(member.viewer, store, currency, "bank", shown)


async def send(house: House, currency: str = "USD") -> int:
    batch_id = await batches.request_batch(house.owner.viewer, house.shop.slug, currency, clock.now(), 1)
    await run_jobs()
    await let_go(house, batch_id)
    await run_jobs()
    return batch_id


async def let_go(house: House, batch_id: int) -> None:
    seen = await db.fetch_val("SELECT frozen_hash FROM payout_batch WHERE id = $1", batch_id)
    for person in (house.ada, house.ben):
        await batches.approve(person.viewer, house.shop.slug, batch_id, seen=seen.hex(), password=PASSWORD)
    await batches.submit(house.owner.viewer, house.shop.slug, batch_id)


async def of_the_store(house: House) -> dict[tuple[str, str], int]:
    """What stands on the store's clearing and cash, debits above zero."""
    rows = await db.fetch(
        """SELECT a.kind, a.currency, sum(e.amount)::bigint AS amount FROM ledger_account a
             JOIN ledger_entry e ON e.account_id = a.id
            WHERE a.owner_kind = 'store' AND a.owner_id = $1 AND a.kind IN ('cash', 'fx_clearing')
            GROUP BY 1, 2 HAVING sum(e.amount) <> 0""",
        house.shop.id,
    )
    return {(row["kind"], row["currency"]): row["amount"] for row in rows}


async def test_dollars_reach_an_account_in_euros_by_the_rate_both_approvers_saw(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, fees={"bank": 25}))
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    assert (await quote_for(mara.id, house.shop.id, "USD", "bank")).trouble == "no_rate"
    await rate(house, "USD", "EUR", "0.91")
    rate_id = await rate(house, "USD", "EUR", "0.9217")
    payout_id = await ask(house, mara, shown=Figures(5_000, 4_975, 4_585))  # 49.75 x 0.9217 = 45.854575
    payout = await the_payout_of(mara)
    assert (payout["rate_id"], payout["pays"], payout["pays_currency"]) == (rate_id, 4_585, "EUR")
    await rate(house, "USD", "EUR", "0.5")
    batch_id = await batches.request_batch(house.owner.viewer, "north", "USD", clock.now(), 100)
    await run_jobs()
    page = (await (await sign_in(web(), house.ada)).get(f"{HERE}/{batch_id}")).text
    assert "1 USD = 0.9217 EUR" in page and "€45.85" in page and "European Central Bank" in page
    await let_go(house, batch_id)
    await run_jobs()
    file = await exports.export(house.ada.viewer, "north", batch_id)
    assert f"PO-{payout_id},bank,Mara,{IBAN},,45.85,EUR," in file
    assert await exports.mark(house.ada.viewer, batch_id, payout_id, "settled", "W-1", "") == ""
    await run_jobs()
    assert await of_the_store(house) == {
        ("fx_clearing", "USD"): -4_975,
        ("fx_clearing", "EUR"): 4_585,
        ("cash", "EUR"): -4_585,
    }
    assert await standing(mara) == {}
    browser = await sign_in(web(), mara)
    advice = (await browser.get(f"/earn/payouts/{payout_id}")).text
    assert "1 USD = 0.9217 EUR" in advice and "€45.85" in advice and "$49.75" in advice
    assert "exactly 45.854575 EUR, rounded half to even" in advice
    month = clock.now().strftime("%Y-%m")
    statement = (await browser.get(f"/earn/statements/{month}?currency=USD")).text
    assert "$49.75 as €45.85 (1 USD = 0.9217 EUR)" in statement
    await all_is_right()


async def test_what_the_bank_sends_back_is_the_original_to_the_cent_whatever_the_rate_is_by_then(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 12_345)
    await an_account_in("JPY", mara)
    await publish_terms(house.owner.viewer, "north", Terms("USD", 100))
    await rate(house, "USD", "JPY", "149.537")
    payout_id = await ask(house, mara)
    batch_id = await send(house)
    before = await standing(mara)
    assert before == {("in_payout", "USD"): 1_234}
    await exports.mark(house.ada.viewer, batch_id, payout_id, "settled", "", "")
    assert await of_the_store(house) == {
        ("fx_clearing", "USD"): -1_234,
        ("fx_clearing", "JPY"): 1_845,  # 12.34 x 149.537 = 1845.28658
        ("cash", "JPY"): -1_845,
    }
    await rate(house, "USD", "JPY", "90")
    assert await exports.mark(house.ada.viewer, batch_id, payout_id, "returned", "", "closed") == ""
    await run_jobs()
    assert await standing(mara) == {("available", "USD"): 1_234}
    assert await of_the_store(house) == {}, "the clearing of both currencies is back at zero"
    browser = await sign_in(web(), mara)
    statement = (await browser.get(f"/earn/statements/{clock.now().strftime('%Y-%m')}?currency=USD")).text
    assert statement.count("149.537 JPY") == 1, "it arrived as yen; what came back came back as it was"
    await all_is_right()


async def test_a_rate_that_changed_since_it_was_shown_is_shown_again(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    await rate(house, "USD", "EUR", "0.92")
    shown = Figures(5_000, 5_000, 4_600)
    await rate(house, "USD", "EUR", "0.91")
    with pytest.raises(FiguresChanged):
        await ask(house, mara, shown=shown)
    with pytest.raises(FiguresChanged):
        await ask(house, mara, shown=Figures(5_000, 5_000))
    with pytest.raises(FiguresChanged):
        await ask(house, mara, shown=Figures(5_000, 5_000, 5_000))
    assert await standing(mara) == {("available", "USD"): 5_000}
    await ask(house, mara, shown=Figures(5_000, 5_000, 4_550))
    await all_is_right()


async def test_nobody_is_paid_by_a_rate_of_their_own_or_by_one_too_old(web: Browser):
    house = await a_house()
    await earn(web, house.shop, house.ada, "1001", 50_000)
    await an_account_in("EUR", house.ada)
    await rate(house, "USD", "EUR", "9", by=house.ada)
    assert (await quote_for(house.ada.id, house.shop.id, "USD", "bank")).trouble == "own_rate"
    with pytest.raises(Invalid):
        await ask(house, house.ada)
    found = await batches.preview({"id": house.shop.id}, "USD", clock.now(), 100)  # type: ignore[arg-type]
    assert [one.trouble for one in found] == ["own_rate"]
    await rate(house, "USD", "EUR", "0.92")
    assert (await quote_for(house.ada.id, house.shop.id, "USD", "bank")).trouble == ""
    clock.travel(timedelta(days=8))
    assert (await quote_for(house.ada.id, house.shop.id, "USD", "bank")).trouble == "no_rate"


async def test_a_rate_told_late_does_not_stand_before_a_newer_one(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    newest = await rate(house, "USD", "EUR", "0.92")
    await rate(house, "USD", "EUR", "0.80", days=3)
    seen = await quote_for(mara.id, house.shop.id, "USD", "bank")
    assert seen.rate is not None and seen.rate.id == newest


async def test_another_shops_rates_pay_nobody_here(web: Browser):
    house, other, mara = await a_house(), await a_house("south"), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    await rate(other, "USD", "EUR", "0.92")
    assert (await quote_for(mara.id, house.shop.id, "USD", "bank")).trouble == "no_rate"
    with pytest.raises((NotFound, Forbidden)):
        await rate(house, "USD", "EUR", "0.92", by=other.owner)


@pytest.mark.parametrize("told", ["0", "-1", "1,5", "1e3", "NaN", "0.12345678901", "12345678", "", "٣"])
async def test_what_is_no_rate_is_refused(house: object, told: str):
    there = await a_house()
    with pytest.raises(Invalid):
        await rate(there, "USD", "EUR", told)
    assert await db.fetch_val("SELECT count(*) FROM fx_rate") == 0


async def test_rates_and_what_was_reckoned_by_them_never_change(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    await rate(house, "USD", "EUR", "0.92")
    await ask(house, mara)
    for change in (
        "UPDATE fx_rate SET rate = 2",
        "DELETE FROM fx_rate",
        "TRUNCATE fx_rate CASCADE",
        "UPDATE payout SET pays = pays + 1",
        "UPDATE payout SET rate_id = NULL, pays = NULL, pays_currency = ''",
    ):
        with pytest.raises(asyncpg.PostgresError, match=r"append-only|never change"):
            await db.execute(change)


async def test_the_audit_finds_a_rate_that_was_changed_behind_its_back(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await an_account_in("EUR", mara)
    await rate(house, "USD", "EUR", "0.92")
    payout_id = await ask(house, mara)
    batch_id = await send(house)
    await exports.mark(house.ada.viewer, batch_id, payout_id, "settled", "", "")
    await all_is_right()
    frozen = await batches.content_hash(batch_id)
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute("UPDATE fx_rate SET rate = 0.93")
    assert await check_payouts() == [f"payout {payout_id} pays 4600 EUR; its rate makes it 4650"]
    assert await batches.content_hash(batch_id) != frozen, "what two approved is no longer what stands there"
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute("UPDATE fx_rate SET rate = 0.92")
        await db.execute("UPDATE payout SET pays = 4700")
    errors = await check_payouts()
    assert any("pays 4700 EUR" in error for error in errors) and any("clearing" in error for error in errors)


async def test_the_stores_people_tell_rates_on_a_page_and_programs_by_the_api(web: Browser):
    house = await a_house()
    owner = await sign_in(web(), house.owner)
    page = f"{HERE}/rates"
    told = {"base": "USD", "quote": "EUR", "rate": "0.92", "source": "Bank"}
    slip = await submit(owner, page, told | {"rate": "0,92"})
    assert slip.status_code == 422 and "at most ten decimals" in slip.text and 'value="0,92"' in slip.text
    late = clock.now() + timedelta(days=2)
    assert (await submit(owner, page, told | {"taken_on": late.strftime("%Y-%m-%d")})).status_code == 422
    assert (await submit(owner, page, told)).status_code == 303
    assert (await submit(owner, page, told | {"rate": "0.93"})).status_code == 303
    shown = (await owner.get(page)).text
    assert "1 USD = 0.93 EUR" in shown and "1 USD = 0.92 EUR" in shown and shown.count("In force") == 1
    door = "/api/v1/stores/north/payout-rates"
    program = web(token=house.owner.token)
    for _again in range(2):
        made = await program.post(door, json=told | {"rate": "0.9301"}, headers={"Idempotency-Key": "rate-1"})
        assert made.status_code == 201 and made.json()["rate"] == "0.9301" and made.json()["in_force"]
    nowhere = {"rate": "0.94", "taken_at": "2026-01-05T09:00:00"}
    assert (await program.post(door, json=told | nowhere)).status_code == 422, "nine o'clock where?"
    listed = (await program.get(door)).json()["items"]
    assert [one["rate"] for one in listed] == ["0.9301", "0.93", "0.92"]
    assert [one["in_force"] for one in listed] == [True, False, False]
    eve = await a_member("eve")
    assert (await (await sign_in(web(), eve)).get(page)).status_code == 403
    assert (await web(token=eve.token).get(door)).status_code == 403
    assert (await web(token=eve.token).post(door, json=told)).status_code == 403
    assert await db.fetch_val("SELECT count(*) FROM fx_rate") == 3


async def test_a_member_says_what_their_account_is_kept_in_and_sees_both_amounts_first(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    browser = await sign_in(web(), mara)
    told = {"rail": "bank", "holder": "Mara", "account": IBAN, "password": PASSWORD, "currency": "EUR"}
    assert (await submit(browser, "/earn/payouts/methods", told | {"currency": "XXX"})).status_code == 422
    assert (await submit(browser, "/earn/payouts/methods", told)).status_code == 303
    await db.execute("UPDATE payout_method SET usable_at = created_at")
    assert "has no rate of the last seven days" in (await browser.get("/earn/payouts")).text
    await rate(house, "USD", "EUR", "0.92")
    address = "/earn/payouts/new?store=north&currency=USD&rail=bank"
    confirm = (await browser.get(address)).text
    assert "1 USD = 0.92 EUR" in confirm and "Pay me €46.00" in confirm and "$50.00" in confirm
    api = web(token=mara.token)
    quotes = (await api.get("/api/v1/payouts/quotes")).json()["quotes"]
    bank = next(one for one in quotes if one["rail"] == "bank")
    assert bank["arrives"] == {"amount": 4_600, "currency": "EUR"} and bank["rate"]["rate"] == "0.92"
    answer = await submit(
        browser,
        "/earn/payouts",
        {"store": "north", "currency": "USD", "rail": "bank", "amount": "5000", "receives": "5000", "arrives": "4600"},
        page=address,
    )
    assert answer.status_code == 303, answer.text
    shown = (await api.get(f"/api/v1/payouts/{(await the_payout_of(mara))['id']}")).json()
    assert shown["arrives"] == {"amount": 4_600, "currency": "EUR"} and shown["rate"]["source"]
    chinese = (await browser.get(answer.headers["location"], headers={"Accept-Language": "zh-Hans"})).text
    assert "€46.00" in chinese
    await all_is_right()


CURRENCIES = ["USD", "EUR", "JPY", "KWD", "VND", "BHD", "CNY"]
a_rate = st.decimals("0.0000000001", "9999999", places=10, allow_nan=False, allow_infinity=False)


@settings(max_examples=examples(500), deadline=None)
@given(st.integers(1, 10**12), st.sampled_from(CURRENCIES), st.sampled_from(CURRENCIES), a_rate)
def test_an_amount_and_its_rest_are_exactly_what_the_rate_says(amount: int, base: str, quote: str, rate: Decimal):
    pays, rest = convert(amount, base, quote, rate), rest_of(amount, base, quote, rate)
    assert abs(rest) <= Decimal("0.5")
    assert abs(rest) != Decimal("0.5") or pays % 2 == 0, "a half goes to the even one"
    # In whole numbers: both sides times ten to the places of the rate and of the currencies.
    scale = 10**16
    told = amount * int(rate.scaleb(10)) * 10 ** (EXPONENTS[quote] - EXPONENTS[base] + 6)
    assert told == pays * scale + int(rest.scaleb(16))


class Payers(msgspec.Struct):
    owner: Person
    ada: Person
    ben: Person
    mara: Person


@pytest.fixture
async def payers(house: object, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Payers]:
    """The same people for every example; the books and all payouts are verified when all have run."""
    cheap_passwords(monkeypatch)
    ada, ben = [await a_member(name, role="admin") for name in ("ada", "ben")]
    found = Payers(await a_member("owner"), ada, ben, await a_member("mara"))
    await an_account_in("EUR", found.mara)
    tax = NewTaxProfile("DE", "person", "Mara Weiss", "12345678901", PASSWORD)
    await tell_tax_profile(found.mara.viewer, tax)
    yield found
    await all_is_right()


@settings(
    max_examples=examples(20),
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    pair=st.sampled_from([("JPY", "KWD"), ("KWD", "JPY"), ("USD", "KWD"), ("JPY", "USD"), ("KWD", "EUR")]),
    gross=st.integers(10_000, 9_999_999),
    told=st.decimals("0.0101", "999", places=10),
    later=st.decimals("0.0101", "999", places=10),
    end=st.sampled_from(["failed", "settled", "settled returned", "settled returned"]),
)
async def test_whatever_the_units_and_the_rate_what_fails_or_returns_is_whole_again(
    payers: Payers, pair: tuple[str, str], gross: int, told: Decimal, later: Decimal, end: str
):
    earned, paid_in = pair
    await valkey.client().flushdb()  # Two look at each batch, again and again: nobody here is slowed down for that.
    shop = await a_quick_shop(payers.owner, currency=earned, hold_days=0)
    there = House(shop, payers.owner, payers.ada, payers.ben)
    await publish_terms(payers.owner.viewer, shop.slug, Terms(earned, 1))
    await sell(shop, (await a_quick_click(shop, payers.mara)).hex, "1", a_line(gross=gross), currency=earned)
    await db.execute("UPDATE commission SET screened_at = created_at WHERE screened_at IS NULL")
    await release_due()
    before = await standing_at(shop)
    assert before["available"] > 0
    await db.execute("UPDATE payout_method SET currency = $1, failures = 0", paid_in)
    await rate(there, earned, paid_in, str(told))
    seen = await quote_for(payers.mara.id, shop.id, earned, "bank")
    if seen.trouble:
        assert (seen.trouble, seen.pays) == ("fees_eat_it", 0)
        return
    payout_id = await ask(there, payers.mara, earned)
    batch_id = await batches.request_batch(payers.owner.viewer, shop.slug, earned, clock.now(), 1)
    await run_jobs_of("referrals.payouts")
    await let_go(there, batch_id)
    await run_jobs_of("referrals.payouts")
    for result in end.split():
        assert await exports.mark(payers.ada.viewer, batch_id, payout_id, result, "", "") == ""
        await rate(there, earned, paid_in, str(later))
    await forget_jobs()
    stands = {bucket: amount for bucket, amount in (await standing_at(shop)).items() if amount}
    if end == "settled":
        assert stands == {}
        assert await of_the_store(there) == {
            ("fx_clearing", earned): -seen.sends,
            ("fx_clearing", paid_in): seen.pays,
            ("cash", paid_in): -seen.pays,
        }
    else:
        assert stands == {bucket: amount for bucket, amount in before.items() if amount}
        assert await of_the_store(there) == {}
