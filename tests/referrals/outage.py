"""A real PostgreSQL of one's own to stop, and a real web process to kill."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import asyncpg
import httpx

from app import embedded
from tests.referrals.cast import CHROME

ROOT = Path(__file__).parents[2]


class Place:
    """A data directory with servers, schema and two links, and web processes on one port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.urls = embedded.ensure(folder, fast=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.base = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **os.environ,
            "GRAPEVINE_DATABASE_URL": self.urls.database_url,
            "GRAPEVINE_REDIS_URL": self.urls.redis_url,
            "GRAPEVINE_DATA_DIR": str(folder),
            "GRAPEVINE_BASE_URL": self.base,
            "GRAPEVINE_ENV": "demo",
        }

    def prepare(self) -> None:
        subprocess.run([sys.executable, "-m", "app", "migrate"], env=self.environment, cwd=ROOT, check=True)
        made = [sys.executable, "-m", "app", "member", "create", "--handle", "mara", "--email", "mara@example.org"]
        subprocess.run(made, env=self.environment, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        asyncio.run(self._make_links())

    async def _make_links(self) -> None:
        await self.sql(
            """INSERT INTO link (code, owner_id, target_kind, destination, placement, created_at)
               SELECT code, id, 'page', '/p/', code, now()
                 FROM member, unnest(ARRAY['shelf', 'drawer']) AS code WHERE handle = 'mara'"""
        )
        await self.sql(
            """INSERT INTO link_former_code (code, link_id, until)
               SELECT 'old-drawer', id, now() FROM link WHERE code = 'drawer'"""
        )

    def stop_servers(self) -> None:
        embedded.stop(self.folder)

    def start_servers(self) -> None:
        assert embedded.ensure(self.folder, fast=True) == self.urls

    @contextmanager
    def web(self) -> Iterator[subprocess.Popen]:
        process = subprocess.Popen(
            [sys.executable, "-m", "app", "serve", "--port", str(self.port)],
            env=self.environment,
            cwd=ROOT,
            stderr=(self.folder / "web.log").open("ab"),
        )
        try:
            self._wait_for_door()
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)

    def _wait_for_door(self) -> None:
        for _try in range(600):
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
        raise AssertionError((self.folder / "web.log").read_text()[-2000:])

    def click(self, code: str = "shelf") -> httpx.Response:
        with httpx.Client(base_url=self.base, timeout=15) as browser:
            return browser.get(f"/r/{code}", headers={"user-agent": CHROME, "accept-language": "en"})

    async def click_for_ever(self, seen: list[UUID]) -> None:
        """A visitor who clicks until the server is gone, noting each click it was sent on by."""
        with suppress(OSError, asyncio.IncompleteReadError):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            try:
                while True:
                    writer.write(b"GET /r/shelf HTTP/1.1\r\nHost: x\r\nUser-Agent: " + CHROME.encode() + b"\r\n\r\n")
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    assert head.startswith("HTTP/1.1 302"), head
                    where = next(line[10:] for line in head.splitlines() if line.lower().startswith("location: "))
                    seen.append(click_in(where))
            finally:
                writer.close()

    async def sql(self, query: str, *args: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.urls.database_url)
        try:
            return await connection.fetch(query, *args)
        finally:
            await connection.close()


def click_in(location: str) -> UUID:
    return UUID(parse_qs(urlsplit(location).query)["gv"][0])
