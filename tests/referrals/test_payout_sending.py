"""Sending by a provider: asked once for each key, looked up when there was no answer, stopped when it keeps failing."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from app.settings import settings
from referrals.payouts import batches, sending
from referrals.payouts.rails import stripe_connect
from referrals.payouts.terms import Terms, publish_terms
from tests.factories import PASSWORD, Browser, Person, a_member, run_jobs, sign_in, submit
from tests.referrals.cast import standing
from tests.referrals.payees import House, a_house, all_is_right, earn, the_payout_of
from tests.referrals.stripe_played import PlayedStripe, refusal

pytestmark = pytest.mark.anyio


@pytest.fixture
def stripe(monkeypatch: pytest.MonkeyPatch) -> PlayedStripe:
    import msgspec

    played = PlayedStripe()
    monkeypatch.setattr(stripe_connect.http, "fetch", played.fetch)
    with_key = msgspec.structs.replace(settings(), stripe_key="rk_test_123")
    monkeypatch.setattr(stripe_connect, "settings", lambda: with_key)
    return played


async def with_stripe(web: Browser, house: House, name: str, order_id: str) -> Person:
    from referrals.payouts.methods import add_method

    member = await a_member(name)
    await earn(web, house.shop, member, order_id, 50_000)
    await add_method(member.viewer, "stripe", {"account": f"acct_1A2b3C4d5E{order_id}"}, password=PASSWORD)
    return member


async def a_stripe_house() -> House:
    house = await a_house()
    await publish_terms(house.owner.viewer, "north", Terms("USD", 1_000, rails=("stripe", "bank", "store_credit")))
    return house


async def sent_batch(house: House) -> int:
    """Gathered, approved by two, and let go; nothing has been asked of the provider yet."""
    clock.travel(timedelta(hours=73))
    batch_id = await batches.request_batch(house.owner.viewer, "north", "USD", clock.now(), 100)
    await run_jobs()
    seen = await db.fetch_val("SELECT frozen_hash FROM payout_batch WHERE id = $1", batch_id)
    for person in (house.ada, house.ben):
        await batches.approve(person.viewer, "north", batch_id, seen=seen.hex(), password=PASSWORD)
    await batches.submit(house.owner.viewer, "north", batch_id)
    return batch_id


async def test_a_transfer_is_made_once_with_its_key_and_settles(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    batch_id = await sent_batch(house)
    await asyncio.gather(*(sending.send_batch(batch_id) for _ in range(8)))
    await run_jobs()
    payout = await the_payout_of(mara)
    assert payout["state"] == "settled" and payout["provider_ref"].startswith("tr_")
    ((key, told),) = stripe.asked
    assert key == sending.attempt_key(batch_id, mara.id, payout["id"], 1)
    assert told["amount"] == "5000" and told["currency"] == "usd" and told["destination"] == "acct_1A2b3C4d5E1001"
    assert await db.fetch_val("SELECT state FROM payout_batch") == "done"
    assert await standing(mara) == {}
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE kind = 'payout_settled'") == 1
    await all_is_right()


async def test_an_answer_that_was_lost_is_looked_up_and_not_asked_for_again(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    stripe.next_answers = ["lost"]
    await sent_batch(house)
    await run_jobs()
    assert (await the_payout_of(mara))["state"] == "submitted" and stripe.paid == 5_000
    await sending.look_up_unanswered()
    assert (await the_payout_of(mara))["state"] == "submitted", "a moment is given to it first"
    stripe.is_away = True
    clock.travel(timedelta(minutes=11))
    await sending.look_up_unanswered()
    assert (await the_payout_of(mara))["state"] == "submitted"
    stripe.is_away = False
    await sending.look_up_unanswered()
    assert (await the_payout_of(mara))["state"] == "settled"
    assert len(stripe.asked) == 1 and stripe.paid == 5_000
    await all_is_right()


async def test_only_what_never_came_is_asked_again_under_another_key(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    stripe.next_answers = ["timeout"]
    await sent_batch(house)
    await run_jobs()
    clock.travel(timedelta(minutes=11))
    await sending.look_up_unanswered()
    await run_jobs()
    assert len(stripe.asked) == 1, "it may still be on its way there"
    clock.travel(timedelta(hours=1))
    await sending.look_up_unanswered()
    await run_jobs()
    assert [key for key, _ in stripe.asked] == sorted(
        {key for key, _ in stripe.asked}, key=[k for k, _ in stripe.asked].index
    )
    assert len(stripe.asked) == 2 and stripe.paid == 5_000
    assert (await the_payout_of(mara))["state"] == "settled"
    await all_is_right()


async def test_a_worker_that_dies_while_asking_pays_once(web: Browser, stripe: PlayedStripe, monkeypatch):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    await sent_batch(house)

    async def dies(*_: object) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr(sending, "_record", dies)
        with pytest.raises(asyncio.CancelledError):
            await run_jobs()
    assert stripe.paid == 5_000 and (await the_payout_of(mara))["state"] == "submitted"
    await sending.send_batch(await db.fetch_val("SELECT max(id) FROM payout_batch"))
    clock.travel(timedelta(minutes=11))
    await sending.look_up_unanswered()
    assert (await the_payout_of(mara))["state"] == "settled" and len(stripe.asked) == 1
    await all_is_right()


async def test_three_failures_in_a_row_stop_the_batch_until_somebody_looks(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    people = [await with_stripe(web, house, f"kol{n}", f"100{n}") for n in range(5)]
    stripe.next_answers = [refusal("balance_insufficient")] * 3
    batch_id = await sent_batch(house)
    await run_jobs()
    states = [(await the_payout_of(person))["state"] for person in people]
    assert states == ["failed", "failed", "failed", "approved", "approved"] and len(stripe.asked) == 3
    assert await standing(people[0]) == {("available", "USD"): 5_000}
    rung = await db.fetch("SELECT member_id FROM notification WHERE kind = 'payout_batch_paused'")
    assert {row["member_id"] for row in rung} == {house.owner.id, house.ada.id, house.ben.id}
    browser = await sign_in(web(), house.owner)
    address = f"/admin/programs/north/payouts/{batch_id}"
    shown = (await browser.get(address)).text
    assert "Sending has stopped" in shown and "balance at the provider was too low" in shown
    assert (await submit(browser, f"{address}/resume", {}, page=address)).status_code == 303
    await run_jobs()
    assert [(await the_payout_of(person))["state"] for person in people][3:] == ["settled", "settled"]
    assert await db.fetch_val("SELECT state FROM payout_batch") == "done"
    await all_is_right()


async def test_an_account_the_provider_does_not_know_is_not_tried_for_ever(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    for _ in range(2):
        stripe.next_answers = [refusal("account_invalid")]
        await sent_batch(house)
        await run_jobs()
        assert (await the_payout_of(mara))["reason"] == "account_invalid"
        assert await standing(mara) == {("available", "USD"): 5_000}
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    (seen,) = await batches.preview(store, "USD", clock.now(), 100)
    assert seen.trouble == "method_failed" and len(stripe.asked) == 2
    await all_is_right()


async def test_a_server_error_of_theirs_is_no_refusal(web: Browser, stripe: PlayedStripe):
    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    stripe.next_answers = [(500, {"error": {"type": "api_error", "message": "try again"}})]
    await sent_batch(house)
    await run_jobs()
    assert (await the_payout_of(mara))["state"] == "submitted"
    assert await db.fetch_val("SELECT outcome FROM payout_attempt") == "unknown"
    await all_is_right()


async def test_an_account_that_was_changed_after_the_approval_is_not_paid(web: Browser, stripe: PlayedStripe):
    from referrals.payouts.methods import add_method

    house = await a_stripe_house()
    mara = await with_stripe(web, house, "mara", "1001")
    await sent_batch(house)
    await add_method(mara.viewer, "stripe", {"account": "acct_theThiefsOwn1"}, password=PASSWORD)
    await run_jobs()
    assert stripe.asked == [] and (await the_payout_of(mara))["reason"] == "method_changed"
    assert await standing(mara) == {("available", "USD"): 5_000}
    await all_is_right()
