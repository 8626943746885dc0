"""The transaction that gives its connection back whatever happens (see TRAPS of the stock one)."""

import asyncio

import asyncpg
import pytest

from app import db, migrate
from app.clock import now
from app.settings import settings

pytestmark = pytest.mark.anyio

ADD = "INSERT INTO event (type, data, happened_at) VALUES ($1, '{}', $2)"


@pytest.fixture
async def clean(house):
    return house


async def events() -> int:
    return await db.fetch_val("SELECT count(*) FROM event")


async def test_a_failing_commit_gives_the_connection_back(clean):
    """A deferred constraint fails at COMMIT; the stock transaction leaked a connection each time."""
    before = db.engine.pool.get_idle_size(), db.engine.pool.get_size()
    for n in range(30):  # more often than the pool has connections
        with pytest.raises(asyncpg.CheckViolationError):
            async with db.transaction():
                account = await db.fetch_val(
                    """INSERT INTO ledger_account (owner_kind, owner_id, kind, currency)
                       VALUES ('member', $1, 'pending', 'USD') RETURNING id""",
                    n,
                )
                transaction = await db.fetch_val(
                    """INSERT INTO ledger_transaction (kind, ref_type, ref_id, ref_seq, occurred_at, prev_hash, hash)
                       VALUES ('test', 'x', $1, 0, $2, '', '') RETURNING id""",
                    n,
                    now(),
                )
                await db.execute(
                    """INSERT INTO ledger_entry (transaction_id, line, account_id, amount, currency)
                       VALUES ($1, 0, $2, 5, 'USD')""",
                    transaction,
                    account,
                )
    assert await db.fetch_val("SELECT count(*) FROM ledger_entry") == 0
    assert db.engine.current_transaction.get() is None
    assert db.engine.pool.get_size() <= max(before[1], 12)
    assert db.engine.pool.get_idle_size() == db.engine.pool.get_size()


async def test_a_cancelled_request_gives_the_connection_back(clean):
    async def slow() -> None:
        async with db.transaction():
            await db.execute("SELECT pg_sleep(30)")

    tasks = [asyncio.create_task(slow()) for _ in range(6)]
    await asyncio.sleep(0.2)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await events() == 0


async def test_a_killed_backend_is_an_error_and_not_a_leak(clean):
    with pytest.raises(db.LOST):
        async with db.transaction():
            pid = await db.fetch_val("SELECT pg_backend_pid()")
            async with db.acquired() as other:
                await other.execute("SELECT pg_terminate_backend($1)", pid)
            await db.execute("SELECT 1")
    assert await events() == 0


async def test_after_commit_runs_once_it_is_durable_and_never_on_rollback(clean):
    seen: list[int] = []
    async with db.transaction() as outer:
        outer.after_commit(lambda: seen.append(1))
        async with db.transaction() as inner:
            inner.after_commit(lambda: seen.append(2))
        assert seen == []
    assert seen == [1, 2]
    with pytest.raises(ValueError):
        async with db.transaction() as tx:
            tx.after_commit(lambda: seen.append(3))
            raise ValueError
    assert seen == [1, 2]


async def test_a_failing_after_commit_does_not_undo_the_change(clean):
    async with db.transaction() as tx:
        await db.execute(ADD, "Kept", now())
        tx.after_commit(lambda: 1 / 0)
    assert await events() == 1


async def test_a_savepoint_takes_back_only_its_own_part(clean):
    async with db.transaction():
        await db.execute(ADD, "Outer", now())
        with pytest.raises(asyncpg.UniqueViolationError):
            async with db.savepoint():
                await db.execute(ADD, "Inner", now())
                await db.execute("INSERT INTO groups SELECT * FROM groups WHERE false")
                raise asyncpg.UniqueViolationError("as if")
        await db.execute(ADD, "After", now())
    assert await events() == 2


async def test_rows_written_in_a_transaction_are_seen_by_plain_reads_inside_it(clean):
    async with db.transaction():
        await db.execute(ADD, "Inside", now())
        assert await events() == 1
        async with db.acquired() as other:
            assert await other.fetchval("SELECT count(*) FROM event") == 0


async def test_a_migration_may_take_longer_than_any_other_statement(house, monkeypatch: pytest.MonkeyPatch):
    async def a_long_one(**_named: object) -> None:
        await db.execute("SELECT pg_sleep(1.5)")

    monkeypatch.setattr(migrate, "run_forwards", a_long_one)
    monkeypatch.setattr(db, "STATEMENT_SECONDS", 1)
    usual = db.engine.pool
    await db.open(settings().database_url)
    try:
        assert await migrate.migrate() == 0
        with pytest.raises(TimeoutError):
            await db.execute("SELECT pg_sleep(60)")
    finally:
        await db.close()
        db.engine.pool = usual
