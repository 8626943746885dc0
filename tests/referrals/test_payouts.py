"""Members take out what they earned: once, at the figures they were shown, to an account that is theirs."""

import asyncio
from datetime import timedelta

import asyncpg
import pytest

from app import clock, db
from app.errors import Conflict, Forbidden, Invalid, NotFound
from referrals.payouts import batches, claims, exports
from referrals.payouts.claims import Figures, FiguresChanged
from referrals.payouts.quotes import quote_for
from tests.factories import PASSWORD, Browser, a_member, run_jobs
from tests.referrals.cast import standing, tell
from tests.referrals.payees import (
    IBAN,
    OTHER_IBAN,
    House,
    a_bank_account,
    a_house,
    all_is_right,
    earn,
    ripen,
    the_payout_of,
)
from tests.storefront.shop import refund

pytestmark = pytest.mark.anyio


async def ask(house: House, member, *, rail: str = "bank", currency: str = "USD", shown: Figures | None = None) -> int:
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    seen = await quote_for(member.id, house.shop.id, currency, rail)
    return await claims.ask_for_payout(
        member.viewer, store, currency, rail, shown or Figures(seen.sum.amount, seen.sends)
    )


async def a_batch(house: House, *, minimum: int = 100, currency: str = "USD") -> dict:
    batch_id = await batches.request_batch(house.owner.viewer, house.shop.slug, currency, clock.now(), minimum)
    await run_jobs()
    return dict(await db.fetch_one("SELECT * FROM payout_batch WHERE id = $1", batch_id))


async def approve(house: House, batch: dict, *people) -> None:
    for person in people or (house.ada, house.ben):
        await batches.approve(
            person.viewer, house.shop.slug, batch["id"], seen=batch["frozen_hash"].hex(), password=PASSWORD
        )


async def send(house: House, batch: dict) -> None:
    await approve(house, batch)
    await batches.submit(house.owner.viewer, house.shop.slug, batch["id"])
    await run_jobs()


async def state_of(batch: dict) -> str:
    return await db.fetch_val("SELECT state FROM payout_batch WHERE id = $1", batch["id"])


async def test_from_an_order_to_the_bank_account(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    payout_id = await ask(house, mara)
    assert await standing(mara) == {("in_payout", "USD"): 5_000}
    batch = await a_batch(house)
    assert batch["state"] == "frozen" and len(batch["frozen_hash"]) == 32
    await send(house, batch)
    file = await exports.export(house.ada.viewer, "north", batch["id"])
    assert f"PO-{payout_id},bank,Mara,{IBAN},,50.00,USD" in file
    result = f"payout,result,reference,reason\r\nPO-{payout_id},settled,wire 77,\r\n".encode()
    assert [r.said for r in await exports.import_results(house.ada.viewer, "north", batch["id"], result)] == [""]
    assert await standing(mara) == {}
    assert await state_of(batch) == "done"
    again = await exports.import_results(house.ada.viewer, "north", batch["id"], result)
    assert "nothing was changed" in again[0].said
    assert await db.fetch_val("SELECT state FROM commission") == "paid"
    await all_is_right()


async def test_sixteen_requests_at_once_pay_once(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    for number in range(3):
        await earn(web, house.shop, mara, f"100{number}", 50_000)
    await a_bank_account(mara)
    shown = Figures(15_000, 15_000)
    made = await asyncio.gather(*(ask(house, mara, shown=shown) for _ in range(16)), return_exceptions=True)
    assert len([one for one in made if isinstance(one, int)]) == 1, made
    assert all(isinstance(one, (int, Conflict, Invalid)) for one in made), made
    assert await db.fetch_val("SELECT sum(amount) FROM payout") == 15_000
    assert await standing(mara) == {("in_payout", "USD"): 15_000}
    await all_is_right()


async def test_requests_credit_and_a_batch_at_once_never_take_the_same_commission(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    for number in range(4):
        await earn(web, house.shop, mara, f"100{number}", 50_000)
    await a_bank_account(mara)
    batch_id = await batches.request_batch(house.owner.viewer, "north", "USD", clock.now(), 100)
    shown = Figures(20_000, 20_000)
    await asyncio.gather(
        batches.gather(batch_id),
        batches.gather(batch_id),
        *(ask(house, mara, shown=shown) for _ in range(4)),
        *(ask(house, mara, rail="store_credit", shown=shown) for _ in range(4)),
        return_exceptions=True,
    )
    assert await db.fetch_val("SELECT sum(amount) FROM payout WHERE state <> 'cancelled'") == 20_000
    assert sum((await standing(mara)).values()) == 20_000
    await all_is_right()


async def test_a_commission_cannot_be_in_two_live_payouts_whatever_the_code_does(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    await ask(house, mara)
    with pytest.raises(asyncpg.UniqueViolationError):
        await db.execute(
            """INSERT INTO payout_item (payout_id, commission_id, amount, active)
               SELECT i.payout_id + 0, i.commission_id, 1, true FROM payout_item i"""
        )
    with pytest.raises(asyncpg.RestrictViolationError):
        await db.execute("UPDATE payout SET amount = amount + 1, sends = sends + 1")


async def test_a_refund_between_seeing_and_confirming_shows_the_figures_again(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    await tell(web, house.shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 0, "amount": 10_000}]))
    with pytest.raises(FiguresChanged):
        await ask(house, mara, shown=Figures(5_000, 5_000))
    assert await standing(mara) == {("available", "USD"): 4_000} and await the_payout_of(mara) == {}
    await ask(house, mara, shown=Figures(4_000, 4_000, 4_000))
    await all_is_right()


async def test_a_refund_while_the_money_is_on_its_way_is_netted_from_the_next_payout(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    await ask(house, mara)
    await tell(web, house.shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 0, "amount": 10_000}]))
    assert await standing(mara) == {("in_payout", "USD"): 5_000, ("receivable", "USD"): -1_000}
    await all_is_right()
    await earn(web, house.shop, mara, "1002", 50_000)
    assert (await standing(mara))[("available", "USD")] == 4_000, "the debt is netted first"
    await ask(house, mara)
    assert (await the_payout_of(mara))["amount"] == 4_000
    await all_is_right()


