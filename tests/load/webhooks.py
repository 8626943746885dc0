"""A shop's rush: 200 signed orders a second at the webhook door, each timed from the moment it was due; then one
message 64 times at once, which must have one effect.

    python -m tests.load.webhooks [--seconds 10]     with servers of its own; bin/bench runs it beside the rest
"""

import argparse
import asyncio
import itertools
import json
import os
import re
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from standardwebhooks.webhooks import Webhook

PER_SECOND = 200
AT_ONCE = 64
SLUG = "rush"
_numbers = itertools.count(1)


async def run(environment: dict[str, str], base: str, seconds: int) -> dict[str, Any]:
    secret = await _a_store(environment["GRAPEVINE_DATABASE_URL"])
    lines = [await Line.open(base) for _ in range(AT_ONCE)]
    await asyncio.gather(*(line.send(*_message(secret)) for line in lines))
    told = await _rush(lines, secret, seconds)
    event_id, message = _message(secret)
    answers = await asyncio.gather(*(line.send(event_id, message) for line in lines))
    for line in lines:
        line.close()
    waits = sorted(wait for wait, _ in told)
    return {
        "per_second": len(told) / seconds,
        "p50_ms": waits[len(waits) // 2] * 1000,
        "p99_ms": waits[int(len(waits) * 0.99)] * 1000,
        "errors": sum(status != 202 for _, status in told),
        "replays_at_once": AT_ONCE,
        "replays_taken": answers.count(202),
        "replays_known": answers.count(200),
        "effects": await _effects(environment["GRAPEVINE_DATABASE_URL"], event_id),
    }


class Line:
    """One kept connection of the shop. Bare, because a comfortable client costs more than the door it measures."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str) -> None:
        self._reader, self._writer, self._host = reader, writer, host

    @classmethod
    async def open(cls, base: str) -> "Line":
        address = urlsplit(base)
        return cls(*await asyncio.open_connection(address.hostname, address.port), address.netloc)

    async def send(self, event_id: str, message: bytes) -> int:
        """The status of the answer."""
        self._writer.write(f"POST /webhooks/{SLUG} HTTP/1.1\r\nHost: {self._host}\r\n".encode() + message)
        head = await self._reader.readuntil(b"\r\n\r\n")
        size = re.search(rb"(?i)content-length: (\d+)", head)
        await self._reader.readexactly(int(size[1]) if size else 0)
        return int(head[9:12])

    def close(self) -> None:
        self._writer.close()


async def _rush(lines: list[Line], secret: str, seconds: int) -> list[tuple[float, int]]:
    """Due at its moment whether or not the one before was answered: a slow door cannot slow the shop down."""
    due: asyncio.Queue[float | None] = asyncio.Queue()
    told: list[tuple[float, int]] = []

    async def tell(line: Line) -> None:
        while (moment := await due.get()) is not None:
            status = await line.send(*_message(secret))
            told.append((time.perf_counter() - moment, status))

    telling = [asyncio.create_task(tell(line)) for line in lines]
    began = time.perf_counter()
    for number in range(PER_SECOND * seconds):
        moment = began + number / PER_SECOND
        await asyncio.sleep(max(0, moment - time.perf_counter()))
        due.put_nowait(moment)
    for _ in lines:
        due.put_nowait(None)
    await asyncio.gather(*telling)
    return told


def _message(secret: str) -> tuple[str, bytes]:
    """Its id, and the rest of the request from its headers on."""
    number, at = next(_numbers), datetime.now(UTC)
    lines = [{"id": str(n), "product_id": f"P{n}", "title": "A thing", "gross": 1_000 + n} for n in range(3)]
    order = {"id": f"R{number}", "currency": "USD", "paid_at": at.isoformat(), "lines": lines,
             "customer": {"id": f"c{number % 500}", "email": f"buyer{number % 500}@example.org"},
             "updated_at": at.isoformat()}  # fmt: skip
    body = json.dumps({"type": "order.paid", "timestamp": at.isoformat(), "data": order})
    event_id = f"rush-{number}"
    signature = Webhook(secret).sign(event_id, at, body)
    head = (
        f"webhook-id: {event_id}\r\nwebhook-timestamp: {int(at.timestamp())}\r\nwebhook-signature: {signature}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return event_id, (head + body).encode()


async def _a_store(database_url: str) -> str:
    from app import db
    from storefront.stores.schemas import NewStore
    from storefront.stores.service import open_store

    await db.open(database_url)
    opened = await open_store(NewStore(SLUG, "Rush", "generic", "USD", "https://rush.example"))
    await db.close()
    return opened.secret


async def _effects(database_url: str, event_id: str) -> int:
    """What the replayed message left: messages kept, or orders once the worker has read it."""
    from app import db

    await db.open(database_url)
    kept = await db.fetch_val("SELECT count(*) FROM inbox WHERE event_id = $1", event_id)
    orders = await db.fetch_val(
        "SELECT count(*) FROM orders WHERE external_id = $1", "R" + event_id.removeprefix("rush-")
    )
    await db.close()
    return max(kept, orders)


def main() -> None:
    from app import embedded, migrate
    from app.settings import settings
    from tests.load.bench import _free_port, _program, _wait_for

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=10)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory(prefix="gv-rush-") as folder:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        with embedded.servers(Path(folder)) as urls:
            environment = {
                **os.environ,
                "GRAPEVINE_DATABASE_URL": urls.database_url,
                "GRAPEVINE_REDIS_URL": urls.redis_url,
                "GRAPEVINE_DATA_DIR": folder,
                "GRAPEVINE_ENV": "demo",
            }
            os.environ.update(environment)
            settings.cache_clear()
            asyncio.run(_migrate(urls.database_url, migrate))
            port = _free_port()
            with (
                _program(["-m", "app", "serve", "--port", str(port)], environment),
                _program(["-m", "app", "worker"], environment),
            ):
                _wait_for(f"http://127.0.0.1:{port}/healthz")
                print(json.dumps(asyncio.run(run(environment, f"http://127.0.0.1:{port}", seconds)), indent=1))


async def _migrate(url: str, migrate: Any) -> None:
    from app import db, features

    assert features
    await db.open(url)
    await migrate.migrate()
    await db.close()


if __name__ == "__main__":
    main()
