"""A confirmed case reaches money that is in a payout, on its way or paid; an objection that was right puts all back."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from referrals.books.debts import write_off
from referrals.commissions.release import release_due
from referrals.fraud import cases
from referrals.payouts import batches, exports
from tests.factories import Browser, Person, a_member, run_jobs, sign_in
from tests.referrals.cast import standing, tell
from tests.referrals.payees import House, a_bank_account, a_house, all_is_right, earn, the_payout_of
from tests.referrals.test_fraud import HILL
from tests.referrals.test_payouts import a_batch, approve, ask, send
from tests.storefront.shop import order, refund

pytestmark = pytest.mark.anyio


async def a_bad_one(web: Browser) -> tuple[House, Person]:
    """Mara earned 50 on an order of which nobody knows the address yet, and 30 on an honest one."""
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "bad", 50_000)
    await earn(web, house.shop, mara, "good", 30_000)
    await a_bank_account(mara)
    return house, mara


async def it_was_her_own(web: Browser, house: House) -> int:
    """The address of the order is told at last: it is Mara's own. The case that opens."""
    own = order("own", customer={"id": "mara", "email": "mara@example.org", "name": "M"}, shipping_address=HILL)
    await tell(web, house.shop, "order.paid", own)
    gv = await db.fetch_val("SELECT gv FROM orders WHERE external_id = 'bad'")
    later = {"updated_at": (clock.now() + timedelta(seconds=9)).isoformat(), "shipping_address": HILL}
    lines = [{"id": "l1", "product_id": "SKU-1", "title": "", "quantity": 1, "gross": 50_000, "discount": 0, "tax": 0}]
    sold = order("bad", gv=str(gv), lines=lines, **later) | {"customer": {"id": "c-bad"}}
    await tell(web, house.shop, "order.paid", sold)
    case_id = await db.fetch_val("SELECT id FROM fraud_case WHERE state = 'open'")
    assert case_id is not None
    return case_id


async def confirm(house: House, case_id: int) -> None:
    await cases.decide(house.owner.viewer, "north", case_id, confirm=True, words="It went to you.")
    await run_jobs()


async def object_and_win(house: House, mara: Person, case_id: int) -> None:
    await cases.answer(mara.viewer, case_id, "It was a present.")
    await cases.decide_appeal(house.ada.viewer, "north", case_id, uphold=True, words="A present it was.")
    await run_jobs()


async def pay(house: House) -> dict:
    batch = await a_batch(house)
    await send(house, batch)
    for row in await db.fetch("SELECT id FROM payout WHERE state = 'submitted'"):
        await exports.mark(house.ada.viewer, batch["id"], row["id"], "settled", "wire 1", "")
    await run_jobs()
    return batch


async def state_of(ref: str) -> str:
    return await db.fetch_val(
        "SELECT c.state FROM commission c JOIN orders o ON o.id = c.order_id WHERE o.external_id = $1", ref
    )


async def payouts() -> list[tuple[str, int]]:
    return [(row["state"], row["amount"]) for row in await db.fetch("SELECT state, amount FROM payout ORDER BY id")]


