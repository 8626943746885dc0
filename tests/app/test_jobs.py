import asyncio

import pytest

from app import db, jobs
from app.events import Event, on, publish

pytestmark = pytest.mark.anyio


class GrapeRipened(Event):
    grape_id: int


heard: list[int] = []
failures: list[int] = []


@on(GrapeRipened)
async def pick(event: GrapeRipened) -> None:
    if event.grape_id < 0:
        failures.append(event.grape_id)
        raise RuntimeError("sour")
    heard.append(event.grape_id)


@pytest.fixture
async def clean(house):
    heard.clear()
    failures.clear()
    await db.execute("DELETE FROM pgqueuer")
    yield
    await db.execute("DELETE FROM pgqueuer")


async def test_an_event_and_its_jobs_commit_together(clean):
    async with db.transaction():
        await publish(GrapeRipened(grape_id=7))
        async with db.acquired() as worker:
            assert await worker.fetchval("SELECT count(*) FROM pgqueuer") == 0  # nothing to run before the commit
    assert await jobs.drain() == 1
    assert heard == [7]
    row = await db.fetch_one("SELECT type, data FROM event")
    assert (row["type"], row["data"]) == ("GrapeRipened", {"grape_id": 7})


async def test_a_rolled_back_change_announces_nothing(clean):
    with pytest.raises(ValueError):
        async with db.transaction():
            await publish(GrapeRipened(grape_id=7))
            raise ValueError
    assert await jobs.drain() == 0
    assert await db.fetch_val("SELECT count(*) FROM event") == 0


async def test_the_worker_runs_jobs_retries_a_failing_one_then_holds_it_for_a_person(clean, monkeypatch):
    from datetime import timedelta

    monkeypatch.setattr(jobs, "RETRY_AFTER", [timedelta(0)] * 2)
    async with db.transaction():
        await publish(GrapeRipened(grape_id=1))
        await publish(GrapeRipened(grape_id=-5))
    stop = asyncio.Event()
    worker = asyncio.create_task(jobs.run_worker(stop))
    for _ in range(100):
        await asyncio.sleep(0.05)
        if await jobs.held():
            break
    stop.set()
    await worker
    assert heard == [1]
    assert failures == [-5, -5, -5]  # the first run and two retries
    (held,) = await jobs.held()
    assert held["entrypoint"].endswith(".pick")
    assert await jobs.retry_held(held["id"])
    assert not await jobs.retry_held(held["id"])
    assert await jobs.held() == []


async def test_a_worker_started_twice_runs_each_job_once(clean):
    async with db.transaction():
        for n in range(50):
            await publish(GrapeRipened(grape_id=n))
    stop = asyncio.Event()
    workers = [asyncio.create_task(jobs.run_worker(stop)) for _ in range(2)]
    for _ in range(100):
        await asyncio.sleep(0.05)
        if len(heard) >= 50:
            break
    stop.set()
    await asyncio.gather(*workers)
    assert sorted(heard) == list(range(50))
