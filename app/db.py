"""The database: one asyncpg pool per process, Piccolo on top of it, SQL beside it.

`transaction()` replaces Piccolo's own, which leaks its connection when COMMIT fails and waits for ever for a free one.
"""

import asyncio
import contextvars
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from types import TracebackType
from typing import Any, cast

import asyncpg
import msgspec
from piccolo.engine.postgres import PostgresEngine, PostgresTransaction
from piccolo.querystring import QueryString

from app.errors import Unavailable

log = logging.getLogger(__name__)

ACQUIRE_SECONDS = 10
STATEMENT_SECONDS = 30
# What asyncpg raises when the server went away, depending on what it was doing just then.
LOST = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
# The part of it that says nothing about the statement: the server is restarting, or was just killed.
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
)
AfterCommit = Callable[[], Awaitable[None] | None]

# Seconds a read may take; none: STATEMENT_SECONDS.
_patience: contextvars.ContextVar[float | None] = contextvars.ContextVar("patience", default=None)
_seen_queries: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar("seen_queries", default=None)


class Transaction(PostgresTransaction):
    """A transaction that always gives its connection back, and runs `after_commit` once it is durable."""

    def __init__(self, engine: "Engine", allow_nested: bool = True) -> None:
        super().__init__(engine, allow_nested)
        self._callbacks: list[AfterCommit] = []

    def after_commit(self, callback: AfterCommit) -> None:
        """Run this when the change is durable; never on rollback. A failure in it is logged: the change stands."""
        self._callbacks.append(callback)

    async def __aenter__(self) -> "Transaction":
        if self._parent is not None:
            return cast(Transaction, self._parent)
        # Piccolo's own command line runs without a pool.
        self.connection = await acquire() if engine.pool else await engine.get_new_connection()
        try:
            self.transaction = self.connection.transaction()
            await self.begin()
        except BaseException:
            await self._give_back()
            raise
        self.context = self.engine.current_transaction.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if self._parent is not None:
            return False
        try:
            if kind is None:
                await self.commit()
            else:
                await self._roll_back_quietly()
        finally:
            self.engine.current_transaction.reset(self.context)
            await self._give_back()
        if self._committed:
            await self._run_callbacks()
        return False

    async def _roll_back_quietly(self) -> None:
        try:
            await self.rollback()
        except LOST as lost:
            # The server went away: it has rolled back for us, and the first error is the one to tell.
            log.warning("rollback failed: %s", lost)

    async def _give_back(self) -> None:
        try:
            if engine.pool is None:
                await self.connection.close(timeout=5)
            else:
                await asyncio.shield(engine.pool.release(self.connection, timeout=5))
        except (*LOST, TimeoutError):
            self.connection.terminate()

    async def _run_callbacks(self) -> None:
        for callback in self._callbacks:
            try:
                waiting = callback()
                if waiting is not None:
                    await waiting
            except Exception:
                log.exception("after_commit failed")


class Engine(PostgresEngine):
    """Piccolo's engine with our transaction, our pool and a count of queries for the tests."""

    async def check_version(self) -> None:
        # Piccolo would connect here, at import, before any setting was read; `grapevine doctor` checks instead.
        return None

    async def prep_database(self) -> None:
        return None

    def transaction(self, allow_nested: bool = True) -> Transaction:
        return Transaction(self, allow_nested)

    async def run_querystring(self, querystring: QueryString, in_pool: bool = True) -> Any:
        _note(querystring)
        if self.pool is None or self.current_transaction.get():
            return await super().run_querystring(querystring, in_pool)
        query, args = querystring.compile_string(engine_type=self.engine_type)
        async with _borrowed() as connection:
            return await connection.fetch(query, *args)


# Piccolo looks the engine up when a table is first used, so it exists from import on; `open` fills it.
engine = Engine(config={}, extensions=())


def transaction() -> Transaction:
    """`async with transaction() as tx:` – a nested one joins the outer (use `savepoint` to recover inside)."""
    return engine.transaction()


def after_commit(callback: AfterCommit) -> None:
    """Run this once the current transaction is durable."""
    _in_transaction().after_commit(callback)


@asynccontextmanager
async def savepoint():  # type: ignore[no-untyped-def]
    """A part of a transaction that may fail and be caught without poisoning the rest."""
    async with _in_transaction().connection.transaction():
        yield


async def open(url: str, *, min_size: int = 1, max_size: int = 10) -> None:
    """Open this process's pool."""
    engine.config = {"dsn": url}
    engine.pool = await _open_pool(url, min_size, max_size, STATEMENT_SECONDS)


async def close() -> None:
    if engine.pool is not None:
        pool, engine.pool = engine.pool, None
        await _close_pool(pool)


@asynccontextmanager
async def unhurried():  # type: ignore[no-untyped-def]
    """Within, every statement of this process may take as long as it needs: a migration of a big table does."""
    usual = _pool()
    engine.pool = await _open_pool(engine.config["dsn"], 0, 4, None)
    try:
        yield
    finally:
        unlimited, engine.pool = engine.pool, usual
        await _close_pool(unlimited)


