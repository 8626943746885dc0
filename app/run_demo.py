"""`grapevine demo`: a living community from nothing, in one process tree that leaves nothing behind."""

import asyncio
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from app import db, embedded, migrate, supervise, valkey
from app.settings import settings

LOGINS = (
    ("mara", "a member"),
    ("linwei", "a KOL with links and earnings"),
    ("jonas", "a moderator"),
    ("ines", "the shop owner"),
    ("dmitri", "an admin, who approves payouts"),
    ("wenjing", "an admin, who approves payouts"),
)
PASSWORD = "grapevine-demo"
OURS = ("servers", "servers-at", "media", "demo-shop", "tree.json")
ROOT = Path(__file__).parent.parent
console = Console(highlight=False, soft_wrap=True)


class CannotRun(Exception):
    """The demo does not start; one sentence says why and what to do."""


def run(host: str, port: int, data_dir: Path, seed: int, *, fresh: bool = False, reload: bool = False) -> int:
    """Everything from an empty folder to a page in the browser, until Ctrl-C or SIGTERM."""
    _end_by_any_signal()
    _check_port(host, port)
    data_dir = data_dir.expanduser().absolute()
    os.environ["GRAPEVINE_DATA_DIR"] = str(data_dir)
    os.environ.setdefault("GRAPEVINE_BASE_URL", f"http://localhost:{port}")
    settings.cache_clear()
    try:
        with _only_demo_of(data_dir):
            if fresh:
                _begin_anew(data_dir)
            with _servers(data_dir):
                asyncio.run(_fill(seed))
                return _serve(host, port, data_dir, reload)
    except KeyboardInterrupt:
        return 0


def _end_by_any_signal() -> None:
    """Ctrl-C, a supervisor's stop and a closed terminal are one thing; also where a shell had us ignore Ctrl-C."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotRun(
                f"Port {port} on {host} cannot be used ({os.strerror(error.errno or 0).lower()}). "
                f"Choose another one: --port {port + 1}"
            ) from error
        except OverflowError as error:
            raise CannotRun(f"{port} is not a port; a port is a number from 1 to 65535.") from error


@contextlib.contextmanager
def _only_demo_of(data_dir: Path) -> Iterator[None]:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = (data_dir / "demo.lock").open("a")
    except OSError as error:
        raise CannotRun(f"{data_dir} cannot be written ({error.strerror}). Choose another one: --data DIR") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotRun(f"A demo is running on {data_dir} already. Stop it first, or use --data DIR.") from error
        try:
            yield
        finally:
            (data_dir / "demo.lock").unlink(missing_ok=True)


def _begin_anew(data_dir: Path) -> None:
    if settings().database_url:
        raise CannotRun("--fresh empties only the embedded database, and GRAPEVINE_DATABASE_URL names another one.")
    if embedded.users(data_dir):
        raise CannotRun(f"Another program is using {data_dir}. Stop it before --fresh.")
    embedded.forget(data_dir)
    for name in OURS:
        path = data_dir / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _servers(data_dir: Path) -> Iterator[None]:
    if settings().database_url:
        yield
        return
    with _step("Starting PostgreSQL and Valkey"):
        use = embedded.servers(data_dir)
        urls = use.__enter__()
    try:
        os.environ["GRAPEVINE_DATABASE_URL"] = urls.database_url
        os.environ.setdefault("GRAPEVINE_REDIS_URL", urls.redis_url)
        settings.cache_clear()
        yield
    finally:
        use.__exit__(None, None, None)


async def _fill(seed: int) -> None:
    await db.open(settings().database_url, max_size=8)
    try:
        with _step("Preparing the database"):
            if not await migrate.is_at_head():
                await migrate.migrate()
        await _seed(seed)
    finally:
        await valkey.close()
        await db.close()


async def _seed(seed: int) -> None:
    from app import features  # only here: half the house, with all who listen to what happens in it
    from demo.seed import seed as fill

    assert features
    with _bar("Filling the community") as progress:
        await fill(seed, progress)


def _serve(host: str, port: int, data_dir: Path, reload: bool) -> int:
    command = [sys.executable, "-m", "app"]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}".replace("0.0.0.0", "127.0.0.1")
    began = time.monotonic()
    return supervise.run(
        [
            supervise.Child("web", [*command, "serve", "--host", host, "--port", str(port)]),
            supervise.Child("worker", [*command, "worker"]),
        ],
        record=data_dir / "tree.json",
        is_ready=lambda: _answers(f"{address}/readyz"),
        on_ready=lambda: _welcome(time.monotonic() - began),
        has_changed=_watcher() if reload else None,
    )


def _answers(url: str) -> bool:
    """Whether pages can be read. Jobs may still wait: the month that was just filled in left some to do."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            checks = json.load(answer)
    except urllib.error.HTTPError as not_ready:
        with not_ready, contextlib.suppress(ValueError):
            checks = json.load(not_ready)
            return checks.get("database") is True and checks.get("migrations") is True
        return False
    except (OSError, ValueError):
        return False
    return bool(checks["ready"])


def _welcome(seconds: float) -> None:
    base = settings().base_url
    console.print(f"Web and worker are up ({seconds:.1f} s).")
    console.print(f"\n  Grapevine is at [bold]{base}[/]   the demo shop at [bold]{base}/demo-shop[/]\n")
    for handle, who in LOGINS:
        console.print(f"  {handle:<8} {PASSWORD}   {who}")
    console.print("\nCtrl-C stops everything.")
    sys.stdout.flush()


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    began = time.monotonic()
    if console.is_terminal:
        with console.status(f"{what} ..."):
            yield
    else:
        yield
    console.print(f"{what}: {time.monotonic() - began:.1f} s")


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A function to call with what is being done, how far it is, and of how many."""
    began = time.monotonic()
    if console.is_terminal:
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(what)
            yield lambda now, done, total: bar.update(task, description=f"{what}: {now}", completed=done, total=total)
    else:
        yield _plain_lines(what)
    console.print(f"{what}: {time.monotonic() - began:.1f} s")


def _plain_lines(what: str) -> Callable[[str, int, int], None]:
    said = ""

    def tell(now: str, done: int, total: int) -> None:
        nonlocal said
        if now != said:
            said = now
            console.print(f"{what}: {now} ({done}/{total})")

    return tell


def _watcher() -> Callable[[], bool]:
    """Whether a source file was written since the last question."""
    folders = [ROOT / name for name in ("app", "community", "storefront", "content", "referrals", "search", "frontend")]

    def newest() -> float:
        return max(file.stat().st_mtime for folder in folders for file in folder.rglob("*.py"))

    seen = newest()

    def has_changed() -> bool:
        nonlocal seen
        now = newest()
        changed, seen = now > seen, now
        return changed

    return has_changed
