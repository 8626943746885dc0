"""A small proxy between a browser and a server, with a wall for sockets that can be put up and taken away."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Wall:
    """What becomes of sockets: "refuse" their upgrade, "swallow" it, let it through and then be "mute", or "" nothing.

    It holds for sockets that are there already, too.
    """

    def __init__(self) -> None:
        self.against_sockets = "refuse"
        self.met = 0

    @property
    def is_mute(self) -> bool:
        return self.against_sockets == "mute"


@asynccontextmanager
async def a_proxy(target: int) -> AsyncIterator[tuple[int, Wall]]:
    """Requests pass; upgrades meet the wall."""
    wall = Wall()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_socket: bool) -> None:
        try:
            is_shaken = not is_socket
            while data := await reader.read(65536):
                if is_shaken and is_socket and wall.is_mute:
                    continue
                # The handshake is one answer with an empty body; what follows are frames.
                is_shaken = is_shaken or b"\r\n\r\n" in data
                writer.write(data)
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        is_socket = bool(re.search(rb"(?i)^upgrade: *websocket", head, re.MULTILINE))
        if is_socket and wall.against_sockets:
            wall.met += 1
        if is_socket and wall.against_sockets == "refuse":
            writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            writer.close()
            return
        if is_socket and wall.against_sockets == "swallow":
            # Until the browser gives up.
            while await reader.read(65536):
                pass
            writer.close()
            return
        if not is_socket:
            # One request to a connection, so that each head is seen.
            head = re.sub(rb"(?i)^connection:.*?\r\n", b"", head, flags=re.MULTILINE)
            head = head[:-2] + b"Connection: close\r\n\r\n"
        there, onward = await asyncio.open_connection("127.0.0.1", target)
        onward.write(head)
        await asyncio.gather(
            pump(reader, onward, is_socket=False), pump(there, writer, is_socket=is_socket), return_exceptions=True
        )

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], wall