async def _open_pool(url: str, min_size: int, max_size: int, seconds: float | None) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        url,
        min_size=min_size,
        max_size=max_size,
        init=_prepare,
        command_timeout=seconds,
        connection_class=_Connection,
    )


async def _close_pool(pool: asyncpg.Pool) -> None:
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:
        pool.terminate()


@asynccontextmanager
async def planned_once():  # type: ignore[no-untyped-def]
    """Within, each statement is planned once a connection instead of at every run, and by indexes.

    For a join of many tables that finds a few rows the same way whatever its parameters: what a room had not been told
    took 1.4 ms to plan and 0.1 ms to run. Joins the transaction there is, and stays in force until that ends.
    """
    async with transaction() as current:
        # By indexes: a plan made while the tables were small would be kept long after they have grown.
        await current.connection.execute(
            "SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off"
        )
        yield


async def fetch(sql: str, *args: Any) -> list[asyncpg.Record]:
    """Rows of a query, in the current transaction if there is one."""
    async with _connection(sql) as connection:
        return await connection.fetch(sql, *args, timeout=_patience.get())


async def fetch_one(sql: str, *args: Any) -> asyncpg.Record | None:
    async with _connection(sql) as connection:
        return await connection.fetchrow(sql, *args, timeout=_patience.get())


async def fetch_val(sql: str, *args: Any) -> Any:
    async with _connection(sql) as connection:
        return await connection.fetchval(sql, *args, timeout=_patience.get())


@contextmanager
def patiently(seconds: float) -> Iterator[None]:
    """Reads within may take so long, whatever a statement may take otherwise: for audits that look at everything."""
    token = _patience.set(seconds)
    try:
        yield
    finally:
        _patience.reset(token)


async def id_ranges(table: str, size: int) -> list[tuple[int, int]]:
    """All ids a table has now, in stretches of so many: after this one, up to and with that one."""
    row = await fetch_one(f"SELECT min(id) AS first, max(id) AS last FROM {table}")
    if row is None or row["first"] is None:
        return []
    return [(after, after + size) for after in range(row["first"] - 1, row["last"], size)]


async def execute(sql: str, *args: Any) -> int:
    """Run a statement; the number of rows it touched."""
    async with _connection(sql) as connection:
        tag = await connection.execute(sql, *args)
    last = tag.rpartition(" ")[2]
    return int(last) if last.isdigit() else 0


async def execute_many(sql: str, rows: Iterable[Sequence[Any]]) -> None:
    async with _connection(sql) as connection:
        await connection.executemany(sql, rows)


async def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Bulk insert through COPY."""
    async with _connection(f"COPY {table}") as connection:
        await connection.copy_records_to_table(table, columns=columns, records=rows)


@asynccontextmanager
async def acquired():  # type: ignore[no-untyped-def]
    """A pooled connection outside any transaction, for LISTEN, COPY and the like."""
    async with _borrowed() as connection:
        yield connection


async def acquire() -> Any:
    """A connection from the pool within seconds, or Unavailable: a full pool must not hang a page."""
    try:
        return await _pool().acquire(timeout=ACQUIRE_SECONDS)
    except TimeoutError as error:
        raise Unavailable() from error


def current_connection() -> Any:
    """The connection of the transaction we are in."""
    return _in_transaction().connection


@contextmanager
def watch_queries() -> Iterator[list[str]]:
    """Collect every statement run inside (tests: "this screen costs five queries, however long the list")."""
    seen: list[str] = []
    token = _seen_queries.set(seen)
    try:
        yield seen
    finally:
        _seen_queries.reset(token)


@asynccontextmanager
async def _borrowed():  # type: ignore[no-untyped-def]
    connection = await acquire()
    try:
        yield connection
    finally:
        await asyncio.shield(_pool().release(connection))


@asynccontextmanager
async def _connection(sql: str):  # type: ignore[no-untyped-def]
    _note(sql)
    current = engine.current_transaction.get()
    if current is not None:
        yield current.connection
    else:
        async with _borrowed() as connection:
            yield connection


def _pool() -> asyncpg.Pool:
    if engine.pool is None:
        raise RuntimeError("the database is not open: call db.open() first")
    return engine.pool


def _in_transaction() -> Transaction:
    current = engine.current_transaction.get()
    if current is None:
        raise RuntimeError("this needs a transaction")
    return cast(Transaction, current)


def _note(query: object) -> None:
    seen = _seen_queries.get()
    if seen is not None:
        seen.append(str(query))


class _Connection(asyncpg.Connection):
    def get_reset_query(self) -> str:
        # asyncpg would send UNLISTEN, RESET ALL and more at every release, a second round trip for each query. Nobody
        # here leaves session state behind (SET LOCAL and transaction locks only); an open transaction is still undone.
        return ""


async def _prepare(connection: asyncpg.Connection) -> None:
    # Text passes through untouched, because Piccolo hands over JSON it has written itself.
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: value if isinstance(value, str) else msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )
