"""Every figure we state, taken in one run beside a limit of the same machine.

A fresh data directory, durable PostgreSQL, the demo community, one web process and one worker; wrk and the chat load
run on the other core. Peers and limits run in the same minutes, because shared machines are noisy: compare ratios.
Chat is measured beside its own peers, with servers of its own (tests/load/chat_bench.py).
"""

import argparse
import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
from rich.console import Console
from rich.table import Table

from tests.load import chat_bench, earn_seen, kills, webhooks

ROOT = Path(__file__).parents[2]
CONNECTIONS = 64
PAGE_CONNECTIONS = 16
# Whose link the visitors follow.
OWNER = "linwei"
MIXED_REQUESTS = 10_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs: a look, not a figure to quote")
    seconds = 2 if parser.parse_args().quick else 8
    from app import embedded

    with tempfile.TemporaryDirectory(prefix="gv-bench-") as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        urls = running.enter_context(embedded.servers(Path(folder)))
        environment = {
            **os.environ,
            "GRAPEVINE_DATABASE_URL": urls.database_url,
            "GRAPEVINE_REDIS_URL": urls.redis_url,
            "GRAPEVINE_DATA_DIR": folder,
            "GRAPEVINE_ENV": "demo",
        }
        os.environ.update(environment)
        figures = asyncio.run(_prepare(folder))
        figures |= _measure(environment, seconds)
    chat = chat_bench.run(seconds=seconds)
    _show(figures)
    chat_bench.show(chat)
    figures["chat"] = chat
    _write(figures)


async def _prepare(folder: str) -> dict[str, Any]:
    """Schema and demo content, timed."""
    from app import db, features, migrate
    from app.settings import settings
    from demo.seed import seed

    assert features
    settings.cache_clear()
    await db.open(settings().database_url)
    started = time.perf_counter()
    await migrate.migrate()
    migrated = time.perf_counter()
    await seed(1, lambda *said: None)
    filled = time.perf_counter()
    await db.close()
    return {"migrate_s": migrated - started, "seed_s": filled - migrated}


def _measure(environment: dict[str, str], seconds: int) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    with _limit_server() as limit:
        figures["raw ASGI limit"] = _wrk(f"{limit}/", seconds, CONNECTIONS)
    port = _free_port()
    started = time.perf_counter()
    with _program(
        ["-m", "app", "serve", "--port", str(port)], {**environment, "GRAPEVINE_BASE_URL": f"http://127.0.0.1:{port}"}
    ) as web:
        base = f"http://127.0.0.1:{port}"
        _wait_for(f"{base}/healthz")
        figures["web_start_s"] = time.perf_counter() - started
        with _program(["-m", "app", "worker"], environment) as worker:
            paths = asyncio.run(_paths())
            for name, path in paths.items():
                connections = CONNECTIONS if name == "redirect" else PAGE_CONNECTIONS
                figures[name] = _wrk(base + path, seconds, connections)
            cookie = _session(base)
            for name in ("topic page", "product page"):
                figures[f"{name}, signed in"] = _wrk(base + paths[name], seconds, PAGE_CONNECTIONS, cookie)
            owner = _session(base, OWNER)
            figures["click on an open /earn"] = asyncio.run(earn_seen.run(base, paths["redirect"], owner))
            figures["webhooks at 200/s"] = asyncio.run(webhooks.run(environment, base, seconds))
            memory, sent = {0: _resident(web)}, 0
            for _ in range(3):
                sent += _mixed(base, list(paths.values()))
                memory[sent] = _resident(web)
            figures["web_memory_mb_after_mixed_requests"] = memory
            figures["worker_memory_mb"] = _resident(worker)
    figures["second_start_s"] = _second_start(environment)
    code = paths["redirect"].removeprefix("/r/")
    figures["redirect under kill -9"] = asyncio.run(kills.run(environment, code, 3 if seconds < 5 else 20))
    return figures


async def _paths() -> dict[str, str]:
    """A long topic, a much-reviewed product, a common search word and a live link of the demo."""
    from app import db
    from app.settings import settings

    await db.open(settings().database_url)
    topic = await db.fetch_one(
        """SELECT g.slug, t.id, t.slug AS topic FROM topic t JOIN groups g ON g.id = t.group_id
            WHERE g.visibility = 'public' AND t.post_count >= 20 ORDER BY t.post_count DESC LIMIT 1"""
    )
    topic = topic or await db.fetch_one(
        """SELECT g.slug, t.id, t.slug AS topic FROM topic t JOIN groups g ON g.id = t.group_id
            WHERE g.visibility = 'public' ORDER BY t.post_count DESC LIMIT 1"""
    )
    product = await db.fetch_val(
        "SELECT p.slug FROM product p JOIN review r ON r.product_id = p.id GROUP BY p.id ORDER BY count(*) DESC LIMIT 1"
    )
    code = await db.fetch_val(
        """SELECT l.code FROM link l JOIN member m ON m.id = l.owner_id
            WHERE m.handle = $1 AND l.disabled_at IS NULL AND l.store_id IS NOT NULL ORDER BY l.id LIMIT 1""",
        OWNER,
    )
    await db.close()
    assert topic is not None
    return {
        "topic page": f"/g/{topic['slug']}/t/{topic['id']}-{urllib.request.quote(topic['topic'])}",
        "product page": f"/p/{urllib.request.quote(product)}",
        "search": "/search?q=trail",
        "redirect": f"/r/{code}",
    }


