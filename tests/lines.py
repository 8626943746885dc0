"""Live sockets for tests: driven in this process through ASGI, or over TCP against a real server."""

import asyncio
import json
import os
import signal
import socket
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

PATIENCE = 30
_open: "set[Line]" = set()


async def hang_up() -> None:
    """Whoever is still on the line when a test is over goes."""
    while _open:
        line = _open.pop()
        if not line.serving.done():
            line.is_reading.set()
            await line.to_server.put({"type": "websocket.disconnect", "code": 1001})
            _done, deaf = await asyncio.wait([line.serving], timeout=2)
            for task in deaf:
                task.cancel()


class Line:
    """One socket on the ASGI application itself; what the server sent waits in `got`."""

    def __init__(self, application: Callable) -> None:
        self.application = application
        self.to_server: asyncio.Queue = asyncio.Queue()
        self.from_server: asyncio.Queue = asyncio.Queue()
        self.is_accepted = False
        self.close_code: int | None = None
        # Cleared, it is a reader that does not read: the server's send waits, as uvicorn's does.
        self.is_reading = asyncio.Event()
        self.is_reading.set()

    async def open(
        self, *, cookie: str = "", origin: str | None = "http://test.example", ticket: str = "", member: str = ""
    ) -> "Line":
        headers = [(b"host", b"test.example")]
        headers += [(b"cookie", cookie.encode())] if cookie else []
        headers += [(b"origin", origin.encode())] if origin is not None else []
        asked = {"ticket": ticket, "member": member}
        scope = {
            "type": "websocket", "path": "/live", "raw_path": b"/live", "headers": headers, "subprotocols": [],
            "query_string": urlencode([(k, v) for k, v in asked.items() if v]).encode(), "scheme": "ws", "state": {},
        }  # fmt: skip
        await self.to_server.put({"type": "websocket.connect"})
        self.serving = asyncio.create_task(self.application(scope, self.to_server.get, self._take))
        _open.add(self)
        first = await asyncio.wait_for(self.from_server.get(), PATIENCE)
        if first["type"] == "websocket.accept":
            self.is_accepted = True
        else:
            self.close_code = first["code"]
        return self

    async def send(self, kind: str, **frame: Any) -> None:
        await self.send_text(json.dumps({"type": kind, **frame}))

    async def send_text(self, text: str) -> None:
        await self.to_server.put({"type": "websocket.receive", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self.to_server.put({"type": "websocket.receive", "bytes": data})

    async def hello(self, room_id: str, **since: Any) -> dict:
        await self.send("hello", rooms={room_id: since})
        return await self.next("welcome", "error")

    async def say(self, room_id: str, body: str, client_id: str = "") -> str:
        client_id = client_id or str(uuid.uuid4())
        await self.send("send", room=room_id, client_id=client_id, body=body)
        return client_id

    async def next(self, *kinds: str, patience: float = PATIENCE) -> dict:
        """The next frame of one of these types (any, when none is named), leaving out presence."""
        while True:
            message = await asyncio.wait_for(self.from_server.get(), patience)
            if message["type"] == "websocket.close":
                self.close_code = message["code"]
                raise ConnectionError(f"closed with {self.close_code}")
            frame = json.loads(message["text"])
            if frame["type"] in kinds or (not kinds and frame["type"] != "presence"):
                return frame

    async def events(self, count: int) -> list[dict]:
        """The next `count` events, from however many frames."""
        found: list[dict] = []
        while len(found) < count:
            found += (await self.next("events"))["events"]
        return found

    async def hears_nothing(self, for_seconds: float = 0.3) -> bool:
        try:
            frame = await self.next("events", patience=for_seconds)
        except TimeoutError:
            return True
        except ConnectionError:
            return True
        raise AssertionError(f"heard {frame}")

    async def closes(self, patience: float = PATIENCE) -> int | None:
        """The code the server says goodbye with."""
        try:
            while True:
                await self.next(patience=patience)
        except ConnectionError:
            return self.close_code

    async def cut(self) -> None:
        """The line is gone without a word."""
        await self.to_server.put({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait_for(self.serving, PATIENCE)

    async def _take(self, message: dict) -> None:
        await self.is_reading.wait()
        await self.from_server.put(message)
        if message["type"] == "websocket.close":
            await self.to_server.put({"type": "websocket.disconnect", "code": message["code"]})


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@asynccontextmanager
async def a_real_server(port: int = 0, **settings: str) -> AsyncIterator[tuple[int, asyncio.subprocess.Process]]:
    """`grapevine serve` on a free port over the test's database; its port and process."""
    port = port or free_port()
    environment = {**os.environ, "GRAPEVINE_BASE_URL": f"http://127.0.0.1:{port}", **settings}
    command = (sys.executable, "-m", "app", "serve", "--port", str(port))
    process = await asyncio.create_subprocess_exec(*command, env=environment)
    try:
        for _ in range(1200):
            try:
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            except OSError:
                assert process.returncode is None, "the server ended"
                await asyncio.sleep(0.05)
        yield port, process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), 15)
            except TimeoutError:
                process.kill()
