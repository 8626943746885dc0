"""Chat beside a bare `ws` server and a socket.io server: the same client, the same room, the same core, in turns.

    python -m tests.load.chat_bench [--quick] [--json]

Servers run on the first core and clients on the last (PostgreSQL and Valkey wherever there is room), so a machine with
one core measures nothing. The peers keep nothing and render nothing; ours has committed every message to PostgreSQL,
with synchronous commit, before anybody hears it.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.load.crowd import seat
from tests.load.doors import found_rooms, sign_up

ROOT = Path(__file__).parents[2]
PEERS = Path(__file__).parent / "peers"
CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
WINDOWS = (4, 32)
FILES = 16_384
MOST_LINES = 5000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs: a look, not a figure to quote")
    parser.add_argument("--only", default="", help="some of: peers rate acks idle storm")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures = run(seconds=2 if options.quick else 6, only=options.only.split())
    if options.json:
        print(json.dumps(figures))
    else:
        show(figures)


def run(*, seconds: float, only: list[str] | None = None) -> dict[str, Any]:
    """All chat figures, with servers of their own."""
    wanted = set(only or ["peers", "rate", "acks", "idle", "storm"])
    _raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="gv-chat-") as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        environment = running.enter_context(_counting_database(Path(folder)))
        base, web = running.enter_context(_ours(environment))
        figures: dict[str, Any] = {"cores": len(CORES), "node": _node_version()}
        # Once: nobody may sign up or found groups very often.
        rooms = found_rooms(base, sign_up(base), 50)
        database = environment["GRAPEVINE_DATABASE_URL"]
        # A member for each line: what is kept and asked of a member is kept and asked as often as there are lines.
        people = {"--tokens": _crowd(Path(folder, "people"), database, rooms[:1], MOST_LINES), "room": rooms[0]}
        ours = {"--base": base, "--pid": web.pid, **people}
        if "peers" in wanted:
            figures["room"] = _beside_peers(ours, seconds)
        if "rate" in wanted:
            figures["10 a second"] = _load(**ours, mode="open", sockets=200, rate=10, seconds=seconds)
        if "acks" in wanted:
            figures["acks, one room"] = _load(**ours, mode="acks", sockets=50, window=2, seconds=seconds)
            everywhere = {"--tokens": _crowd(Path(folder, "talkers"), database, rooms, 100), "room": ",".join(rooms)}
            figures["acks, 50 rooms"] = _load(
                **{**ours, **everywhere}, mode="acks", sockets=100, window=2, seconds=seconds
            )
        # Fresh processes: what a crowd has left in the memory of the others would be counted here.
        if "idle" in wanted:
            with _ours(environment) as (fresh, process):
                figures["idle"] = _load(
                    **{"--base": fresh, "--pid": process.pid}, **people, mode="idle", sockets=MOST_LINES, seconds=2
                )
        if "storm" in wanted:
            with _ours(environment) as (fresh, process):
                figures["storm"] = _load(
                    **{"--base": fresh},
                    **people,
                    mode="storm",
                    sockets=2000,
                    database=database,
                )
    return figures


def _crowd(file: Path, database: str, rooms: list[str], members: int) -> Path:
    """A file with the tokens of so many new members of these rooms."""
    file.write_text("\n".join(asyncio.run(seat(database, rooms, members))))
    return file


def _beside_peers(ours: dict[str, Any], seconds: float) -> list[dict[str, Any]]:
    """200 and 1,000 members in one room, a socket each; each server is alone on its core while it is measured."""
    rows = []
    peers = _peers()
    for sockets in (200, 1000):
        for window in WINDOWS:
            for name in ("grapevine", *peers):
                with _peer(peers[name]) if name in peers else _nobody(ours) as server:
                    said = _load(
                        **server, dialect="ours" if name == "grapevine" else name,
                        mode="closed", sockets=sockets, window=window, seconds=seconds,
                    )  # fmt: skip
                    rows.append({"server": name, **said})
    return rows


def _peers() -> dict[str, Path]:
    """The peers this machine can run; it is said plainly when it cannot."""
    if _node() is None:
        print("no node: chat is measured without its peers", file=sys.stderr)
        return {}
    if not all((ROOT / "node_modules" / name).is_dir() for name in ("ws", "socket.io")):
        print("ws and socket.io are not installed (npm ci): chat is measured without its peers", file=sys.stderr)
        return {}
    return {"ws": PEERS / "ws.mjs", "socket.io": PEERS / "socketio.mjs"}


def _load(**given: Any) -> dict[str, Any]:
    """One run of the client on its own core."""
    words = [sys.executable, "-m", "tests.load.chat_load"]
    for name, value in given.items():
        words += [name if name.startswith("--") else f"--{name}", str(value)]
    said = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, preexec_fn=_on(CORES[-1:]))
    if said.returncode or not said.stdout.strip():
        return {"error": (said.stderr or said.stdout).strip().splitlines()[-1:]}
    return json.loads(said.stdout.strip().splitlines()[-1])


@contextmanager
def _counting_database(folder: Path) -> Iterator[dict[str, str]]:
    """Durable servers of our own that count their statements, with our schema."""
    from app import embedded

    with embedded.servers(folder) as urls:
        environment = {
            **os.environ,
            "GRAPEVINE_DATABASE_URL": urls.database_url,
            "GRAPEVINE_REDIS_URL": urls.redis_url,
            "GRAPEVINE_DATA_DIR": str(folder),
            "GRAPEVINE_ENV": "demo",
        }
        subprocess.run([sys.executable, "-m", "app", "migrate"], env=environment, cwd=ROOT, check=True)
        asyncio.run(_tell(urls.database_url, "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'"))
    # It reads which libraries to load when it starts.
    with embedded.servers(folder) as urls:
        asyncio.run(_tell(urls.database_url, "CREATE EXTENSION pg_stat_statements"))
        yield environment


async def _tell(url: str, statement: str) -> None:
    import asyncpg

    line = await asyncpg.connect(url)
    await line.execute(statement)
    await line.close()


@contextmanager
def _ours(environment: dict[str, str]) -> Iterator[tuple[str, subprocess.Popen]]:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    words = [sys.executable, "-m", "app", "serve", "--port", str(port)]
    with _program(words, {**environment, "GRAPEVINE_BASE_URL": base}, port) as process:
        yield base, process


@contextmanager
def _peer(script: Path) -> Iterator[dict[str, Any]]:
    port = free_port()
    with _program([_node() or "node", str(script), str(port)], dict(os.environ), port) as process:
        yield {"--base": f"http://127.0.0.1:{port}", "--pid": process.pid}


@contextmanager
def _nobody(ours: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield ours


@contextmanager
def _program(words: list[str], environment: dict[str, str], port: int) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen(words, env=environment, cwd=ROOT, preexec_fn=_on(CORES[:1]))
    try:
        _wait_for(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _wait_for(port: int, process: subprocess.Popen) -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise SystemExit(f"{process.args} did not answer within 30 s")


def _on(cores: list[int]) -> Any:
    if len(CORES) < 2:
        return None
    return lambda: os.sched_setaffinity(0, cores)


def _raise_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    if wanted < FILES:
        print(f"only {wanted} open files are allowed here: 5,000 sockets may not fit", file=sys.stderr)


def _node() -> str | None:
    return os.environ.get("NODE") or shutil.which("node")


def _node_version() -> str | None:
    node = _node()
    return subprocess.run([node, "--version"], capture_output=True, text=True).stdout.strip() if node else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def show(figures: dict[str, Any]) -> None:
    console = Console(width=120)
    table = Table(
        "sockets",
        "window",
        "server",
        "deliveries/s",
        "of ws",
        "of socket.io",
        "p50 ms",
        "p99 ms",
        "in a frame",
        "per cpu s",
    )
    rows = figures.get("room", [])
    for row in rows:
        if "error" in row:
            table.add_row("", "", row["server"], "failed")
            console.print(row["error"])
        else:
            table.add_row(*_cells(row, rows))
    if rows:
        console.print(table)
    for name, figure in figures.items():
        if name != "room":
            console.print(f"{name}: {figure}")


def _cells(row: dict[str, Any], rows: list[dict[str, Any]]) -> list[str]:
    place = (row["sockets"], row["window"])
    here = {other["server"]: other for other in rows if (other.get("sockets"), other.get("window")) == place}
    ratios = [
        f"{row['deliveries_per_s'] / here[peer]['deliveries_per_s']:.2f} x" if peer in here else "-"
        for peer in ("ws", "socket.io")
    ]
    # What it delivers for a second of its processor: other work on the machine weighs less on this one.
    cpu = f"{row['deliveries_per_s'] / max(1, row['server_cpu']) * 100:,.0f}"
    latencies = [str(row["delivery_ms_p50"]), str(row["delivery_ms_p99"])]
    return [*map(str, place), row["server"], f"{row['deliveries_per_s']:,}", *ratios, *latencies,
            str(row["events_per_frame"]), cpu]  # fmt: skip


if __name__ == "__main__":
    main()