async def test_what_fails_is_available_again_and_less_what_was_refunded_meanwhile(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    payout_id = await ask(house, mara)
    batch = await a_batch(house)
    await send(house, batch)
    await tell(web, house.shop, "order.refunded", refund(lines=[{"id": "l1", "quantity": 0, "amount": 10_000}]))
    assert await exports.mark(house.ada.viewer, batch["id"], payout_id, "failed", "", "account closed") == ""
    assert await standing(mara) == {("available", "USD"): 4_000}
    assert (await the_payout_of(mara))["reason"] == "account closed" and await state_of(batch) == "done"
    await run_jobs()
    told = await db.fetch_val("SELECT data FROM notification WHERE kind = 'payout_failed'")
    assert told["reason"] == "account closed" and told["amount"] == 5_000
    await all_is_right()


async def test_what_the_bank_sends_back_later_is_available_again(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    payout_id = await ask(house, mara)
    batch = await a_batch(house)
    await send(house, batch)
    for _ in range(2):
        await exports.mark(house.ada.viewer, batch["id"], payout_id, "settled", "", "")
    for _ in range(2):
        await exports.mark(house.ada.viewer, batch["id"], payout_id, "returned", "", "")
    assert await standing(mara) == {("available", "USD"): 5_000}
    await all_is_right()
    await ask(house, mara)
    assert await standing(mara) == {("in_payout", "USD"): 5_000}
    await all_is_right()


async def test_an_early_payout_costs_what_was_said_and_below_the_least_there_is_none(web: Browser):
    from referrals.payouts.terms import Terms, publish_terms

    house, mara = await a_house(), await a_member("mara")
    await publish_terms(house.owner.viewer, "north", Terms("USD", 5_000, least=1_000, early_fee=150, fees={"bank": 50}))
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 9_000)
    seen = await quote_for(mara.id, house.shop.id, "USD", "bank")
    assert (seen.sum.amount, seen.trouble) == (900, "below_minimum")
    with pytest.raises(Invalid):
        await ask(house, mara)
    await earn(web, house.shop, mara, "1002", 21_000)
    seen = await quote_for(mara.id, house.shop.id, "USD", "bank")
    assert (seen.sum.amount, seen.is_early, seen.fee, seen.sends, seen.trouble) == (3_000, True, 200, 2_800, "")
    await ask(house, mara)
    paid = await the_payout_of(mara)
    assert (paid["amount"], paid["fee"], paid["sends"]) == (3_000, 200, 2_800)
    batch = await a_batch(house)
    await send(house, batch)
    await exports.mark(house.ada.viewer, batch["id"], paid["id"], "settled", "", "")
    kept = await db.fetch_val(
        """SELECT -sum(e.amount) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
            WHERE a.kind = 'payout_fees' AND a.owner_id = $1""",
        house.shop.id,
    )
    assert kept == 200
    await all_is_right()


async def test_store_credit_is_there_at_once_with_its_bonus(web: Browser):
    from referrals.payouts.terms import Terms, publish_terms

    house, mara = await a_house(), await a_member("mara")
    await publish_terms(house.owner.viewer, "north", Terms("USD", 5_000, credit_bonus_bps=1_000))
    await earn(web, house.shop, mara, "1001", 12_345)
    await ask(house, mara, rail="store_credit")
    paid = await the_payout_of(mara)
    # 10 % of 12,345 is 1,234 by half-even; its tenth 123.
    assert (paid["state"], paid["amount"], paid["bonus"], paid["sends"]) == ("settled", 1_234, 123, 1_357)
    credit = await db.fetch_one("SELECT * FROM store_credit")
    assert credit["amount"] == 1_357 and len(credit["code"]) == 16
    assert await standing(mara) == {("store_credit", "USD"): 1_357}
    await all_is_right()
    from referrals.payouts.audit import check_payouts

    await db.execute("UPDATE store_credit SET used_at = now()")
    assert ["unused store credit" in error for error in await check_payouts()] == [True]


async def test_a_member_takes_a_waiting_payout_back(web: Browser):
    house, mara, eve = await a_house(), await a_member("mara"), await a_member("eve")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    payout_id = await ask(house, mara)
    with pytest.raises(NotFound):
        await claims.take_back(eve.viewer, payout_id)
    await asyncio.gather(*(claims.take_back(mara.viewer, payout_id) for _ in range(4)), return_exceptions=True)
    assert await standing(mara) == {("available", "USD"): 5_000}
    await ask(house, mara)
    await a_batch(house)
    with pytest.raises(Conflict):
        await claims.take_back(mara.viewer, (await the_payout_of(mara))["id"])
    await all_is_right()


async def test_two_others_approve_and_nobody_their_own_money(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    carl = await a_member("carl", role="admin")
    for member, order_id in ((mara, "1001"), (carl, "1002")):
        await earn(web, house.shop, member, order_id, 50_000)
    await a_bank_account(mara)
    await a_bank_account(carl, OTHER_IBAN)
    batch = await a_batch(house)
    assert await db.fetch_val("SELECT count(*) FROM payout WHERE batch_id = $1", batch["id"]) == 2
    for person in (house.owner, carl):
        with pytest.raises(Forbidden):
            await approve(house, batch, person)
    with pytest.raises(Forbidden):
        await approve(house, batch, await a_member("passer-by"))
    with pytest.raises(Invalid):
        await batches.approve(
            house.ada.viewer, "north", batch["id"], seen=batch["frozen_hash"].hex(), password="not hers at all"
        )
    await approve(house, batch, house.ada)
    with pytest.raises(Conflict):
        await approve(house, batch, house.ada)
    with pytest.raises(Conflict):
        await batches.submit(house.owner.viewer, "north", batch["id"])
    assert await state_of(batch) == "frozen"
    await approve(house, batch, house.ben)
    assert await state_of(batch) == "approved"
    # The database itself refuses what the code must not do.
    for nobody in (house.owner, carl):
        with pytest.raises(asyncpg.CheckViolationError):
            await db.execute(
                "INSERT INTO payout_batch_approval (batch_id, member_id, frozen_hash, at) VALUES ($1, $2, '', now())",
                batch["id"],
                nobody.id,
            )


async def test_a_batch_that_was_touched_after_it_was_approved_is_not_sent(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    method = await a_bank_account(mara)
    batch = await a_batch(house)
    await approve(house, batch, house.ada)
    await db.execute("UPDATE payout_method SET fingerprint = 'another account' WHERE id = $1", method)
    with pytest.raises(Conflict):
        await approve(house, batch, house.ben)
    await db.execute("UPDATE payout_method SET fingerprint = 'one more' WHERE id = $1", method)
    await db.execute("UPDATE payout_batch SET state = 'approved' WHERE id = $1", batch["id"])
    with pytest.raises(Conflict):
        await batches.submit(house.owner.viewer, "north", batch["id"])
    await batches.cancel(house.owner.viewer, "north", batch["id"])
    assert await standing(mara) == {("available", "USD"): 5_000}
    await all_is_right()


async def test_ten_who_send_the_same_batch_send_it_once(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    batch = await a_batch(house)
    await approve(house, batch)
    tried = await asyncio.gather(
        *(batches.submit(house.owner.viewer, "north", batch["id"]) for _ in range(10)), return_exceptions=True
    )
    assert tried.count(None) == 1
    await run_jobs()
    payout = await the_payout_of(mara)
    marked = await asyncio.gather(
        *(exports.mark(house.ada.viewer, batch["id"], payout["id"], "settled", "", "") for _ in range(5)),
        *(exports.mark(house.ada.viewer, batch["id"], payout["id"], "failed", "", "") for _ in range(5)),
    )
    assert marked.count("") == 1
    await all_is_right()


async def test_the_preview_says_who_is_not_paid_and_why(web: Browser):
    house = await a_house()
    people = {name: await a_member(name) for name in ("rich", "poor", "fresh", "nowhere", "shut")}
    for number, (name, gross) in enumerate(
        {"rich": 50_000, "poor": 900, "fresh": 50_000, "nowhere": 50_000, "shut": 50_000}.items()
    ):
        await earn(web, house.shop, people[name], f"100{number}", gross)
    for number, name in enumerate(("rich", "poor", "shut")):
        await a_bank_account(people[name], f"12345678{number}")
    await a_bank_account(people["fresh"], "999999999", rested=False)
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', $3)",
        people["shut"].id,
        house.ada.id,
        clock.now(),
    )
    store = await db.fetch_one("SELECT * FROM store WHERE id = $1", house.shop.id)
    before = await db.fetch("SELECT * FROM ledger_entry ORDER BY id")
    seen = {one.sum.member_id: one.trouble for one in await batches.preview(store, "USD", clock.now(), 2_000)}
    assert {name: seen[person.id] for name, person in people.items()} == {
        "rich": "",
        "poor": "below_minimum",
        "fresh": "cooling_off",
        "nowhere": "no_method",
        "shut": "suspended",
    }
    assert await db.fetch("SELECT * FROM ledger_entry ORDER BY id") == before
    batch = await a_batch(house, minimum=2_000)
    assert [
        r["member_id"] for r in await db.fetch("SELECT member_id FROM payout WHERE batch_id = $1", batch["id"])
    ] == [people["rich"].id]
    await all_is_right()


async def test_only_what_was_ready_by_the_cut_off_is_in_a_batch(web: Browser):
    house, mara = await a_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_000)
    cutoff = clock.now()
    clock.travel(timedelta(days=2))
    await earn(web, house.shop, mara, "1002", 30_000)
    await batches.request_batch(house.owner.viewer, "north", "USD", cutoff, 100)
    await run_jobs()
    assert (await the_payout_of(mara))["amount"] == 5_000
    assert (await standing(mara))[("available", "USD")] == 3_000
    await all_is_right()


async def test_the_pay_day_opens_one_batch_by_itself(web: Browser):
    from referrals.payouts.schedule import open_due

    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    first = (clock.now().replace(day=1) + timedelta(days=32)).replace(day=1, hour=5)
    assert await open_due(first + timedelta(days=1)) == 0, "only on the day"
    assert [await open_due(first), await open_due(first)] == [1, 0]
    await run_jobs()
    batch = dict(await db.fetch_one("SELECT * FROM payout_batch"))
    assert batch["state"] == "frozen" and batch["requested_by"] is None
    await approve(house, batch, house.owner, house.ada)
    assert await state_of(batch) == "approved"
    rung = await db.fetch("SELECT member_id FROM notification WHERE kind = 'payout_batch_ready'")
    assert {row["member_id"] for row in rung} == {house.owner.id, house.ada.id, house.ben.id}


async def test_yen_and_dinar_are_paid_in_their_own_units(web: Browser):
    house, mara = await a_house("yen", currency="JPY"), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_005, currency="JPY")
    await ask(house, mara, currency="JPY")
    batch = await a_batch(house, currency="JPY")
    await send(house, batch)
    assert ",5000,JPY," in await exports.export(house.ada.viewer, "yen", batch["id"])
    other = await a_house("dinar", currency="KWD")
    await earn(web, other.shop, mara, "2001", 1_234_565, currency="KWD")
    await ask(other, mara, currency="KWD")
    batch = await a_batch(other, currency="KWD")
    await send(other, batch)
    assert ",123.456,KWD," in await exports.export(other.ada.viewer, "dinar", batch["id"])
    await all_is_right()


async def test_what_is_held_is_not_paid(web: Browser):
    from referrals.commissions.holds import hold, lift

    house, mara = await a_house(), await a_member("mara")
    await a_bank_account(mara)
    await earn(web, house.shop, mara, "1001", 50_000)
    await earn(web, house.shop, mara, "1002", 30_000)
    async with db.transaction():
        await hold([await db.fetch_val("SELECT min(id) FROM commission")], "velocity", actor_id=house.ada.id)
    assert (await quote_for(mara.id, house.shop.id, "USD", "bank")).trouble == "under_review"
    assert (await a_batch(house))["state"] == "cancelled", "nobody is in it"
    other = await a_house("south")
    await earn(web, other.shop, mara, "2001", 30_000)
    await ask(other, mara)
    async with db.transaction():
        await lift([await db.fetch_val("SELECT min(id) FROM commission")], "cleared", actor_id=house.ada.id)
    await ripen()
    await ask(house, mara)
    assert (await the_payout_of(mara))["amount"] == 8_000
    await all_is_right()


async def test_who_is_suspended_or_checked_after_the_approval_is_not_paid(web: Browser):
    from referrals.commissions.holds import hold

    house, mara, ines = await a_house(), await a_member("mara"), await a_member("ines")
    for member, order_id in ((mara, "1001"), (ines, "1002")):
        await earn(web, house.shop, member, order_id, 50_000)
        await a_bank_account(member, f"12345{order_id}")
    batch = await a_batch(house)
    await earn(web, house.shop, mara, "1003", 30_000)
    async with db.transaction():
        await hold([await db.fetch_val("SELECT max(id) FROM commission")], "velocity", actor_id=house.ada.id)
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', $3)",
        ines.id,
        house.ada.id,
        clock.now(),
    )
    await send(house, batch)
    assert (await the_payout_of(mara))["reason"] == "under_review"
    assert (await the_payout_of(ines))["reason"] == "suspended"
    assert await state_of(batch) == "done" and await standing(ines) == {("available", "USD"): 5_000}
    await all_is_right()


