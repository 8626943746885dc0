"""The least of a WebSocket client, for thousands in one process: it says hello, counts what comes, and can send.

The client must be cheaper than the servers it measures. So a socket that is not `is_sampled` looks at no event: it hops
from frame to frame and counts marks in what came.
"""

import asyncio
import base64
import json
import os
import re
import sys
import time
import uuid
from array import array
from collections.abc import Callable

SENT_AT = re.compile(rb'"body":"t=(\d{16});')
MARK = b'"body":"t='
# Acks, welcomes and pings are shorter than any event of ours.
SHORTEST_EVENTS = 126


def now_us() -> int:
    return time.monotonic_ns() // 1000


class Tally:
    """What all sockets of this run have seen together."""

    def __init__(self) -> None:
        self.ready = self.events = self.frames = self.bytes = self.acks = self.refused = self.closed = 0
        self.latencies, self.ack_latencies = array("q"), array("q")
        self.due = sys.maxsize
        self.on_due: Callable[[], None] = lambda: None
        self.on_closed: Callable[[Socket], None] = lambda socket: None


class Socket(asyncio.Protocol):
    """One line in our own protocol, which the bare `ws` peer speaks too."""

    def __init__(self, tally: Tally, host: str, ticket: str, rooms: dict[str, dict], *, is_sampled: bool) -> None:
        self.tally, self.host, self.rooms, self.is_sampled = tally, host, rooms, is_sampled
        self.path = f"/live?ticket={ticket}"
        self.pending, self.is_open, self.sent_at = b"", False, {}
        self.is_detailed = True
        self.seqs: dict[str, int] = {}
        self.on_ack: Callable[[], None] = lambda: None
        self.on_welcome: Callable[[dict], None] = lambda welcome: None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.tally.closed += 1
        self.tally.on_closed(self)

    def data_received(self, data: bytes) -> None:
        buffer = self.pending + data if self.pending else data
        if not self.is_open:
            head, found, rest = buffer.partition(b"\r\n\r\n")
            if not found:
                self.pending = buffer
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self.no_socket(head)
                return
            self.is_open, buffer = True, rest
            self.opened()
        end = self.hop(buffer)
        tally = self.tally
        tally.bytes += end
        tally.events += buffer.count(MARK, 0, end)
        self.pending = buffer[end:]
        if tally.events >= tally.due:
            tally.on_due()

    def no_socket(self, head: bytes) -> None:
        sys.exit(f"no socket: {head.split(chr(13).encode())[0].decode()}")

    def hop(self, buffer: bytes) -> int:
        """Go over the whole frames in it, looking at those that say more than an event; where they end."""
        position, size, frames = 0, len(buffer), 0
        while size - position >= 2:
            length, start = buffer[position + 1] & 127, position + 2
            if length == 126:
                length, start = int.from_bytes(buffer[start : start + 2], "big"), start + 2
            elif length == 127:
                length, start = int.from_bytes(buffer[start : start + 8], "big"), start + 8
            if start + length > size:
                break
            if self.is_detailed or length < SHORTEST_EVENTS:
                self.take(buffer[position] & 15, buffer[start : start + length])
            frames += length >= SHORTEST_EVENTS
            position = start + length
        self.tally.frames += frames
        return position

    def opened(self) -> None:
        self.send({"type": "hello", "rooms": self.rooms})

    def take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.write(10, payload)
        elif opcode == 8:
            self.close_code = int.from_bytes(payload[:2], "big")
        elif payload.startswith(b'{"type":"events"'):
            self.sample(payload)
        elif payload.startswith(b'{"type":"ack"'):
            self.acked(json.loads(payload)["client_id"])
        elif payload.startswith(b'{"type":"welcome"'):
            self.welcomed(json.loads(payload))
        elif payload.startswith(b'{"type":"error"'):
            self.refused(payload)

    def sample(self, payload: bytes) -> None:
        now = now_us()
        self.tally.latencies.extend(now - int(at) for at in SENT_AT.findall(payload))

    def acked(self, client_id: str) -> None:
        self.tally.acks += 1
        self.tally.ack_latencies.append(now_us() - self.sent_at.pop(client_id))
        self.on_ack()

    def welcomed(self, welcome: dict) -> None:
        self.tally.ready += 1
        self.is_detailed = self.is_sampled
        self.on_welcome(welcome)

    def refused(self, payload: bytes) -> None:
        self.tally.refused += 1
        if self.tally.refused == 1:
            print(payload.decode(), file=sys.stderr)

    def say(self, padding: str) -> None:
        client_id = str(uuid.uuid4())
        self.sent_at[client_id] = now_us()
        body = f"t={now_us():016d};{padding}"
        self.speak({"type": "send", "room": next(iter(self.rooms)), "client_id": client_id, "body": body})

    def speak(self, said: dict) -> None:
        self.send(said)

    def send(self, frame: dict) -> None:
        self.write(1, json.dumps(frame).encode())

    def write(self, opcode: int, payload: bytes) -> None:
        # Masked with zeros: a client must mask, nobody says with what.
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
        self.transport.write(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + payload)


class SocketIo(Socket):
    """The same line in socket.io's protocol (Engine.IO 4 over a WebSocket)."""

    def __init__(self, *given, **named) -> None:
        super().__init__(*given, **named)
        self.path = "/socket.io/?EIO=4&transport=websocket"

    def opened(self) -> None:
        """The server speaks first here."""

    def take(self, opcode: int, payload: bytes) -> None:
        if opcode == 1 and payload.startswith(b'42["events"'):
            self.sample(payload)
        elif payload.startswith(b"43"):
            self.acked(json.loads(payload[payload.index(b"[") :])[0]["client_id"])
        elif payload.startswith(b'42["welcome"'):
            self.welcomed({})
        elif payload.startswith(b"40"):
            self.write(1, b"42" + json.dumps(["hello", {"rooms": self.rooms}]).encode())
        elif payload.startswith(b"0"):
            self.write(1, b"40")
        elif payload == b"2":
            self.write(1, b"3")

    def speak(self, said: dict) -> None:
        number = len(self.sent_at) + self.tally.acks
        self.write(1, f"42{number}".encode() + json.dumps(["send", said]).encode())
