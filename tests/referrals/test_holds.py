"""When a commission becomes its member's money, what stops it, and what happens when it is taken back too late."""

import asyncio
from datetime import timedelta

import pytest

from app import clock, db
from referrals.commissions.holds import hold, hold_longer, lift, mark_screened, reject
from referrals.commissions.payable import allocate, mark_paid, return_to_available
from referrals.commissions.release import release_due
from referrals.ledger.schemas import AccountName, Leg
from tests.factories import Browser, Person, a_member
from tests.referrals.cast import a_link, a_paying_shop, books_are_right, click, standing, tell
from tests.storefront.shop import Shop, line, order, refund

pytestmark = pytest.mark.anyio
A_HOLD = timedelta(days=14, minutes=1)


async def an_earner(web: Browser, *orders: str, gross: int = 10_000, **rules: object) -> tuple[Person, Shop, list[int]]:
    """Mara, a shop, and her commissions on some orders of 100.00 each: 10.00 each."""
    mara, shop = await a_member("mara"), await a_paying_shop(**rules)
    gv = await click(web(), (await a_link(web, mara))["code"])
    for ref in orders or ("1001",):
        await tell(web, shop, "order.paid", order(ref, gv=gv, lines=[line(gross=gross, discount=0)]))
    return mara, shop, [row["id"] for row in await db.fetch("SELECT id FROM commission ORDER BY id")]


async def take_back(web: Browser, shop: Shop, ref: str, amount: int, refund_id: str = "") -> None:
    lines = [{"id": "l1", "quantity": 0, "amount": amount}]
    await tell(web, shop, "order.refunded", refund(refund_id or f"r-{ref}", ref, lines=lines))


async def states() -> list[str]:
    return [row["state"] for row in await db.fetch("SELECT state FROM commission ORDER BY id")]


async def pay(payout_id: int, shop: Shop, *commission_ids: int) -> int:
    """A payout that arrives; what was sent."""
    async with db.transaction():
        items = {one.commission_id: one.amount for one in await allocate(commission_ids, payout_id) if one.amount}
    sent = sum(items.values())
    async with db.transaction():
        cash = AccountName("store", shop.id, "cash", "USD")
        assert await mark_paid(payout_id, items, [Leg(cash, -sent)])
    return sent


async def test_nothing_is_released_before_it_was_looked_at_for_fraud_though_there_is_no_hold(web: Browser):
    mara, _shop, ids = await an_earner(web, hold_days=0)
    await db.execute("UPDATE commission SET screened_at = NULL")
    clock.travel(timedelta(days=365))
    assert await release_due() == 0 and await standing(mara) == {("pending", "USD"): 1000}
    async with db.transaction():
        assert await mark_screened(ids) == 1 and await mark_screened(ids) == 0
    assert await release_due() == 1 and await standing(mara) == {("available", "USD"): 1000}
    await books_are_right()


async def test_what_is_held_stays_held_for_years_until_a_person_lifts_it(web: Browser):
    mara, _shop, ids = await an_earner(web)
    async with db.transaction():
        assert await hold(ids, "self_referral", evidence={"rule": "address"}) == ids
    clock.travel(timedelta(days=1000))
    assert await release_due() == 0 and await standing(mara) == {("held", "USD"): 1000}
    await books_are_right()
    async with db.transaction():
        assert await lift(ids, "cleared") == ids
    assert await release_due() == 1 and await standing(mara) == {("available", "USD"): 1000}
    trail = await db.fetch("SELECT to_state, reason, evidence FROM commission_event ORDER BY seq")
    assert [row["to_state"] for row in trail] == ["pending", "held", "pending", "approved"]
    assert trail[1]["evidence"] == {"rule": "address"}
    await books_are_right()


async def test_what_is_available_already_can_be_held_before_it_is_paid_out(web: Browser):
    mara, _shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    async with db.transaction():
        assert await hold(ids, "shared_account") == ids
        assert await allocate(ids, 1) == []
    assert await standing(mara) == {("held", "USD"): 1000}
    await books_are_right()


