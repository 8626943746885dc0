"""Somebody's server that hears our webhooks, and judges them with the official library."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from standardwebhooks.webhooks import Webhook

from app.http import fetch
from community.webhooks import sending

Reply = tuple[int, bytes] | tuple[int, bytes, dict[str, str]]


class Receiver:
    """`heard` is what came, in order: (headers, body). `answer` says what is answered."""

    def __init__(self, port: int) -> None:
        self.url = f"http://hooks.example:{port}/grapevine"
        self.heard: list[tuple[dict[str, str], bytes]] = []
        self.answer: Callable[[dict[str, Any]], Reply] = lambda message: (200, b"ok")

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.heard]

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.heard]

    def verify(self, secret: str) -> None:
        """Each message, as any receiver would; raises when one is not ours."""
        for headers, body in self.heard:
            Webhook(secret).verify(body, headers)


@asynccontextmanager
async def a_receiver(monkeypatch: Any) -> AsyncIterator[Receiver]:
    """It stands on the internet under a name, as far as our sender is told."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _sign, value in (line.partition(": ") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        receiver.heard.append((headers, body))
        status, content, *more = receiver.answer(json.loads(body))
        extra = "".join(f"{name}: {value}\r\n" for name, value in (more[0] if more else {}).items())
        lead = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close\r\n{extra}\r\n"
        writer.write(lead.encode() + content)
        await writer.drain()
        writer.close()

    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver = Receiver(server.sockets[0].getsockname()[1])
    # A worker stays a moment for what comes next; a test has said all it says.
    monkeypatch.setattr(sending, "LINGER_SECONDS", 0)
    monkeypatch.setattr(sending, "fetch", partial(fetch, allow_local=True, resolver=resolver))
    async with server:
        yield receiver
