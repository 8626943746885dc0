"""The servers that come along: they start for whoever needs them and are gone with the last user, however it ends."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import psutil
import pytest

from app import embedded, servers

ROOT = Path(__file__).parents[2]

A_USER = """
import sys, time
from pathlib import Path
from app import embedded
with embedded.servers(Path(sys.argv[1]), fast=True):
    print("up", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gv-test-"))
    folder.chmod(0o755)  # the database runs as another user when we are root
    yield folder
    embedded.forget(folder)
    shutil.rmtree(folder)


@contextlib.contextmanager
def another_program(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    program = subprocess.Popen(
        [sys.executable, "-c", A_USER, str(data_dir)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert program.stdin and program.stdout
    try:
        assert program.stdout.readline() == "up\n"
        yield program
    finally:
        program.kill()
        program.wait()
        program.stdin.close()
        program.stdout.close()


def processes_of(data_dir: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.pid != os.getpid() and any(f"{data_dir}/servers" in word for word in process.cmdline()):
                found.append(process)
    return found


def comes_true(fact: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.05)
    return False


async def the_row_of(urls: embedded.Urls) -> int:
    connection = await asyncpg.connect(urls.database_url)
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        await connection.execute("INSERT INTO kept VALUES (1)")
        return await connection.fetchval("SELECT count(*) FROM kept")
    finally:
        await connection.close()


@pytest.mark.anyio
async def test_what_was_written_is_there_at_the_next_start_and_nothing_runs_in_between(data_dir: Path) -> None:
    with embedded.servers(data_dir) as urls:
        assert await the_row_of(urls) == 1
    assert comes_true(lambda: not processes_of(data_dir), seconds=2)
    with embedded.servers(data_dir) as urls:
        assert await the_row_of(urls) == 2


@pytest.mark.anyio
async def test_the_cache_that_comes_along_answers(data_dir: Path) -> None:
    import redis.asyncio

    with embedded.servers(data_dir, fast=True) as urls:
        client = redis.asyncio.from_url(urls.redis_url)
        await client.set("a", "b")
        assert await client.get("a") == b"b"
        await client.aclose()


@pytest.mark.anyio
async def test_the_servers_listen_on_no_network_and_only_their_owner_may_come_in(data_dir: Path) -> None:
    with embedded.servers(data_dir, fast=True) as urls:
        run = Path(urls.redis_url.removeprefix("unix://")).parent
        assert run.stat().st_mode & 0o077 == 0
        assert not [c for p in processes_of(data_dir) for c in p.net_connections("inet")]


def test_a_second_program_shares_the_servers_and_does_not_stop_them(data_dir: Path) -> None:
    with another_program(data_dir):
        with embedded.servers(data_dir):
            assert embedded.users(data_dir) == 2
        assert embedded.users(data_dir) == 1
        assert processes_of(data_dir)


def test_the_servers_outlive_the_program_that_started_them_while_another_needs_them(data_dir: Path) -> None:
    with another_program(data_dir) as first, embedded.servers(data_dir):
        first.kill()
        first.wait()
        time.sleep(0.3)
        assert embedded.users(data_dir) == 1


def test_servers_that_have_nothing_to_do_use_no_processor(data_dir: Path) -> None:
    with embedded.servers(data_dir, fast=True):
        keepers = [p for p in processes_of(data_dir) if "app.keeper" in p.cmdline()]
        before = keepers[0].cpu_times().user + keepers[0].cpu_times().system
        time.sleep(1.5)
        after = keepers[0].cpu_times().user + keepers[0].cpu_times().system
    assert after - before < 0.5


def test_four_programs_that_start_at_once_get_one_database(data_dir: Path) -> None:
    with contextlib.ExitStack() as all_of_them:
        for _ in range(4):
            all_of_them.enter_context(another_program(data_dir))
        assert embedded.users(data_dir) == 4
        assert len([p for p in processes_of(data_dir) if "app.keeper" in p.cmdline()]) == 1


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_however_its_last_user_ends_no_server_stays_behind(data_dir: Path, how: signal.Signals) -> None:
    with another_program(data_dir) as program:
        program.send_signal(how)
        program.wait()
        assert comes_true(lambda: not processes_of(data_dir))


@pytest.mark.anyio
async def test_after_everything_was_killed_the_next_start_repairs_it(data_dir: Path) -> None:
    with another_program(data_dir) as program:
        for process in [*processes_of(data_dir), psutil.Process(program.pid)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
    with embedded.servers(data_dir) as urls:
        assert await the_row_of(urls) == 1


@pytest.mark.anyio
async def test_a_pid_file_that_now_names_a_stranger_does_not_stop_the_start(data_dir: Path) -> None:
    with embedded.servers(data_dir, fast=True):
        pid_file = data_dir / "servers/postgres/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with embedded.servers(data_dir, fast=True) as urls:
        assert await the_row_of(urls) == 1


@pytest.mark.anyio
async def test_a_database_that_dies_is_started_again(data_dir: Path) -> None:
    with embedded.servers(data_dir) as urls:
        await asyncio.sleep(1.1)  # one that dies at once is looked at less eagerly
        for process in processes_of(data_dir):
            if process.name() == "postgres":
                process.kill()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, asyncpg.PostgresError):
                assert await the_row_of(urls) == 1
                return
            await asyncio.sleep(0.1)
    raise AssertionError("the database did not come back")


def test_a_start_cut_short_leaves_no_half_of_a_database(data_dir: Path) -> None:
    half = data_dir / "servers/postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    with embedded.servers(data_dir, fast=True):
        assert not half.exists()


def test_a_data_directory_too_deep_for_a_socket_works_too(data_dir: Path) -> None:
    deep = data_dir / "a-rather-long-name" / "that-goes-on" / "and-on-and-on-and-on" / "until-it-is-over-a-hundred"
    with embedded.servers(deep, fast=True) as urls:
        run = Path(urls.redis_url.removeprefix("unix://")).parent
        assert len(str(run)) < 90
        assert run.stat().st_mode & 0o077 == 0
    embedded.forget(deep)
    assert not run.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has folders that PostgreSQL cannot enter")
def test_a_folder_closed_to_others_stays_closed_and_the_database_goes_elsewhere(
    data_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data_dir.chmod(0o700)
    with embedded.servers(data_dir / "var", fast=True):
        assert data_dir.stat().st_mode & 0o777 == 0o700
        elsewhere = Path((data_dir / "var/servers-at").read_text())
        assert str(elsewhere) in capfd.readouterr().err
        assert (elsewhere / "postgres").exists()
    embedded.forget(data_dir / "var")
    assert not elsewhere.exists()


def test_stop_ends_the_servers_whoever_uses_them(data_dir: Path) -> None:
    with another_program(data_dir):
        embedded.stop(data_dir)
        assert comes_true(lambda: not processes_of(data_dir))


def test_a_missing_program_is_one_clear_sentence(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = data_dir / "servers/postgres"
    broken.mkdir(parents=True)
    (broken / "PG_VERSION").write_text("9\n")
    with pytest.raises(embedded.CannotStart, match="could not start"), embedded.servers(data_dir, fast=True):
        pass
    shutil.rmtree(broken)
    monkeypatch.setattr(servers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(RuntimeError, match=r"Run bin/setup"):
        servers.postgres(data_dir / "servers", data_dir / "servers", None, fast=True)


def test_a_left_over_socket_file_does_not_stop_the_start(data_dir: Path) -> None:
    (data_dir / "servers").mkdir()
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(data_dir / "servers/keeper.sock"))
    with embedded.servers(data_dir, fast=True):
        assert embedded.users(data_dir) == 1
