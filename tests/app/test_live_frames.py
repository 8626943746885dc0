"""A text to many sockets is framed once, and what goes to the line is what uvicorn would have written."""

import asyncio
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode

from app import live_frames
from app.protocols import LiveProtocol

pytestmark = pytest.mark.anyio

HANDSHAKE = (
    b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


class Wire(asyncio.Transport):
    """Bytes that a line wrote."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.is_gone = False

    def write(self, data: Any) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.is_gone

    def close(self) -> None:
        self.is_gone = True


async def a_line() -> tuple[LiveProtocol, Wire, Any]:
    """A line of the installed uvicorn after its handshake, with the ASGI `send` its application got."""
    got: asyncio.Future = asyncio.get_running_loop().create_future()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        got.set_result(send)
        await asyncio.Event().wait()

    config = Config(application, lifespan="off", ws_per_message_deflate=False, log_config=None)
    config.load()
    line, wire = LiveProtocol(config, ServerState(), {}), Wire()
    line.connection_made(wire)
    line.data_received(HANDSHAKE)
    return line, wire, await got


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
async def test_a_framed_text_is_what_websockets_would_write(size: int):
    text = "é" * (size // 2) + "x" * (size % 2)
    assert live_frames.framed(text) == Frame(Opcode.TEXT, text.encode()).serialize(mask=False)


async def test_a_line_of_this_uvicorn_takes_finished_frames():
    line, wire, send = await a_line()
    found = live_frames.line_of(send)
    assert found is line, "uvicorn looks different inside: every frame goes the slow way now"
    assert live_frames.write(found, "hello") and wire.written[-1] == b"\x81\x05hello"
    await send({"type": "websocket.send", "text": "again", "bytes": None})
    assert wire.written[-1] == b"\x81\x05again"


async def test_a_line_that_is_slow_closing_or_gone_goes_the_usual_way():
    line, wire, send = await a_line()
    written = len(wire.written)
    line.pause_writing()
    assert not live_frames.write(line, "slow")
    line.resume_writing()
    wire.is_gone = True
    assert not live_frames.write(line, "gone")
    wire.is_gone = False
    assert len(wire.written) == written
    await send({"type": "websocket.close", "code": 1012, "reason": "restart"})
    written = len(wire.written)
    assert not live_frames.write(line, "after goodbye") and len(wire.written) == written


async def test_another_server_gets_no_shortcut():
    async def send(message: Any) -> None: ...

    assert live_frames.line_of(send) is None
