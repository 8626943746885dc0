"""Every test runs against real PostgreSQL and Valkey; what one test wrote is gone before the next."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from app import embedded

FOLDER = Path(tempfile.gettempdir()) / f"gv-tests-{os.getuid()}-{os.getpid()}"
SERVERS = embedded.servers(FOLDER, fast=True)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="try 100,000 histories where the suite tries some thousands")


def examples(usual: int) -> int:
    """How many examples a generated test tries: the usual number, or 100,000 with `--deep`."""
    return 100_000 if os.environ.get("GRAPEVINE_TEST_DEEP") else usual


def pytest_configure(config: pytest.Config) -> None:
    """The servers stand before anything of ours reads a setting."""
    if config.getoption("--deep"):
        os.environ["GRAPEVINE_TEST_DEEP"] = "1"
    if os.environ.get("GRAPEVINE_TEST_DATABASE_URL"):
        os.environ["GRAPEVINE_DATABASE_URL"] = os.environ["GRAPEVINE_TEST_DATABASE_URL"]
        os.environ["GRAPEVINE_REDIS_URL"] = os.environ["GRAPEVINE_TEST_REDIS_URL"]
    else:
        urls = SERVERS.__enter__()
        config.add_cleanup(put_away)
        os.environ["GRAPEVINE_DATABASE_URL"], os.environ["GRAPEVINE_REDIS_URL"] = urls
    os.environ["GRAPEVINE_ENV"] = "demo"
    os.environ["GRAPEVINE_BASE_URL"] = "http://test.example"
    os.environ["GRAPEVINE_DATA_DIR"] = tempfile.mkdtemp(prefix="gv-data-")
    config.add_cleanup(lambda: shutil.rmtree(os.environ["GRAPEVINE_DATA_DIR"], ignore_errors=True))


def put_away() -> None:
    SERVERS.__exit__(None, None, None)
    embedded.forget(FOLDER)
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
async def database(anyio_backend: str) -> AsyncIterator[None]:
    """The pool of the whole run, with the schema made by the real migrations."""
    from app import db, migrate
    from app.settings import settings

    await db.open(settings().database_url, max_size=12)
    await migrate.migrate()
    yield
    await db.close()


@pytest.fixture(scope="session")
async def application(database: None) -> AsyncIterator[Callable]:
    """The whole application, as uvicorn would serve it, on the run's own loop and pool."""
    from app import edge, features
    from app.main import build

    async with features.running():
        yield edge.protected(build(), features.RAW_ROUTES, features.SOCKETS)


@pytest.fixture
async def house(application: Callable) -> AsyncIterator[Callable]:
    """A clean house: empty tables, no rate limits used up, the present time."""
    yield application
    await sweep()


async def sweep() -> None:
    from app import clock, db, valkey

    clock.travel_home()
    tables = await db.fetch(
        """SELECT tablename FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('migration') AND tablename NOT LIKE 'pgqueuer\\_%'"""
    )
    names = [row["tablename"] for row in tables]
    # Triggers off: the ledger forbids DELETE. One statement list is far quicker than TRUNCATE of so many tables.
    async with db.acquired() as connection:
        await connection.execute(
            "SET session_replication_role = replica;"
            + ";".join(f'DELETE FROM "{name}"' for name in names)
            + ";SET session_replication_role = origin"
        )
    await valkey.client().flushdb()


@pytest.fixture
async def web(house: Callable) -> AsyncIterator[Callable[..., httpx.AsyncClient]]:
    """`web()` is a fresh browser (cookies of its own); `web(token=…)` an API client."""
    async with AsyncExitStack() as clients:

        def browser(token: str | None = None, **headers: str) -> httpx.AsyncClient:
            client = httpx.AsyncClient(
                transport=httpx.ASGITransport(app=house),  # type: ignore[arg-type]
                base_url="http://test.example",
                headers={**({"Authorization": f"Bearer {token}"} if token else {}), **headers},
            )
            clients.push_async_callback(client.aclose)
            return client

        yield browser