async def test_a_rejected_commission_goes_back_and_no_later_fact_brings_it_again(web: Browser):
    mara, shop, ids = await an_earner(web)
    async with db.transaction():
        assert await reject(ids, "self_referral") == ids
    assert await standing(mara) == {} and await states() == ["rejected"]
    await take_back(web, shop, "1001", 3000)
    assert await standing(mara) == {} and await states() == ["rejected"]
    async with db.transaction():
        assert await reject(ids, "self_referral") == [] and await hold(ids, "x") == [] and await lift(ids, "x") == []
    await books_are_right()


async def test_a_refund_while_it_is_held_takes_from_what_is_held_and_a_case_outlives_a_full_one(web: Browser):
    mara, shop, ids = await an_earner(web)
    async with db.transaction():
        await hold(ids, "velocity")
    await take_back(web, shop, "1001", 4000)
    assert await standing(mara) == {("held", "USD"): 600}
    await take_back(web, shop, "1001", 6000, "rest")
    assert await standing(mara) == {} and await states() == ["held"]
    async with db.transaction():
        await lift(ids, "cleared")
    assert await states() == ["reversed"]
    await books_are_right()


async def test_a_risk_asks_for_a_longer_hold_than_returns_do_and_never_for_a_shorter_one(web: Browser):
    mara, _shop, ids = await an_earner(web)
    start = clock.now()
    assert await hold_longer(ids, start + timedelta(days=40)) == 1
    await hold_longer(ids, start + timedelta(days=2))
    clock.travel(timedelta(days=39))
    assert await release_due() == 0
    clock.travel(timedelta(days=2))
    assert await release_due() == 1 and await standing(mara) == {("available", "USD"): 1000}