async def test_a_name_that_is_a_formula_is_a_name_in_the_file(web: Browser):
    from referrals.payouts.methods import add_method

    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    told = {"holder": '=HYPERLINK("http://evil.example","x")', "account": IBAN}
    await add_method(mara.viewer, "bank", told, password=PASSWORD)
    clock.travel(timedelta(hours=73))
    batch = await a_batch(house)
    await send(house, batch)
    file = await exports.export(house.ada.viewer, "north", batch["id"])
    assert "\"'=HYPERLINK(" in file and ",=" not in file and ',"=' not in file


async def test_the_audit_finds_what_was_changed_behind_its_back(web: Browser):
    from referrals.payouts.audit import check_payouts

    house, mara = await a_house(), await a_member("mara")
    await earn(web, house.shop, mara, "1001", 50_000)
    await a_bank_account(mara)
    await ask(house, mara)
    assert await check_payouts() == []
    for tampering, back in (
        ("UPDATE payout_item SET amount = amount + 1", "UPDATE payout_item SET amount = amount - 1"),
        ("UPDATE payout_item SET active = false", "UPDATE payout_item SET active = true"),
        ("UPDATE payout SET state = 'settled'", "UPDATE payout SET state = 'claimed'"),
        ("UPDATE payout SET state = 'failed'", "UPDATE payout SET state = 'claimed'"),
        ("UPDATE payout SET member_id = member_id - 1", "UPDATE payout SET member_id = member_id + 1"),
    ):
        async with db.acquired() as connection:
            await connection.execute(f"SET session_replication_role = replica; {tampering}")
            await connection.execute("SET session_replication_role = origin")
        assert await check_payouts(), tampering
        async with db.acquired() as connection:
            await connection.execute(f"SET session_replication_role = replica; {back}")
            await connection.execute("SET session_replication_role = origin")
    assert await check_payouts() == []
