"""How long until the last of a thousand viewers sees what a host holds up, and what it costs the database.

    python -m tests.load.stage                      servers of its own, 1,000 lines, twelve pins
    python -m tests.load.stage --sockets 200 --pins 5

A viewer counts when its line brought the new stage with the product in it. Times run from the host's request to the
last viewer, in this one process; `statements` are all that the database ran for a pin, whoever looked.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.load.chat_bench import ROOT, _counting_database, _ours, _raise_file_limit
from tests.load.crowd import seat
from tests.load.doors import call, cpu_of, sign_up, take_tickets
from tests.load.sockets import Socket, Tally
from tests.load.storm import _statements

REST_SECONDS = 1.0
PATIENCE = 30.0


class Viewer(Socket):
    """A line that looks for one word in the stages it is sent."""

    wanted = b"\0"

    def take(self, opcode: int, payload: bytes) -> None:
        if payload.startswith(b'{"type":"stage"') and self.wanted in payload:
            self.tally.events += 1
            if self.tally.events >= self.tally.due:
                self.tally.on_due()
        else:
            super().take(opcode, payload)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--pins", type=int, default=12)
    options = parser.parse_args()
    _raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="gv-stage-") as folder:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        with _counting_database(Path(folder)) as environment:
            _stock_a_shop(Path(folder), environment, options.pins)
            with _ours(environment) as (base, web):
                figures = asyncio.run(_measure(options, base, web.pid, environment["GRAPEVINE_DATABASE_URL"]))
    print(json.dumps(figures))


def _stock_a_shop(folder: Path, environment: dict[str, str], products: int) -> None:
    store = ["store", "create", "--slug", "shop", "--name", "Shop", "--origin", "https://shop.example"]
    lines = [
        {"id": f"P{number}", "title": f"Thing {number:03}", "url": f"https://shop.example/p/{number}", "price": "12.00"}
        for number in range(products)
    ]
    file = folder / "products.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    for words in (store, ["import", "products", str(file), "--store", "shop"]):
        subprocess.run(
            [sys.executable, "-m", "app", *words], env=environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )


async def _measure(options: argparse.Namespace, base: str, pid: int, database: str) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    (host,) = await loop.run_in_executor(None, sign_up, base, 1)
    soon = f"{datetime.now(UTC) + timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}"
    event = call(base, "POST", "/live-events", {"title": "Everything at once", "starts_at": soon}, host)
    door = f"/live-events/{event['slug']}"
    call(base, "PUT", f"{door}/state", {"state": "live"}, host)
    tally = Tally()
    viewers = await seat(database, [], options.sockets)
    tickets = await loop.run_in_executor(None, take_tickets, base, viewers)
    place, lines = urlsplit(base), []
    for ticket in tickets:
        _transport, line = await loop.create_connection(
            lambda ticket=ticket: Viewer(tally, place.netloc, ticket, {event["room"]: {}}, is_sampled=True),  # type: ignore[misc]
            place.hostname or "",
            place.port or 80,
        )
        lines.append(line)
    while tally.ready < options.sockets:
        await asyncio.sleep(0.05)
    took, answered, asked, busy = [], [], [], []
    for number in range(options.pins):
        await asyncio.sleep(REST_SECONDS)
        title = f"Thing {number:03}"
        for line in lines:
            line.wanted = title.encode()
        everybody = loop.create_future()
        tally.events, tally.due = 0, options.sockets
        tally.on_due = lambda done=everybody: done.done() or done.set_result(None)  # type: ignore[misc]
        before, cpu, began = await _statements(database), cpu_of(pid), time.monotonic()
        new = {"product": title.lower().replace(" ", "-")}
        made = asyncio.create_task(asyncio.to_thread(call, base, "POST", f"{door}/pins", new, host))
        made.add_done_callback(lambda _made, began=began: answered.append(time.monotonic() - began))  # type: ignore[misc]
        async with asyncio.timeout(PATIENCE):
            await everybody
        took.append(time.monotonic() - began)
        await made
        busy.append(cpu_of(pid) - cpu)
        asked.append(await _statements(database) - before)
    return {
        "sockets": options.sockets,
        "pins": options.pins,
        "last_viewer_ms_median": round(sorted(took)[len(took) // 2] * 1000),
        "last_viewer_ms_max": round(max(took) * 1000),
        "host_answered_ms_median": round(sorted(answered)[len(answered) // 2] * 1000),
        "statements_a_pin": sorted(asked)[len(asked) // 2],
        "server_cpu_ms_a_pin": round(sum(busy) / len(busy) * 1000),
        "bytes_a_viewer_and_pin": round(tally.bytes / options.sockets / options.pins),
        "closed": tally.closed,
    }


if __name__ == "__main__":
    main()
