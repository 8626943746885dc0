"""Background work on PgQueuer: enqueued in the caller's transaction, run at least once, held when it keeps failing."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from pgqueuer.core.applications import PgQueuer
from pgqueuer.domain.errors import RetryRequested
from pgqueuer.domain.models import Job, Schedule
from pgqueuer.queries import Queries

from app import clock, db

log = logging.getLogger(__name__)

Work = Callable[[bytes], Awaitable[None]]
Chore = Callable[[], Awaitable[None]]

# About ten hours in all; after the last one the job is held for a person.
RETRY_AFTER = [timedelta(seconds=s) for s in (1, 5, 30, 120, 600, 3600, 10_800, 21_600)]
HELD_PAGE = 100
# How long work that runs may take to end when the worker is told to stop; after that it is cut off.
STOPS_WITHIN = 20

_work: dict[str, Work] = {}
_chores: dict[str, tuple[str, Chore]] = {}


def register(name: str, work: Work) -> None:
    if name in _work:
        raise RuntimeError(f"two jobs are called {name}")
    _work[name] = work


def job(function: Callable[[bytes], Awaitable[None]]) -> Work:
    """A job that is enqueued by name (with `enqueue_one`) rather than by an event."""
    register(f"{function.__module__}.{function.__name__}", function)
    return function


def every(cron: str) -> Callable[[Chore], Chore]:
    """A chore on a schedule (cron, UTC): `@every("*/5 * * * *")`. One worker of many runs each tick."""

    def register_chore(function: Chore) -> Chore:
        _chores[f"{function.__module__}.{function.__name__}"] = (cron, function)
        return function

    return register_chore


async def enqueue(work: Sequence[tuple[str, bytes]], *, after: timedelta | None = None) -> None:
    """Queue jobs on the current transaction's connection: they exist if, and only if, it commits."""
    if not work:
        return
    names = [name for name, _ in work]
    payloads: list[bytes | None] = [payload for _, payload in work]
    queries = Queries.from_asyncpg_connection(db.current_connection())
    await queries.enqueue(names, payloads, [0] * len(work), [after] * len(work))


async def enqueue_one(work: Work, payload: bytes, *, after: timedelta | None = None) -> None:
    await enqueue([(f"{work.__module__}.{work.__name__}", payload)], after=after)


async def run_worker(stop: asyncio.Event) -> None:
    """Run jobs and chores until told to stop; survives a restart of the database."""
    while not stop.is_set():
        try:
            await _run_once_connected(stop)
        except Exception:
            log.exception("the worker lost its database; trying again in 2 s")
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 2)


async def drain() -> int:
    """Run every job that is due, in this process, until none is left; how many ran. A failing job raises here."""
    assert db.engine.pool is not None
    ran = 0
    while True:
        row = await db.fetch_one(
            """DELETE FROM pgqueuer WHERE id = (
                   SELECT id FROM pgqueuer WHERE status = 'queued' AND execute_after <= $1
                   ORDER BY priority DESC, id LIMIT 1 FOR UPDATE SKIP LOCKED)
               RETURNING entrypoint, payload""",
            clock.now(),
        )
        if row is None:
            return ran
        await _work[row["entrypoint"]](row["payload"])
        ran += 1


async def held() -> list[dict[str, object]]:
    """Jobs that failed for good and wait for a person, newest first."""
    rows = await db.fetch(
        """SELECT q.id, q.entrypoint, q.created, q.attempts,
                  (SELECT traceback->>'exception_message' FROM pgqueuer_log l
                    WHERE l.job_id = q.id AND traceback IS NOT NULL ORDER BY l.id DESC LIMIT 1) AS reason
             FROM pgqueuer q WHERE q.status = 'failed' ORDER BY q.id DESC LIMIT $1""",
        HELD_PAGE,
    )
    return [dict(row) for row in rows]


async def retry_held(job_id: int) -> bool:
    """Queue a held job again; False when it is not held (any more)."""
    changed = await db.execute(
        """UPDATE pgqueuer SET status = 'queued', attempts = 0, execute_after = now(), updated = now(),
                  queue_manager_id = NULL
            WHERE id = $1 AND status = 'failed'""",
        job_id,
    )
    return changed == 1


async def lag_seconds() -> float:
    """How long the oldest due job has waited."""
    return await db.fetch_val(
        """SELECT coalesce(extract(epoch FROM max(now() - greatest(created, execute_after))), 0)::float8
             FROM pgqueuer WHERE status = 'queued' AND execute_after <= now()"""
    )


async def install() -> None:
    """Create or upgrade PgQueuer's own tables (called by migrate, under its lock)."""
    async with db.acquired() as connection:
        queries = Queries.from_asyncpg_connection(connection)
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()


async def _run_once_connected(stop: asyncio.Event) -> None:
    assert db.engine.pool is not None
    application = PgQueuer.from_asyncpg_pool(db.engine.pool)
    for name, work in _work.items():
        application.entrypoint(name, on_failure="hold")(_with_retries(name, work))
    for name, (cron, chore) in _chores.items():
        application.schedule(name, cron)(_as_schedule(chore))
    running = asyncio.create_task(application.run(dequeue_timeout=timedelta(seconds=5), batch_size=20))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((running, stopping), return_when=asyncio.FIRST_COMPLETED)
        application.shutdown.set()
        await asyncio.wait_for(running, timeout=STOPS_WITHIN)
    finally:
        stopping.cancel()


def _with_retries(name: str, work: Work) -> Callable[[Job], Awaitable[None]]:
    async def run(job: Job) -> None:
        try:
            await work(job.payload or b"")
        except asyncio.CancelledError as stopped:
            # PgQueuer would take it for a job that somebody called off, and delete it.
            raise RetryRequested(delay=timedelta(0), reason="the worker is stopping") from stopped
        except Exception as error:
            if job.attempts >= len(RETRY_AFTER):
                raise
            log.warning("job %s failed (attempt %s): %s", name, job.attempts + 1, error, exc_info=error)
            raise RetryRequested(delay=RETRY_AFTER[job.attempts], reason=str(error)) from error

    return run


def _as_schedule(chore: Chore) -> Callable[[Schedule], Awaitable[None]]:
    async def run(schedule: Schedule) -> None:
        await chore()

    return run