async def test_a_payout_takes_pays_and_leaves_nothing_on_its_clearing_account(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002")
    clock.travel(A_HOLD)
    await release_due()
    assert await pay(1, shop, *ids) == 2000
    assert await standing(mara) == {} and await states() == ["paid", "paid"]
    await books_are_right()


async def test_ten_payouts_at_once_take_each_commission_once(web: Browser):
    mara, _shop, ids = await an_earner(web, *(f"o{n}" for n in range(5)))
    clock.travel(A_HOLD)
    await release_due()

    async def claim(payout_id: int) -> int:
        async with db.transaction():
            return sum(one.amount for one in await allocate(ids, payout_id))

    assert sorted(await asyncio.gather(*(claim(n) for n in range(10)))) == [0] * 9 + [5000]
    assert await standing(mara) == {("in_payout", "USD"): 5000}
    await books_are_right()


async def test_a_refund_and_a_payout_at_once_never_pay_what_went_back(web: Browser):
    mara, _shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    from referrals.commissions.service import settle

    await db.execute("UPDATE order_line SET gross = 4000")
    order_id = await db.fetch_val("SELECT id FROM orders")

    async def claim() -> int:
        async with db.transaction():
            return sum(one.amount for one in await allocate(ids, 1))

    claimed, _settled = await asyncio.gather(claim(), settle(order_id))
    left = await standing(mara)
    assert sum(left.values()) == 400 and left[("in_payout", "USD")] == claimed
    await books_are_right()


async def test_a_payout_that_fails_gives_back_exactly_what_it_took_and_once(web: Browser):
    mara, _shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    async with db.transaction():
        items = {one.commission_id: one.amount for one in await allocate(ids, 1)}
    async with db.transaction():
        assert await return_to_available(1, items)
        assert not await return_to_available(1, items)
    assert await standing(mara) == {("available", "USD"): 1000} and await states() == ["approved"]
    async with db.transaction():
        assert await allocate(ids, 2)
        # The first one has nothing to say about the second.
        assert not await return_to_available(1, items)
        assert not await mark_paid(1, items, [Leg(AccountName("store", 1, "cash", "USD"), -1000)])
    assert await standing(mara) == {("in_payout", "USD"): 1000}
    await books_are_right()


async def test_what_a_bank_sends_back_after_it_was_paid_is_available_again(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    async with db.transaction():
        assert await return_to_available(1, {ids[0]: 1000}, "payout_returned")
        assert not await return_to_available(1, {ids[0]: 1000}, "payout_returned")
    assert await standing(mara) == {("available", "USD"): 1000}
    cash = await db.fetch_val(
        "SELECT sum(amount)::bigint FROM ledger_entry e JOIN ledger_account a ON a.id = account_id WHERE kind = 'cash'"
    )
    assert cash == 0
    assert await pay(2, shop, *ids) == 1000
    await books_are_right()


async def test_a_refund_after_the_payout_becomes_a_debt_and_the_next_commission_pays_it_first(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002")
    clock.travel(A_HOLD)
    await db.execute("UPDATE commission SET hold_until = hold_until + interval '30 days' WHERE id = $1", ids[1])
    await release_due()
    await pay(1, shop, ids[0])
    await take_back(web, shop, "1001", 7000)
    assert await standing(mara) == {("receivable", "USD"): -700, ("pending", "USD"): 1000}
    assert await states() == ["paid", "pending"]
    clock.travel(timedelta(days=31))
    await release_due()
    assert await standing(mara) == {("available", "USD"): 300}
    assert await pay(2, shop, ids[1]) == 300
    assert await standing(mara) == {}
    await books_are_right()


async def test_a_debt_that_came_after_the_release_is_netted_when_the_payout_is_made(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002")
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, ids[0])
    await take_back(web, shop, "1001", 10_000)
    assert await standing(mara) == {("receivable", "USD"): -1000, ("available", "USD"): 1000}
    async with db.transaction():
        (taken,) = await allocate([ids[1]], 2)
    assert (taken.amount, taken.netted) == (0, 1000)
    assert await standing(mara) == {} and await states() == ["paid", "approved"]
    await books_are_right()


async def test_two_releases_at_once_do_not_pay_one_debt_twice(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002", "1003")
    clock.travel(A_HOLD)
    await db.execute("UPDATE commission SET state = 'pending', screened_at = NULL WHERE id <> $1", ids[0])
    await release_due()
    await pay(1, shop, ids[0])
    await take_back(web, shop, "1001", 10_000)
    await db.execute("UPDATE commission SET screened_at = created_at")
    from referrals.commissions.release import _release

    await asyncio.gather(_release([ids[1]]), _release([ids[2]]))
    assert await standing(mara) == {("available", "USD"): 1000}
    await books_are_right()


async def test_a_refund_while_the_payout_is_on_its_way_leaves_the_payout_alone(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    async with db.transaction():
        items = {one.commission_id: one.amount for one in await allocate(ids, 1)}
    await take_back(web, shop, "1001", 10_000)
    assert await standing(mara) == {("in_payout", "USD"): 1000, ("receivable", "USD"): -1000}
    await books_are_right()
    async with db.transaction():
        await return_to_available(1, items)
    assert await standing(mara) == {} and await states() == ["reversed"]
    await books_are_right()


async def test_what_earns_more_after_it_was_paid_is_payable_by_the_difference(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    now = clock.now().isoformat()
    gv = (await db.fetch_val("SELECT gv FROM orders")).hex
    await tell(web, shop, "order.paid", order(gv=gv, lines=[line(gross=15_000, discount=0)], updated_at=now))
    assert await standing(mara) == {("available", "USD"): 500} and await states() == ["approved"]
    assert await pay(2, shop, *ids) == 500
    assert await standing(mara) == {} and await states() == ["paid"]
    await books_are_right()


async def test_a_debt_at_one_store_is_not_taken_from_what_another_store_pays(web: Browser):
    mara, north, ids = await an_earner(web)
    south = await a_paying_shop("south")
    slug = await db.fetch_val("SELECT slug FROM product WHERE store_id = $1", south.id)
    gv = await click(web(), (await a_link(web, mara, f"product:{slug}"))["code"])
    await tell(web, south, "order.paid", order("s1", gv=gv, lines=[line(gross=10_000, discount=0)]))
    clock.travel(A_HOLD)
    await db.execute("UPDATE commission SET screened_at = NULL WHERE id <> $1", ids[0])
    await release_due()
    await pay(1, north, *ids)
    await take_back(web, north, "1001", 10_000)
    await db.execute("UPDATE commission SET screened_at = created_at")
    await release_due()
    assert await standing(mara) == {("receivable", "USD"): -1000, ("available", "USD"): 1000}
    await books_are_right()


async def with_release(shop: Shop, **release: object) -> None:
    """The shop publishes rules whose hold follows the delivery."""
    from referrals.programs.schemas import Rules
    from referrals.programs.service import publish_rules
    from referrals.programs.terms import Release, Terms

    await publish_rules(shop.slug, Rules(rate_bps=1000), terms=Terms(release=Release(**release)))  # type: ignore[arg-type]


async def test_the_hold_starts_at_the_delivery_and_falls_back_to_days_when_nobody_tells_of_one(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await with_release(shop, after="delivered", days=10, fallback_days=60)
    gv = await click(web(), (await a_link(web, mara))["code"])
    start = clock.now()
    for ref in ("brought", "silent"):
        await tell(web, shop, "order.paid", order(ref, gv=gv, lines=[line(gross=10_000, discount=0)]))
    clock.travel(timedelta(days=5))
    now = clock.now()
    await tell(web, shop, "order.delivered", order("brought", gv=gv, lines=[line(gross=10_000, discount=0)]))
    ends = [row["hold_until"] for row in await db.fetch("SELECT hold_until FROM commission ORDER BY id")]
    assert abs(ends[0] - (now + timedelta(days=10))) < timedelta(minutes=1)
    assert abs(ends[1] - (start + timedelta(days=60))) < timedelta(minutes=1)
    clock.travel(timedelta(days=9))
    assert await release_due() == 0
    clock.travel(timedelta(days=1, minutes=2))
    assert await release_due() == 1 and await states() == ["approved", "pending"]
    clock.travel(timedelta(days=44))
    assert await release_due() == 0
    clock.travel(timedelta(days=1))
    assert await release_due() == 1
    await books_are_right()


async def test_a_delivery_told_before_the_payment_or_dated_back_does_not_shorten_the_hold(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    await with_release(shop, after="delivered", days=10)
    gv = await click(web(), (await a_link(web, mara))["code"])
    heard = clock.now()
    long_ago = (heard - timedelta(days=300)).isoformat()
    told = order(gv=gv, lines=[line(gross=10_000, discount=0)], placed_at=heard.isoformat())
    from tests.storefront.shop import message, signed

    body = message("order.delivered", told).replace(
        b'"timestamp": "', b'"timestamp": "' + long_ago.encode() + b'", "was": "', 1
    )
    assert (await web().post(f"/webhooks/{shop.slug}", content=body, headers=signed(shop, body))).status_code == 202
    await tell(web, shop, "order.paid", told)
    assert await db.fetch_val("SELECT hold_until FROM commission") >= heard + timedelta(days=10)
    await books_are_right()


async def dispute(web: Browser, shop: Shop, kind: str, amount: int, ref: str = "1001") -> None:
    """The facts as connectors leave them, in whichever order."""
    from storefront.orders.schemas import RefundLineTold, RefundTold
    from storefront.orders.service import apply_refund
    from storefront.stores.queries import store_by_slug
    from tests.factories import run_jobs

    lines = [RefundLineTold("l1", 0, amount)]
    told = RefundTold(f"d-{ref}:{kind}", ref, "USD", clock.now(), lines, kind=kind)  # type: ignore[call-arg]
    await apply_refund(await store_by_slug(shop.slug), told)
    await run_jobs()


async def test_a_disputed_order_takes_its_commission_back_and_a_won_dispute_brings_it_again(web: Browser):
    mara, shop, _ids = await an_earner(web)
    await dispute(web, shop, "chargeback", 10_000)
    assert await standing(mara) == {} and await states() == ["reversed"]
    await books_are_right()
    await dispute(web, shop, "dispute_won", 10_000)
    assert await standing(mara) == {("pending", "USD"): 1000} and await states() == ["pending"]
    reasons = await db.fetch("SELECT kind, reason FROM ledger_transaction ORDER BY id")
    assert [(row["kind"], row["reason"]) for row in reasons] == [
        ("accrue", "order_paid"),
        ("reduce", "disputed"),
        ("accrue", "dispute_won"),
    ]
    await books_are_right()


async def test_a_dispute_won_before_it_was_told_lost_and_both_before_their_order_change_nothing(web: Browser):
    mara, shop = await a_member("mara"), await a_paying_shop()
    gv = await click(web(), (await a_link(web, mara))["code"])
    await dispute(web, shop, "dispute_won", 10_000)
    await dispute(web, shop, "chargeback", 10_000)
    await tell(web, shop, "order.paid", order(gv=gv, lines=[line(gross=10_000, discount=0)]))
    assert await standing(mara) == {("pending", "USD"): 1000}
    await take_back(web, shop, "1001", 2500)
    assert await standing(mara) == {("pending", "USD"): 750}
    await books_are_right()


async def test_a_won_dispute_gives_back_what_the_bank_took_and_no_refund(web: Browser):
    mara, shop, _ids = await an_earner(web)
    await take_back(web, shop, "1001", 4000)
    await dispute(web, shop, "dispute_won", 10_000)
    assert await standing(mara) == {("pending", "USD"): 600}
    await books_are_right()


async def test_a_dispute_after_the_payout_is_a_debt_and_winning_it_cancels_the_debt(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    await dispute(web, shop, "chargeback", 10_000)
    assert await standing(mara) == {("receivable", "USD"): -1000}
    await dispute(web, shop, "dispute_won", 10_000)
    assert await standing(mara) == {} and await states() == ["paid"]
    await books_are_right()


async def test_a_dispute_won_after_its_debt_was_paid_is_payable_again(web: Browser):
    mara, shop, ids = await an_earner(web, "1001", "1002")
    clock.travel(A_HOLD)
    await db.execute("UPDATE commission SET screened_at = NULL WHERE id = $1", ids[1])
    await release_due()
    await pay(1, shop, ids[0])
    await dispute(web, shop, "chargeback", 10_000)
    await db.execute("UPDATE commission SET screened_at = created_at")
    await release_due()
    assert await standing(mara) == {}
    await dispute(web, shop, "dispute_won", 10_000)
    assert await standing(mara) == {("available", "USD"): 1000} and await states() == ["approved", "approved"]
    assert await pay(2, shop, *ids) == 1000
    await books_are_right()


async def test_a_bank_that_sends_back_an_old_payout_leaves_the_newer_one_alone(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    await db.execute("UPDATE order_line SET gross = 15000")
    from referrals.commissions.service import settle

    await settle(await db.fetch_val("SELECT id FROM orders"))
    async with db.transaction():
        newer = {one.commission_id: one.amount for one in await allocate(ids, 2)}
    assert newer == {ids[0]: 500}
    async with db.transaction():
        assert await return_to_available(1, {ids[0]: 1000}, "payout_returned")
    assert await standing(mara) == {("available", "USD"): 1000, ("in_payout", "USD"): 500}
    async with db.transaction():
        assert await mark_paid(2, newer, [Leg(AccountName("store", shop.id, "cash", "USD"), -500)])
    assert await states() == ["approved"] and await pay(3, shop, *ids) == 1000
    assert await standing(mara) == {}
    await books_are_right()


async def test_what_a_bank_sends_back_while_somebody_looks_at_it_is_held_too(web: Browser):
    mara, shop, ids = await an_earner(web)
    clock.travel(A_HOLD)
    await release_due()
    await pay(1, shop, *ids)
    await db.execute("UPDATE order_line SET gross = 15000")
    from referrals.commissions.service import settle

    await settle(await db.fetch_val("SELECT id FROM orders"))
    async with db.transaction():
        assert await hold(ids, "under_review") == ids
        assert await return_to_available(1, {ids[0]: 1000}, "payout_returned")
    assert await standing(mara) == {("held", "USD"): 1500}
    await books_are_right()
