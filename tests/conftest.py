"""Every test runs against real PostgreSQL and Valkey; what one test wrote is gone before the next."""

import asyncio
import os
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import asyncpg
import httpx
import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from app import embedded
from tests import lines
from tests.browser import _chromiums, _the_server, chromium

__all__ = ["_chromiums", "_the_server", "chromium"]
ROOT = str(Path(__file__).parent.parent) + os.sep
# Bytes of a table that are worth a vacuum.
GROWN = 400_000
FOLDER = Path(tempfile.gettempdir()) / f"gv-tests-{os.getuid()}-{os.getpid()}"
SERVERS = embedded.servers(FOLDER, fast=True)

# The same examples in every run: what lands has passed all that the next run will try, and no slow machine counts as a
# failure. `--deep` tries others each time, and says how to have a failure again.
_CALM = {"deadline": None, "suppress_health_check": list(hypothesis.HealthCheck)}
hypothesis.settings.register_profile("same", derandomize=True, **_CALM)
hypothesis.settings.register_profile("deep", print_blob=True, **_CALM)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--deep", action="store_true", help="try 100,000 histories where the suite tries some thousands")


def examples(usual: int) -> int:
    """How many examples a generated test tries: the usual number, or 100,000 with `--deep`."""
    return 100_000 if os.environ.get("GRAPEVINE_TEST_DEEP") else usual


def pytest_configure(config: pytest.Config) -> None:
    """The servers stand before anything of ours reads a setting."""
    # Started in the background of a shell, Ctrl-C is ignored by us and all our children: some tests press it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("--deep"):
        os.environ["GRAPEVINE_TEST_DEEP"] = "1"
    hypothesis.settings.load_profile("deep" if config.getoption("--deep") else "same")
    if not config.getoption("--deep"):
        # It also draws numbers and words that stand in our code, so that a change anywhere, or another selection of
        # tests, would try other examples. `--deep` keeps them.
        providers._get_local_constants = lambda: providers._local_constants
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
    from app import db, migrate, valkey
    from app.settings import settings

    valkey.PATIENCE = 20
    await db.open(settings().database_url, max_size=12)
    await migrate.migrate()
    cheap_passwords()
    yield
    await db.close()


@pytest.fixture(scope="session")
async def application(database: None) -> AsyncIterator[Callable]:
    """The whole application, as uvicorn would serve it, on the run's own loop and pool."""
    from app import edge, features
    from app.main import build

    async with features.running():
        await asyncio.sleep(0)
        _HOUSEHOLD.update(asyncio.all_tasks())
        yield edge.protected(build(), features.RAW_ROUTES, features.SOCKETS)


def cheap_passwords() -> None:
    """A password of a member of a test protects nothing, and everybody here has one: 0.1 ms instead of 25."""
    from argon2 import PasswordHasher

    from community.members import service

    service._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    service._decoy = service._hasher.hash("nobody has this password")


@pytest.fixture
async def house(application: Callable) -> AsyncIterator[Callable]:
    """A clean house: empty tables, no rate limits used up, the present time."""
    yield application
    await come_to_rest()
    await sweep()


async def come_to_rest() -> None:
    """Lines hang up, and what the application still does beside requests comes to its end: it would write into the next
    test, or meet the broom. What waits for its moment (read pointers, presence) does not get it."""
    from app import live

    await lines.hang_up()
    with suppress(TimeoutError):
        async with asyncio.timeout(5):
            await asyncio.gather(*(finish() for finish in live._finishing))
    for _round in range(10):
        left = [task for task in asyncio.all_tasks() if task not in _HOUSEHOLD and _is_ours(task)]
        if not left:
            return
        _done, late = await asyncio.wait(left, timeout=0.05)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=5)


# What runs as long as the application does.
_HOUSEHOLD: set[asyncio.Task] = set()


def _is_ours(task: asyncio.Task) -> bool:
    """Whether the task runs code of the application: not pytest's, not a driver's, not a test's."""
    code = getattr(task.get_coro(), "cr_code", None)
    place = code.co_filename if code else ""
    return place.startswith(ROOT) and not place.startswith((f"{ROOT}tests{os.sep}", f"{ROOT}.venv{os.sep}"))


async def sweep() -> None:
    from app import clock, db, valkey

    clock.travel_home()
    # A partitioned table holds no rows itself; its partitions are among these.
    tables = await db.fetch(
        """SELECT relname AS name, pg_relation_size(oid) AS bytes FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
              AND relname <> 'migration' AND relname NOT LIKE 'pgqueuer\\_%' ORDER BY relname"""
    )
    names = [f'"{row["name"]}"' for row in tables]
    # Triggers off: the ledger forbids DELETE. One list of statements is far quicker than so many TRUNCATEs.
    # Locked first: a row whose foreign key was looked at before the sweep would come in after it.
    sweeping = (
        f"SET session_replication_role = replica; LOCK TABLE {', '.join(names)} IN EXCLUSIVE MODE;"
        + ";".join(f"DELETE FROM {name}" for name in names)
        + ";SET session_replication_role = origin"
    )
    for attempts_left in range(4, -1, -1):
        try:
            async with db.acquired() as connection:
                await connection.execute(sweeping)
            break
        except asyncpg.DeadlockDetectedError:
            # Another process still wrote, and waited for what we had locked: one of the two was told to let go.
            if not attempts_left:
                raise
    # Nothing vacuums by itself here (app/servers.py), and what all tests deleted would be read again and again.
    if grown := [f'"{row["name"]}"' for row in tables if row["bytes"] > GROWN]:
        await db.execute(f"VACUUM (SKIP_LOCKED) {', '.join(grown)}")
        # Known to be empty they would be planned for as such while the next test fills them: nothing is known of them.
        await db.execute("UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE oid = ANY($1::regclass[])", grown)
    await valkey.client().flushdb()
    forget()


def forget() -> None:
    """What this process keeps in mind for some seconds about links, shops and browsers is of a house that is gone."""
    from app import disclosure
    from referrals.clicks import directory, last_known, writer
    from referrals.links import domains

    directory._ways.clear()
    last_known.empty()
    writer._known_agents.clear()
    domains._hosts = domains.Hosts(until=time.monotonic() + domains.FRESH_SECONDS)
    disclosure.short_links_live_at(frozenset())
    disclosure.shops_live_at(frozenset())


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
