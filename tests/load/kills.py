"""Visitors follow a link while the web process is killed at random moments: was anybody sent on by a click we lost?

python -m tests.load.kills --kills 20        (a database of its own; bin/bench runs it too)
"""

import argparse
import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

ROOT = Path(__file__).parents[2]
VISITORS = 64
AGENT = b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"


async def run(environment: dict[str, str], code: str, kills: int) -> dict[str, Any]:
    """How many 302s the visitors saw, and how many of their clicks are in the books."""
    seen: list[UUID] = []
    port = _free_port()
    for _kill in range(kills):
        web = _serve(port, environment)
        try:
            await _until_open(port)
            visitors = [asyncio.create_task(_visit(port, code, seen)) for _ in range(VISITORS)]
            await asyncio.sleep(random.uniform(0.2, 1.5))
            web.kill()
            await asyncio.gather(*visitors)
        finally:
            web.kill()
            web.wait()
    return {"kills": kills, "redirects_seen": len(seen), "clicks_lost": len(seen) - await _in_the_books(seen)}


def _serve(port: int, environment: dict[str, str]) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-m", "app", "serve", "--port", str(port)], env=environment, cwd=ROOT)


async def _visit(port: int, code: str, seen: list[UUID]) -> None:
    """One visitor on one connection, again and again until the server is gone."""
    with suppress(OSError, asyncio.IncompleteReadError):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        with suppress(OSError, asyncio.IncompleteReadError):
            while True:
                writer.write(b"GET /r/%s HTTP/1.1\r\nHost: x\r\nUser-Agent: %s\r\n\r\n" % (code.encode(), AGENT))
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                where = next((line[10:] for line in head.splitlines() if line.lower().startswith("location: ")), None)
                if where is None or " 302" not in head[:14]:
                    raise SystemExit(f"no redirect: {head}")
                seen.append(UUID(parse_qs(urlsplit(where).query)["gv"][0]))
        writer.close()


async def _in_the_books(seen: list[UUID]) -> int:
    from app import db
    from app.settings import settings

    await db.open(settings().database_url)
    try:
        found = 0
        for start in range(0, len(seen), 10_000):
            found += await db.fetch_val(
                "SELECT count(*) FROM click WHERE id = ANY($1::uuid[])", seen[start : start + 10_000]
            )
        return found
    finally:
        await db.close()


async def _until_open(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(OSError):
            _reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise SystemExit("the web process did not come up within 30 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


async def _a_link() -> str:
    from app import db, migrate
    from app.settings import settings
    from community.members.schemas import NewMember
    from community.members.service import join
    from referrals.links.service import make_personal_link

    await db.open(settings().database_url)
    await migrate.migrate()
    member_id = await join(NewMember("mara", "mara@example.org", "correct horse battery"))
    link = await make_personal_link(member_id, "mara")
    await db.close()
    return link["code"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    from app import embedded

    with tempfile.TemporaryDirectory(prefix="gv-kills-") as folder:
        Path(folder).chmod(0o755)
        with embedded.servers(Path(folder)) as urls:
            os.environ |= {
                "GRAPEVINE_DATABASE_URL": urls.database_url,
                "GRAPEVINE_REDIS_URL": urls.redis_url,
                "GRAPEVINE_DATA_DIR": folder,
            }
            code = asyncio.run(_a_link())
            print(json.dumps(asyncio.run(run(dict(os.environ), code, kills))))


if __name__ == "__main__":
    main()
