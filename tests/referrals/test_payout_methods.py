"""Where money goes is changed only by its owner, slowly, and never silently; and tax offices get what they ask for."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Invalid, NotFound, TooMany
from app.settings import BadSetting, load
from referrals.payouts import methods, taxes
from referrals.payouts.quotes import quote_for
from referrals.payouts.rails.by_hand import checked_account, checked_alipay, checked_bic
from referrals.payouts.rails.shape import masked
from referrals.payouts.seal import seal, unseal
from referrals.payouts.taxes import NewTaxProfile, verdict_of
from referrals.payouts.thresholds import SHIPPED, Threshold
from tests.factories import PASSWORD, Browser, a_member, is_told, run_jobs
from tests.referrals.cast import books_are_right
from tests.referrals.payees import IBAN, OTHER_IBAN, a_bank_account, a_house, earn

pytestmark = pytest.mark.anyio


async def test_details_are_sealed_and_open_only_for_their_owner(web: Browser):
    mara, ines = await a_member("mara"), await a_member("ines")
    await a_bank_account(mara)
    row = await methods.live_method(mara.id, "bank")
    assert row and IBAN.encode() not in row["sealed"] and b"Mara" not in row["sealed"] and row["hint"] == "DE•• 3000"
    assert methods.details_of(row)["account"] == IBAN
    assert unseal("method", ines.id, row["sealed"]) == {} and unseal("tax", mara.id, row["sealed"]) == {}
    assert unseal("method", mara.id, b"") == {} and seal("x", 1, {}) != seal("x", 1, {})


async def test_a_change_rests_for_72_hours_and_tells_the_owner(web: Browser, monkeypatch: pytest.MonkeyPatch):
    from referrals.payouts import jobs, letters

    sent = []

    async def post(to: str, subject: str, text: str) -> None:
        sent.append((to, subject, text))

    monkeypatch.setattr(jobs.mail, "is_set_up", lambda: True)
    monkeypatch.setattr(letters.mail, "send", post)
    mara = await a_member("mara")
    await a_bank_account(mara)
    await a_bank_account(mara, OTHER_IBAN, rested=False)
    (row,) = await methods.methods_of(mara.id)
    assert row["hint"] == "GB•• 6819" and methods.trouble_with(row) == "cooling_off"
    clock.travel(timedelta(hours=71, minutes=59))
    assert methods.trouble_with(row) == "cooling_off"
    clock.travel(timedelta(minutes=2))
    assert methods.trouble_with(row) == ""
    assert [to for to, _, _ in sent] == ["mara@example.org"] * 2
    assert "DE•• 3000" in sent[1][2] and "72 hours" in sent[1][2] and OTHER_IBAN not in sent[1][2]
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'payout_method_changed'") == 2


async def test_many_changes_at_once_leave_one_account(web: Browser):
    mara = await a_member("mara")
    accounts = [f"1234567{n}" for n in range(6)]
    await asyncio.gather(*(a_bank_account(mara, account, rested=False) for account in accounts))
    assert len(await methods.methods_of(mara.id)) == 1
    assert await db.fetch_val("SELECT count(*) FROM payout_method") == 6


async def test_the_password_cannot_be_guessed_here(web: Browser):
    mara = await a_member("mara")
    for _ in range(10):
        with pytest.raises(Invalid):
            await methods.confirm_person(mara.viewer, "a guess of the day")
    with pytest.raises(TooMany):
        await methods.confirm_person(mara.viewer, PASSWORD)


async def test_somebody_elses_method_is_not_there(web: Browser):
    mara, eve = await a_member("mara"), await a_member("eve")
    method_id = await a_bank_account(mara)
    with pytest.raises(NotFound):
        await methods.remove_method(eve.viewer, method_id)
    await methods.remove_method(mara.viewer, method_id)
    with pytest.raises(NotFound):
        await methods.remove_method(mara.viewer, method_id)
    with pytest.raises(Invalid):
        await methods.choose(mara.viewer, "bank", automatic=True)


async def test_the_same_account_of_two_members_is_announced_however_it_is_written(web: Browser):
    mara, ines, carl = await a_member("mara"), await a_member("ines"), await a_member("carl")
    await a_bank_account(mara)
    await a_bank_account(carl, OTHER_IBAN)
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'PayoutMethodShared'") == 0
    await a_bank_account(ines, "de89 3704 0044 0532 0130 00")
    told = await db.fetch_val("SELECT data FROM event WHERE type = 'PayoutMethodShared'")
    assert told["member_ids"] == [mara.id, ines.id] and not is_told(IBAN, str(told))


def test_a_slip_in_an_account_is_seen():
    assert checked_account("de89 3704 0044 0532 0130 00", "account") == IBAN
    assert checked_account("12-345678", "account") == "12345678"
    assert checked_alipay("+86 138 0013 8000", "account") == "8613800138000"
    assert checked_bic("deutdeff500", "bic") == "DEUTDEFF500" and checked_bic("02-100-0021", "bic") == "021000021"
    for wrong in ("DE88370400440532013000", "=cmd|' /C calc'!A0", "12", "ABCDEF", "١٢٣٤٥٦٧٨"):
        with pytest.raises(Invalid):
            checked_account(wrong, "account")
    for wrong in ("DEUT", "12345", "'; DROP"):
        with pytest.raises(Invalid):
            checked_bic(wrong, "bic")
    assert masked("ann@example.org") == "a•••@example.org" and masked("12345") == "•• 45"


def test_thresholds_are_data():
    """From 2026 on the United States ask at 2,000 dollars instead of 600."""

    def us(paid: int, earned: int, **more) -> tuple[bool, int]:
        found = verdict_of(
            more.get("country", "US"), more.get("has", False), paid, "USD", earned, more.get("rows", SHIPPED)
        )
        return found.must_ask, found.withheld

    assert clock.now().year >= 2026
    assert us(0, 199_999) == (False, 0) and us(0, 200_000) == (True, 0) and us(190_000, 10_000) == (True, 0)
    assert us(190_000, 10_000, has=True) == (False, 0)
    assert us(190_000, 10_000, country="DE") == (False, 0), "no sum in dollars is one of a German's euros"
    assert us(190_000, 10_000, country="") == (True, 0), "an unknown country may be any"
    own = (*SHIPPED, Threshold("House rule", "DE", "USD", 1_000, "withhold", 2020, 2_400))
    assert us(0, 10_000, country="DE", rows=own) == (False, 2_400)
    assert us(0, 10_000, country="DE", rows=own, has=True) == (False, 0)
    assert us(0, 10_000, country="", rows=own) == (True, 0)


async def test_a_reached_threshold_waits_for_the_number_and_what_is_withheld_is_booked(web: Browser):
    from referrals.payouts.claims import Figures, ask_for_payout

    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 2_500_000)
    await a_bank_account(mara)
    assert (await quote_for(mara.id, house.shop.id, "USD", "bank")).trouble == "tax_number_needed"
    told = NewTaxProfile("US", "person", "Mara Weiss", "", PASSWORD)
    await taxes.tell_tax_profile(mara.viewer, told)
    assert (await quote_for(mara.id, house.shop.id, "USD", "bank")).trouble == "tax_number_needed"
    # The operator's own row for the same regime stands in place of the shipped one.
    await db.execute(
        """INSERT INTO tax_threshold (regime, country, currency, amount, action, withhold_bps, since_year, created_at)
           VALUES ('US 1099-NEC', 'US', 'USD', 200000, 'withhold', 2400, 2026, now())"""
    )
    seen = await quote_for(mara.id, house.shop.id, "USD", "bank")
    assert (seen.trouble, seen.withheld, seen.sends) == ("", 60_000, 190_000)
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    await ask_for_payout(mara.viewer, store, "USD", "bank", Figures(250_000, 190_000))
    with pytest.raises(Invalid):
        await taxes.tell_tax_profile(mara.viewer, NewTaxProfile("XX", "person", "Mara", "1", PASSWORD))
    with pytest.raises(Invalid):
        await taxes.tell_tax_profile(
            mara.viewer, NewTaxProfile("US", "person", "Mara Weiss", "123-45-6789", "wrong one")
        )
    await taxes.tell_tax_profile(mara.viewer, NewTaxProfile("us", "person", "Mara Weiss", "123-45-6789", PASSWORD))
    row = await taxes.tax_profile_of(mara.id)
    assert row and row["last4"] == "6789" and b"123456789" not in row["sealed"]
    assert taxes.legal_name_of(row) == "Mara Weiss"
    await run_jobs()
    await books_are_right()


def test_the_stripe_key_is_looked_at_before_anything_starts():
    good = {"GRAPEVINE_STRIPE_KEY": "rk_live_1"}
    assert load(good).stripe_key == "rk_live_1"
    with pytest.raises(BadSetting, match="STRIPE_KEY"):
        load({"GRAPEVINE_STRIPE_KEY": "pk_live_1"})


async def test_an_operator_sees_and_changes_thresholds_from_the_command_line(web: Browser):
    from tests.referrals.test_ledger import grapevine

    status, said = await grapevine("tax", "thresholds")
    assert status == 0 and {row["regime"] for row in said["thresholds"]} == {"US 1099-NEC", "CN IIT", "EU DAC7"}
    own = "--regime,EU DAC7,--country,EU,--currency,EUR,--amount,100,--action,withhold,--since,2023".split(",")
    assert (await grapevine("tax", "set", *own))[0] == 1, "to keep back nothing is a slip"
    assert (await grapevine("tax", "set", *own, "--withhold-bps", "500"))[0] == 0
    assert (await grapevine("tax", "set", *own, "--withhold-bps", "700"))[0] == 0
    assert {row.withhold_bps for row in await taxes.thresholds() if row.regime == "EU DAC7"} == {700}


async def test_an_erased_member_leaves_no_account_behind_and_the_books_stay(web: Browser):
    from app import people
    from referrals.payouts.claims import Figures, ask_for_payout
    from tests.referrals.payees import all_is_right

    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    await taxes.tell_tax_profile(mara.viewer, NewTaxProfile("DE", "person", "Mara Weiss", "12345678901", PASSWORD))
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    assert store is not None
    await ask_for_payout(mara.viewer, store, "USD", "bank", Figures(5_000, 5_000))
    await people.erase("mara")
    row = await db.fetch_one("SELECT sealed, hint, fingerprint, removed_at FROM payout_method")
    assert row and (row["sealed"], row["hint"], row["fingerprint"]) == (b"", "", "") and row["removed_at"]
    assert await taxes.tax_profile_of(mara.id) is None and await methods.wish_of(mara.id) is None
    assert await db.fetch_val("SELECT count(*) FROM payout") == 1
    await all_is_right()
