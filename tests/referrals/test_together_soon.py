"""Who asks for an order to be settled soon always hears of it, and a worker that stops loses nobody's money."""

import asyncio
import contextvars
from datetime import timedelta

import pytest

from app import clock, db, jobs
from app.errors import Unavailable
from referrals.commissions import service, soon, together
from tests.factories import Browser
from tests.referrals.cast import books_are_right, standing
from tests.referrals.test_together import told_and_not_settled

pytestmark = pytest.mark.anyio
SETTLING = "referrals.commissions.jobs.settle_order"


@pytest.mark.parametrize("first", ["the jobs", "the company"])
async def test_a_worker_that_stops_while_orders_wait_leaves_their_jobs_to_the_next(
    web: Browser, monkeypatch: pytest.MonkeyPatch, first: str
):
    mara, _shop, _ids = await told_and_not_settled(web, 3)
    await db.execute("DELETE FROM pgqueuer WHERE entrypoint <> $1", SETTLING)
    monkeypatch.setattr(jobs, "STOPS_WITHIN", 0.2)
    stop = asyncio.Event()
    async with db.transaction():
        await db.fetch("SELECT 1 FROM orders ORDER BY id FOR UPDATE")
        worker = asyncio.create_task(jobs.run_worker(stop), context=contextvars.Context())
        await _until("SELECT count(*) = 3 FROM pgqueuer WHERE status = 'picked'")
        while not soon._working:
            await asyncio.sleep(0.01)
        company = soon._working[0]
        if first == "the company":
            await _called_off(company)
            await _until("SELECT count(*) = 0 FROM pgqueuer WHERE status = 'picked'")
        stop.set()
        await asyncio.wait_for(worker, 60)
        await _called_off(company)
    left = await db.fetch("SELECT entrypoint, status::text FROM pgqueuer")
    assert [tuple(row) for row in left] == [(SETTLING, "queued")] * 3
    assert await standing(mara) == {}
    clock.travel(timedelta(minutes=1))
    assert await jobs.drain() >= 3
    assert await standing(mara) == {("pending", "USD"): 3_000}
    await books_are_right()


async def test_whoever_waits_hears_of_a_stop_while_orders_are_settled_one_by_one(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    mara, _shop, ids = await told_and_not_settled(web, 4)
    slow, real = asyncio.Event(), service.settle

    async def fails(order_ids: list[int]) -> list[int]:
        raise ValueError("one of them is broken")

    async def waits_at_the_second(order_id: int) -> None:
        if order_id == ids[1]:
            slow.set()
            await asyncio.Event().wait()
        await real(order_id)

    monkeypatch.setattr(together, "_settle_together", fails)
    monkeypatch.setattr(service, "settle", waits_at_the_second)
    asked = [asyncio.create_task(soon.settle_soon(one)) for one in ids[:3]]
    await slow.wait()
    asked.append(asyncio.create_task(soon.settle_soon(ids[3])))
    await asyncio.wait_for(asked[0], 60)
    await _called_off(soon._working[0])
    outcomes = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 60)
    assert [type(one) for one in outcomes] == [type(None), Unavailable, Unavailable, Unavailable]
    monkeypatch.undo()
    await soon.settle_all_soon(ids)
    assert await standing(mara) == {("pending", "USD"): 4_000}
    await books_are_right()


async def test_who_asks_from_within_a_transaction_is_settled_in_it_and_a_company_is_nobodys_own(web: Browser):
    mara, _shop, ids = await told_and_not_settled(web, 5)
    with db.watch_queries() as seen:
        await soon.settle_soon(ids[0])
    assert seen == [], "the company works in a context of its own"
    async with db.transaction():
        await soon.settle_soon(ids[1])
        await soon.settle_all_soon(ids[2:4])
    assert await standing(mara) == {("pending", "USD"): 4_000}
    with pytest.raises(ZeroDivisionError):
        async with db.transaction():
            await soon.settle_soon(ids[4])
            1 / 0
    assert soon._waiting == soon._working == []
    assert await standing(mara) == {("pending", "USD"): 4_000}, "it fell with theirs"
    await books_are_right()


async def test_one_asker_of_many_orders_leaves_room_for_others_in_each_company(monkeypatch: pytest.MonkeyPatch):
    companies: list[list[int]] = []

    async def settle(order_ids: list[int]) -> None:
        companies.append(order_ids)

    monkeypatch.setattr(soon, "settle_all", settle)
    many = asyncio.create_task(soon.settle_all_soon(range(1, 201)))
    await asyncio.gather(soon.settle_soon(201), many)
    assert sorted(one for some in companies for one in some) == [*range(1, 202)]
    assert max(map(len, companies)) <= soon.MOST_OF_ONE + 1
    assert any(201 in some for some in companies[:2])


async def _called_off(company: asyncio.Task[None]) -> None:
    company.cancel()
    await asyncio.wait({company})


async def _until(sql: str) -> None:
    async with db.acquired() as connection:
        while not await connection.fetchval(sql):
            await asyncio.sleep(0.02)
