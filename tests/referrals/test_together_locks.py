"""Companies beside people who take back and rules that hold: all lock in one order, so nobody waits for ever."""

import asyncio
import contextvars
from collections.abc import Awaitable
from datetime import timedelta

import pytest

from app import clock, db
from referrals.commissions import holds, release, service, together
from referrals.commissions.debts import Debts
from referrals.fraud import cases, clawback
from referrals.fraud.rules import Hit
from tests.factories import Browser, Person, a_member
from tests.referrals.cast import books_are_right, standing
from tests.referrals.test_rules import brought
from tests.referrals.test_together import some_codes, told_and_not_settled
from tests.referrals.test_together_whoever import SECOND_LEVEL, led_by

pytestmark = pytest.mark.anyio


async def test_taking_back_and_a_company_under_a_second_level_do_not_wait_for_each_other(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    mara, _shop, ids = await told_and_not_settled(web, 3, terms=SECOND_LEVEL)
    top, ines = await a_member("top"), await a_member("ines")
    await brought(mara, top)
    await together.settle_all(ids[:1])
    bad = [row["id"] for row in await db.fetch("SELECT id FROM commission WHERE role = 'sharer'")]

    async def take_back() -> None:
        async with db.transaction():
            await clawback.take_back(bad, actor_id=ines.id, case_id=1)

    await _beside_a_company_that_is_about_to_post(monkeypatch, ids[1:], take_back())
    assert (await standing(mara), await standing(top)) == ({("pending", "USD"): 2_000}, {("pending", "USD"): 200})
    await books_are_right()


async def test_taking_back_and_a_company_whose_orders_carry_one_code_do_not_wait_for_each_other(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    _mara, shop, ids = await told_and_not_settled(web, 3)
    ben, ines = await a_member("ben"), await a_member("ines")
    await some_codes(shop, ben)
    await db.execute("UPDATE code SET limit_total = 9")
    await db.execute("""UPDATE orders SET gv = NULL, codes = '["FEW"]'""")
    await together.settle_all(ids[:1])
    bad = [row["id"] for row in await db.fetch("SELECT id FROM commission")]

    async def take_back() -> None:
        async with db.transaction():
            await clawback.take_back(bad, actor_id=ines.id, case_id=1)

    await _beside_a_company_that_is_about_to_post(monkeypatch, ids[1:], take_back())
    assert await standing(ben) == {("pending", "USD"): 2_000}
    await books_are_right()


async def test_a_rule_that_holds_and_a_company_do_not_wait_for_each_other(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    mara, shop, ids = await told_and_not_settled(web, 3)
    await together.settle_all(ids)
    first = await db.fetch_val("SELECT min(id) FROM commission")
    # The company moves the ends of these holds before it posts.
    await db.execute("UPDATE orders SET paid_at = paid_at + interval '1 day' WHERE id <> $1", ids[0])
    await db.execute("UPDATE order_line SET gross = 20000")

    async def hold() -> None:
        async with db.transaction():
            await cases.report(shop.id, mara.id, Hit("ring", {}), source=f"commission:{first}", concerned=[first])

    await _beside_a_company_that_is_about_to_post(monkeypatch, ids[1:], hold())
    assert await standing(mara) == {("held", "USD"): 1_000, ("pending", "USD"): 4_000}
    assert await db.fetch_val("SELECT count(*) FROM commission WHERE risk_hold_until IS NOT NULL") == 3
    await service.settle(ids[0])
    await books_are_right()


async def test_companies_whose_members_come_in_another_order_do_not_wait_for_each_other(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    mara, ids, (ben,) = await _released(web, 4, {"ben": [1, 2]})
    await db.execute("UPDATE order_line SET gross = 20000")
    real, begun = Debts.of.__func__, []  # type: ignore[attr-defined]

    async def slowly(cls: type[Debts], commissions: object) -> Debts:
        begun.append(1)
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        return await real(cls, commissions)

    monkeypatch.setattr(Debts, "of", classmethod(slowly))
    # mara and ben in the one, ben and mara in the other.
    await asyncio.gather(together.settle_all(ids[:2]), together.settle_all(ids[2:]))
    monkeypatch.undo()
    assert await standing(mara) == await standing(ben) == {("available", "USD"): 4_000}
    await books_are_right()


async def test_released_commissions_of_many_members_cost_as_many_queries_for_two_orders_as_for_six(web: Browser):
    people = {f"ben{n}": [n] for n in range(1, 8)}
    mara, ids, others = await _released(web, 8, people)
    await db.execute("UPDATE order_line SET gross = 20000")
    with db.watch_queries() as few:
        await together.settle_all(ids[:2])
    with db.watch_queries() as many:
        await together.settle_all(ids[2:])
    assert len(many) <= len(few) <= 40
    for one in (mara, *others):
        assert await standing(one) == {("available", "USD"): 2_000}
    await books_are_right()


async def _released(web: Browser, many: int, led: dict[str, list[int]]) -> tuple[Person, list[int], list[Person]]:
    """Orders whose commissions are available, some of them of others than mara."""
    mara, shop, ids = await told_and_not_settled(web, many)
    others = [await a_member(name) for name in led]
    for one, which in zip(others, led.values(), strict=True):
        await led_by(one, shop, [ids[n] for n in which])
    await together.settle_all(ids)
    await holds.mark_screened([row["id"] for row in await db.fetch("SELECT id FROM commission")])
    clock.travel(timedelta(days=60))
    assert await release.release_due() == many
    return mara, ids, others


async def _beside_a_company_that_is_about_to_post(
    monkeypatch: pytest.MonkeyPatch, order_ids: list[int], other: Awaitable[None]
) -> None:
    """The other begins when the company has all its locks but the books', and the company goes on when the other
    waits for a lock, or is done."""
    here, on = asyncio.Event(), asyncio.Event()
    real = together.bring_all

    async def waits(wanted: list) -> None:
        here.set()
        await on.wait()
        await real(wanted)

    monkeypatch.setattr(together, "bring_all", waits)
    company = asyncio.create_task(together.settle_all(order_ids), context=contextvars.Context())
    await here.wait()
    beside = asyncio.ensure_future(other)
    async with db.acquired() as connection:
        while not beside.done() and not await connection.fetchval(
            """SELECT count(*) > 0 FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'"""
        ):
            await asyncio.sleep(0.02)
    on.set()
    await asyncio.wait_for(asyncio.gather(company, beside), 60)
    monkeypatch.undo()
