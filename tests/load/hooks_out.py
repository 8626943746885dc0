"""How fast what happens in a room goes out to one address, in order, one after the other.

python -m tests.load.hooks_out [--messages 500]     with servers of its own
"""

import argparse
import asyncio
import json
import os
import ssl
import subprocess
import tempfile
import time
import uuid
from functools import partial
from pathlib import Path
from typing import Any


async def run(folder: Path, messages: int) -> dict[str, Any]:
    from app import db, http, migrate
    from app.settings import settings
    from community.bots import jobs as bots
    from community.webhooks import sending

    await db.open(settings().database_url)
    await migrate.migrate()
    found: dict[str, Any] = {}
    for scheme in ("http", "https"):
        server, port, heard = await _a_receiver(_own_tls(folder) if scheme == "https" else None)
        sending.fetch = partial(http.fetch, allow_local=True, resolver=_here)
        trusting = _trusting(folder)
        http._tls = lambda trusting=trusting: trusting
        endpoint_id, say = await _a_told_room(f"{scheme}://hooks.example:{port}/")
        for n in range(messages):
            await say(f"word {n}")
        sending.RUN_SECONDS = 600
        began, worked = time.perf_counter(), time.process_time()
        await bots.send_room_events(str(endpoint_id).encode())
        took, worked = time.perf_counter() - began, time.process_time() - worked
        assert [message["data"]["event"]["body"] for message in heard] == [f"word {n}" for n in range(messages)]
        found[scheme] = {
            "per_second": round(messages / took),
            "ms_of_this_core_each": round(worked / messages * 1000, 2),
            "connections": server.connections,
        }
        server.close()
    await db.close()
    return found


async def _a_told_room(url: str) -> tuple[int, Any]:
    from app import db
    from community.bots.jobs import SOURCE
    from community.chat import service as chat
    from community.webhooks.service import add
    from tests.factories import a_group, a_member

    alice = await a_member()
    slug = await a_group(alice)
    endpoint_id, _secret = await add(
        alice.viewer, SOURCE, await SOURCE.access(alice.viewer, slug), url, ["message.created"]
    )
    room_id = await db.fetch_val("SELECT r.id FROM room r JOIN groups g ON g.id = r.group_id WHERE g.slug = $1", slug)
    return endpoint_id, lambda body: chat.send(alice.viewer, room_id, uuid.uuid4(), body)


async def _a_receiver(tls: ssl.SSLContext | None) -> tuple[Any, int, list[dict[str, Any]]]:
    heard: list[dict[str, Any]] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                size = int(head.split("content-length: ")[1].split("\r\n")[0])
                heard.append(json.loads(await reader.readexactly(size)))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server: Any = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    server = _Counted(server)
    return server, server.port, heard


class _Counted:
    def __init__(self, server: asyncio.Server) -> None:
        self._server, self.connections = server, 0
        self.port = server.sockets[0].getsockname()[1]

    def close(self) -> None:
        self._server.close()


async def _here(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def _own_tls(folder: Path) -> ssl.SSLContext:
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=hooks.example -addext".split()
    files = ["subjectAltName=DNS:hooks.example", "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run(command + files, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def _trusting(folder: Path) -> ssl.SSLContext:
    certificate = folder / "cert.pem"
    return ssl.create_default_context(cafile=str(certificate) if certificate.exists() else None)


def main() -> None:
    from app import embedded
    from app.settings import settings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=500)
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory(prefix="gv-hooks-") as folder:
        Path(folder).chmod(0o755)  # root's PostgreSQL is another user's
        with embedded.servers(Path(folder)) as urls:
            os.environ |= {
                "GRAPEVINE_DATABASE_URL": urls.database_url,
                "GRAPEVINE_REDIS_URL": urls.redis_url,
                "GRAPEVINE_DATA_DIR": folder,
                "GRAPEVINE_ENV": "demo",
            }
            settings.cache_clear()
            print(json.dumps(asyncio.run(run(Path(folder), messages)), indent=1))


if __name__ == "__main__":
    main()