def _session(base: str, member: str = "mara") -> str:
    """A signed-in member's cookie: their pages are rendered anew for every request."""
    with httpx.Client(base_url=base) as browser:
        token = re.search(r'name="_csrf" value="([0-9a-f]+)"', browser.get("/login").text)[1]  # type: ignore[index]
        browser.post("/login", data={"login": member, "password": "grapevine-demo", "_csrf": token})
        return f"gv_session={browser.cookies['gv_session']}"


def _wrk(url: str, seconds: int, connections: int, cookie: str = "") -> dict[str, float]:
    """Requests/s and latencies of one address, after a short warm-up."""
    headers = ["-H", f"User-Agent: {kills.AGENT.decode()}", "-H", "Accept-Language: en"]
    headers += ["-H", f"Cookie: {cookie}"] if cookie else []
    subprocess.run(["wrk", "-t1", f"-c{connections}", "-d1s", *headers, url], capture_output=True, check=True)
    said = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *headers, url],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return {
        "per_second": float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]),  # type: ignore[index]
        "p50_ms": _milliseconds(re.search(r"\n\s+50%\s+(\S+)", said)[1]),  # type: ignore[index]
        "p99_ms": _milliseconds(re.search(r"\n\s+99%\s+(\S+)", said)[1]),  # type: ignore[index]
        "errors": int(bad[1]) if bad else 0,
    }


def _milliseconds(text: str) -> float:
    """wrk says "-nanus" when not one request came back in time: that is for ever."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    return float(found[1]) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60_000}[found[2]] if found else float("inf")


def _mixed(base: str, paths: list[str]) -> int:
    """At least MIXED_REQUESTS over all pages in turn, redirects and errors too; how many there were."""
    sent = 0
    while sent < MIXED_REQUESTS:
        for path in [*paths, "/no-such-page"]:
            said = subprocess.run(
                ["wrk", "-t1", "-c16", "-d1s", base + path], capture_output=True, check=True, text=True
            )
            sent += int(re.search(r"(\d+) requests in", said.stdout)[1])  # type: ignore[index]
    return sent


def _resident(process: subprocess.Popen) -> float:
    """Resident MB of a process and its children."""
    tree = psutil.Process(process.pid)
    return round(sum(p.memory_info().rss for p in [tree, *tree.children(recursive=True)]) / 2**20, 1)


def _second_start(environment: dict[str, str]) -> float:
    """From the command to a page that answers, with the database already there."""
    port = _free_port()
    started = time.perf_counter()
    with _program(["-m", "app", "serve", "--port", str(port)], environment):
        _wait_for(f"http://127.0.0.1:{port}/readyz")
        return time.perf_counter() - started


@contextmanager
def _limit_server() -> Iterator[str]:
    port = _free_port()
    command = [
        "-m",
        "uvicorn",
        "tests.load.limit:answer",
        "--port",
        str(port),
        "--no-access-log",
        "--log-level",
        "error",
    ]
    with _program(command, dict(os.environ)):
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _program(words: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen]:
    process = subprocess.Popen([sys.executable, *words], env=environment, cwd=ROOT)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=1)
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"{url} did not answer within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _show(figures: dict[str, Any]) -> None:
    table = Table("what", "per second", "of the limit", "p50 ms", "p99 ms", "errors")
    limit = figures["raw ASGI limit"]["per_second"]
    for name, figure in figures.items():
        if isinstance(figure, dict) and "per_second" in figure:
            row = (f"{figure['per_second']:,.0f}", f"{figure['per_second'] / limit:.0%}")
            table.add_row(
                name, *row, f"{figure['p50_ms']:.1f}", f"{figure['p99_ms']:.1f}", str(figure.get("errors", 0))
            )
    console = Console()
    console.print(table)
    for name, figure in figures.items():
        if not (isinstance(figure, dict) and "per_second" in figure):
            console.print(f"{name}: {figure}")


def _write(figures: dict[str, Any]) -> None:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT
    ).stdout.strip()
    folder = ROOT / "var" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    file = folder / f"{now:%Y-%m-%dT%H%M}-{commit or 'no-commit'}.json"
    file.write_text(json.dumps({"commit": commit, "date": now.isoformat(timespec="seconds"), **figures}, indent=2))
    print(file.relative_to(ROOT))


if __name__ == "__main__":
    main()
