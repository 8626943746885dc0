"""A talker of the soak: an outbox by client id, one seq, a line that breaks all the time, and a witness of what came.

It does what <chat-room> does: after every cut it comes back, to any of the web processes, resumes from its seq, and
sends again what was not acked. Sometimes it repeats itself without need, stops reading for a while, or cuts its line.
"""

import asyncio
import random
import uuid
from array import array
from contextlib import suppress
from typing import Any

import msgspec

from tests.load.sockets import Socket, Tally
from tests.load.witness import Witness

WINDOW = 8
REPEATED = 0.01
PAUSE = 0.1
TRY_AGAIN_SECONDS = 0.3


class Told(msgspec.Struct):
    seq: int
    kind: str
    id: str = ""


class Frame(msgspec.Struct):
    type: str
    events: list[Told] = []
    client_id: str = ""
    seq: int = 0
    id: str = ""
    code: str = ""
    rooms: dict[str, dict[str, Any]] = {}


_decoder = msgspec.json.Decoder(Frame)


class Quota:
    """How many messages all talkers together still have to say."""

    def __init__(self, messages: int) -> None:
        self.left = messages

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


class Talker:
    def __init__(self, number: int, token: str, room: str, ports: list[int], quota: Quota, faults: Any) -> None:
        self.number, self.token, self.room, self.ports, self.quota = number, token, room, ports, quota
        self.faults = faults
        self.witness = Witness()
        self.outbox: dict[int, str] = {}
        self.said = 0
        self.acks: array[int] = array("q")
        self.changed_acks = 0
        self.epoch: str | None = None
        self.line: Line | None = None
        self.is_done = self.must_load = False

    # --- coming and going ---

    async def live(self) -> None:
        while not self.is_done:
            port = random.choice(self.ports)
            with suppress(OSError, ConnectionError, TimeoutError, asyncio.IncompleteReadError, msgspec.MsgspecError):
                async with asyncio.timeout(10):
                    if self.must_load:
                        await self.load_anew(port)
                    ticket = (await call(port, "POST", "/api/v1/live/ticket", self.token))["ticket"]
                    line = Line(self, port, ticket)
                    await asyncio.get_running_loop().create_connection(lambda line=line: line, "127.0.0.1", port)
                self.line = line
                await line.is_closed
            self.line = None
            await asyncio.sleep(PAUSE * random.random())

    def cut(self) -> None:
        if self.line is not None:
            self.line.is_cut = True
            self.line.transport.abort()

    async def stop_reading(self, seconds: float) -> None:
        line = self.line
        if line is not None:
            line.transport.pause_reading()
            await asyncio.sleep(seconds)
            with suppress(RuntimeError):
                line.transport.resume_reading()

    # --- talking ---

    def talk(self) -> None:
        while self.line is not None and len(self.outbox) < WINDOW and self.quota.take():
            self.outbox[self.said] = f"{self.number}/{self.said} " + "x" * 100
            self.acks.extend((0, 0))
            self.send(self.said)
            self.said += 1

    def send(self, number: int) -> None:
        if self.line is not None and self.line.is_welcome and (body := self.outbox.get(number)):
            client_id = str(uuid.UUID(int=self.number << 64 | number))
            self.line.send({"type": "send", "room": self.room, "client_id": client_id, "body": body})
            if random.random() < REPEATED:
                self.faults.count("message said twice")
                self.line.send({"type": "send", "room": self.room, "client_id": client_id, "body": body})

    def take(self, frame: Frame) -> None:
        match frame.type:
            case "events":
                for event in frame.events:
                    self.witness.hear(event.seq, int(event.id or 0))
            case "ack":
                self.acked(uuid.UUID(frame.client_id).int & (2**64 - 1), frame.seq, int(frame.id))
            case "welcome":
                self.epoch = frame.rooms[self.room]["epoch"]
                for number in list(self.outbox):
                    self.send(number)
                self.talk()
            case "resync":
                self.faults.count("resync")
                self.must_load = True
                self.cut()
            case "error" if frame.client_id:
                number = uuid.UUID(frame.client_id).int & (2**64 - 1)
                asyncio.get_running_loop().call_later(TRY_AGAIN_SECONDS, self.send, number)
            case "error":
                self.cut()

    def acked(self, number: int, seq: int, message_id: int) -> None:
        before = (self.acks[2 * number], self.acks[2 * number + 1])
        if before not in ((0, 0), (seq, message_id)):
            self.changed_acks += 1
        self.acks[2 * number], self.acks[2 * number + 1] = seq, message_id
        self.outbox.pop(number, None)
        self.talk()

    async def load_anew(self, port: int) -> None:
        """More was missed than a line tells: read the history."""
        found: dict[int, int] = {}
        seq = self.witness.seq
        while True:
            path = f"/api/v1/rooms/{self.room}/messages?after={seq}&kinds=all&limit=100"
            some = (await call(port, "GET", path, self.token))["items"]
            if not some:
                break
            found |= {event["seq"]: int(event.get("id") or 0) for event in some}
            seq = max(event["seq"] for event in some)
        self.witness.loaded_anew(seq, found)
        self.must_load = False

    def acks_by_number(self) -> list[tuple[int, int]]:
        return list(zip(self.acks[::2], self.acks[1::2], strict=True))


class Line(Socket):
    """One connection of a talker."""

    def __init__(self, talker: Talker, port: int, ticket: str) -> None:
        since = {"seq": talker.witness.seq, **({"epoch": talker.epoch} if talker.epoch else {})}
        super().__init__(Tally(), f"127.0.0.1:{port}", ticket, {talker.room: since}, is_sampled=True)
        self.talker = talker
        self.is_welcome = self.is_cut = False
        self.is_closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.is_closed.done():
            self.is_closed.set_result(None)

    def no_socket(self, head: bytes) -> None:
        self.transport.abort()

    def take(self, opcode: int, payload: bytes) -> None:
        # A line that was cut says nothing more, whatever had already come.
        if self.is_cut:
            return
        if opcode == 9:
            self.write(10, payload)
        elif opcode == 8:
            self.talker.faults.count(f"closed by the server with {int.from_bytes(payload[:2], 'big')}")
            self.transport.close()
        elif opcode == 1:
            self.talker.line = self
            frame = _decoder.decode(payload)
            self.is_welcome |= frame.type == "welcome"
            self.talker.take(frame)


async def call(port: int, method: str, path: str, token: str, body: dict | None = None) -> Any:
    """One request on a line of its own; what was answered, as JSON."""
    content = msgspec.json.encode(body) if body is not None else b""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n".encode()
            + content
        )
        answer = await reader.read()
    finally:
        writer.close()
    head, _, told = answer.partition(b"\r\n\r\n")
    if not head[9:10] == b"2":
        raise ConnectionError(head[:40].decode(errors="replace"))
    return msgspec.json.decode(told) if told else None