async def test_what_waits_in_a_payout_is_taken_out_and_the_rest_is_asked_for_again(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await confirm(house, await it_was_her_own(web, house))
    assert await payouts() == [("cancelled", 8_000), ("claimed", 3_000)]
    assert await standing(mara) == {("in_payout", "USD"): 3_000}
    assert (await state_of("bad"), await state_of("good")) == ("rejected", "allocated")
    await all_is_right()
    await pay(house)
    assert await standing(mara) == {} and (await the_payout_of(mara))["state"] == "settled"
    await all_is_right()


async def test_a_payout_of_a_frozen_or_approved_batch_is_not_sent_and_the_others_are(web: Browser):
    house, mara = await a_bad_one(web)
    ben = await a_member("bob")
    await earn(web, house.shop, ben, "bobs", 20_000)
    await a_bank_account(ben, "GB29NWBK60161331926819")
    await ask(house, mara)
    await ask(house, ben)
    batch = await a_batch(house)
    await approve(house, batch)
    await confirm(house, await it_was_her_own(web, house))
    await batches.submit(house.owner.viewer, "north", batch["id"])
    await run_jobs()
    assert await payouts() == [("cancelled", 8_000), ("submitted", 2_000), ("claimed", 3_000)]
    file = await exports.export(house.ada.viewer, "north", batch["id"])
    assert "80.00" not in file and "20.00" in file
    await all_is_right()


async def test_a_batch_of_which_nothing_is_left_is_over_when_it_is_sent(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    batch = await a_batch(house)
    await confirm(house, await it_was_her_own(web, house))
    await send(house, batch)
    assert await db.fetch_val("SELECT state FROM payout_batch WHERE id = $1", batch["id"]) == "done"
    await all_is_right()


async def test_what_the_bank_has_in_hand_becomes_a_debt_when_it_arrives_and_nothing_when_it_does_not(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    batch = await a_batch(house)
    await send(house, batch)
    await confirm(house, await it_was_her_own(web, house))
    assert await standing(mara) == {("in_payout", "USD"): 8_000, ("receivable", "USD"): -5_000}
    await all_is_right()
    payout_id = (await the_payout_of(mara))["id"]
    await exports.mark(house.ada.viewer, batch["id"], payout_id, "settled", "wire 1", "")
    await run_jobs()
    assert await standing(mara) == {("receivable", "USD"): -5_000} and await state_of("bad") == "rejected"
    await all_is_right()
    await exports.mark(house.ada.viewer, batch["id"], payout_id, "returned", "", "closed")
    await run_jobs()
    assert await standing(mara) == {("available", "USD"): 3_000}, "the bank sent all back: nothing is owed any more"
    await all_is_right()


async def test_what_was_paid_is_owed_says_so_and_later_earnings_pay_it_first(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await pay(house)
    await confirm(house, await it_was_her_own(web, house))
    assert await standing(mara) == {("receivable", "USD"): -5_000} and await state_of("bad") == "rejected"
    kept = await db.fetch_one("SELECT kind, reason FROM ledger_transaction ORDER BY id DESC LIMIT 1")
    assert kept is not None and tuple(kept) == ("claw_back", "clawed_back")
    from referrals.commissions.reasons import reason_words

    assert "owe" in str(reason_words("clawed_back")) and reason_words("clawed_back") != reason_words("?")
    await all_is_right()
    await earn(web, house.shop, mara, "next", 70_000)
    assert await standing(mara) == {("available", "USD"): 2_000}
    await all_is_right()


async def test_an_objection_that_was_right_puts_paid_money_where_it_was(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await pay(house)
    case_id = await it_was_her_own(web, house)
    await confirm(house, case_id)
    await object_and_win(house, mara, case_id)
    assert await standing(mara) == {} and await state_of("bad") == "paid"
    await all_is_right()


async def test_what_other_earnings_had_paid_of_the_debt_comes_back_too(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await pay(house)
    case_id = await it_was_her_own(web, house)
    await confirm(house, case_id)
    await earn(web, house.shop, mara, "next", 20_000)
    assert await standing(mara) == {("receivable", "USD"): -3_000}
    await object_and_win(house, mara, case_id)
    assert await standing(mara) == {("available", "USD"): 2_000} and await state_of("bad") == "approved"
    await all_is_right()
    await ask(house, mara)
    assert await standing(mara) == {("in_payout", "USD"): 2_000}
    await all_is_right()


async def test_a_debt_the_store_had_let_go_of_is_not_paid_a_second_time(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await pay(house)
    await tell(web, house.shop, "order.refunded", refund("r1", "bad", lines=[{"id": "l1", "amount": 10_000}]))
    assert await standing(mara) == {("receivable", "USD"): -1_000}
    case_id = await it_was_her_own(web, house)
    await confirm(house, case_id)
    assert await standing(mara) == {("receivable", "USD"): -5_000}
    await write_off(house.ada.viewer, "north", mara.id, "USD", "She moved away.")
    await object_and_win(house, mara, case_id)
    assert await standing(mara) == {} and await state_of("bad") == "paid"
    lost = await db.fetch_val(
        """SELECT sum(e.amount) FROM ledger_entry e
             JOIN ledger_account a ON a.id = e.account_id AND a.kind = 'written_off'"""
    )
    assert lost == 1_000, "only what the refund had made her owe was let go of"
    await all_is_right()


async def test_an_objection_while_the_bank_has_the_money_leaves_it_on_its_way(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    batch = await a_batch(house)
    await send(house, batch)
    case_id = await it_was_her_own(web, house)
    await confirm(house, case_id)
    await object_and_win(house, mara, case_id)
    assert await standing(mara) == {("in_payout", "USD"): 8_000} and await state_of("bad") == "allocated"
    await exports.mark(house.ada.viewer, batch["id"], (await the_payout_of(mara))["id"], "settled", "wire 1", "")
    await run_jobs()
    assert await standing(mara) == {} and await state_of("bad") == "paid"
    await all_is_right()


async def test_what_was_taken_out_of_a_payout_waits_again_when_the_objection_was_right(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    case_id = await it_was_her_own(web, house)
    await confirm(house, case_id)
    await object_and_win(house, mara, case_id)
    await release_due()
    assert await standing(mara) == {("in_payout", "USD"): 3_000, ("available", "USD"): 5_000}
    await all_is_right()


async def test_sending_and_confirming_at_once_end_in_one_of_the_two(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    batch = await a_batch(house)
    await approve(house, batch)
    case_id = await it_was_her_own(web, house)
    await asyncio.gather(
        batches.submit(house.owner.viewer, "north", batch["id"]),
        cases.decide(house.owner.viewer, "north", case_id, confirm=True, words="It went to you."),
    )
    await run_jobs()
    assert await standing(mara) in (
        {("in_payout", "USD"): 3_000},
        {("in_payout", "USD"): 8_000, ("receivable", "USD"): -5_000},
    )
    await all_is_right()


async def test_who_decides_is_told_what_of_it_is_paid(web: Browser):
    house, mara = await a_bad_one(web)
    await ask(house, mara)
    await pay(house)
    case_id = await it_was_her_own(web, house)
    page = (await (await sign_in(web(), house.owner)).get(f"/admin/programs/north/cases/{case_id}")).text
    assert "paid, becomes a debt" in page
