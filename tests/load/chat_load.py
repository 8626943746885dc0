"""Load on a chat room of a running server: deliveries a second, their latency, and acknowledged sends.

    python tests/load/chat_load.py --base http://127.0.0.1:8000 --sockets 500 --mode closed
    python tests/load/chat_load.py --base http://127.0.0.1:8000 --token gv_… --room 7 --sockets 500 --mode closed
    python tests/load/chat_load.py … --mode open --rate 20          latency at a fixed rate, and what went missing
    python tests/load/chat_load.py … --mode acks --sockets 50 --room 7,8,9    sends a second, acknowledged after commit

closed: the next message goes out when all sockets have the one `--window` before it (the most the server can deliver).
open:   `--rate` messages a second, whatever happens.
acks:   every socket sends to its room and keeps `--window` sends unanswered.

Give one token, or several (`--token A,B`, or `--tokens FILE`, one a line); sockets take turns, each through a ticket.
The members must belong to the rooms' groups; without a room it signs up four members and founds a group itself.
Times are taken in this one process, so clocks cannot disagree.
Prints one JSON object; `client_cpu` near 100 means this program, not the server, was the limit.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import sys
import time
import urllib.request
import uuid
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

SENT_AT = re.compile(rb'"body":"t=(\d{16});')
MARK = b'"body":"t='


def now_us() -> int:
    return time.monotonic_ns() // 1000


class Tally:
    """What all sockets of this run have seen together."""

    def __init__(self) -> None:
        self.ready = self.events = self.frames = self.acks = self.refused = self.closed = 0
        self.latencies, self.ack_latencies = array("q"), array("q")
        self.on_events = lambda: None


class Socket(asyncio.Protocol):
    """The least of a WebSocket client: it says hello, counts what comes, and can send."""

    def __init__(self, tally: Tally, host: str, ticket: str, room: str, *, is_sampled: bool) -> None:
        self.tally, self.host, self.ticket, self.room, self.is_sampled = tally, host, ticket, room, is_sampled
        self.pending, self.is_open, self.sent_at = bytearray(), False, {}
        self.on_ack = lambda: None

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /live?ticket={self.ticket} HTTP/1.1\r\nHost: {self.host}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.tally.closed += 1

    def data_received(self, data: bytes) -> None:
        self.pending += data
        if not self.is_open:
            head, found, rest = bytes(self.pending).partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                sys.exit(f"no socket: {head.split(chr(13).encode())[0].decode()}")
            self.is_open, self.pending = True, bytearray(rest)
            self.send({"type": "hello", "rooms": {self.room: {}}})
        position, buffer = 0, self.pending
        while len(buffer) - position >= 2:
            length, start = buffer[position + 1] & 127, position + 2
            if length > 125:
                size = 2 if length == 126 else 8
                length, start = int.from_bytes(buffer[start : start + size], "big"), start + size
            if len(buffer) < start + length:
                break
            self.take(buffer[position] & 15, bytes(buffer[start : start + length]))
            position = start + length
        del buffer[:position]

    def take(self, opcode: int, payload: bytes) -> None:
        if opcode == 9:
            self.write(10, payload)
        elif payload.startswith(b'{"type":"events"'):
            self.tally.frames += 1
            self.tally.events += payload.count(MARK)
            if self.is_sampled:
                now = now_us()
                self.tally.latencies.extend(now - int(at) for at in SENT_AT.findall(payload))
            self.tally.on_events()
        elif payload.startswith(b'{"type":"ack"'):
            self.tally.acks += 1
            self.tally.ack_latencies.append(now_us() - self.sent_at.pop(json.loads(payload)["client_id"]))
            self.on_ack()
        elif payload.startswith(b'{"type":"welcome"'):
            self.tally.ready += 1
        elif payload.startswith(b'{"type":"error"'):
            self.tally.refused += 1
            if self.tally.refused == 1:
                print(payload.decode(), file=sys.stderr)

    def say(self, padding: str) -> None:
        client_id = str(uuid.uuid4())
        self.sent_at[client_id] = now_us()
        body = f"t={now_us():016d};{padding}"
        self.send({"type": "send", "room": self.room, "client_id": client_id, "body": body})

    def send(self, frame: dict) -> None:
        self.write(1, json.dumps(frame).encode())

    def write(self, opcode: int, payload: bytes) -> None:
        # Masked with zeros: a client must mask, nobody says with what.
        length = len(payload)
        size = bytes([0x80 | length]) if length < 126 else b"\xfe" + length.to_bytes(2, "big")
        self.transport.write(bytes([0x80 | opcode]) + size + b"\0\0\0\0" + payload)


def call(base: str, method: str, door: str, body: dict | None = None, token: str = "") -> dict:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{base}/api/v1{door}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def found_room(base: str) -> tuple[str, list[str]]:
    """A new group's room and the tokens of its four members, all through the public doors."""
    name, tokens = f"load-{os.urandom(4).hex()}", []
    for number in range(4):
        handle = f"{name}-{number}".replace("-", "_")
        password = os.urandom(12).hex()
        call(base, "POST", "/members", {"handle": handle, "email": f"{handle}@example.org", "password": password})
        tokens.append(call(base, "POST", "/tokens", {"login": handle, "password": password})["token"])
    group = call(base, "POST", "/groups", {"slug": name, "name": "Load"}, tokens[0])
    for token in tokens[1:]:
        call(base, "PUT", f"/groups/{name}/membership", token=token)
    return group["room_id"], tokens


def take_tickets(base: str, tokens: list[str], count: int) -> list[str]:
    def take(number: int) -> str:
        return call(base, "POST", "/live/ticket", token=tokens[number % len(tokens)])["ticket"]

    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(take, range(count)))


async def connect(options: argparse.Namespace, tally: Tally) -> list[Socket]:
    loop, place = asyncio.get_running_loop(), urlsplit(options.base)
    rooms, every = options.room.split(","), max(1, options.sockets // options.sampled)
    sockets: list[Socket] = []
    for start in range(0, options.sockets, 100):
        tickets = await loop.run_in_executor(
            None, take_tickets, options.base, options.tokens, min(100, options.sockets - start)
        )
        for number, ticket in enumerate(tickets, start):
            room, is_sampled = rooms[number % len(rooms)], number % every == 0
            _transport, socket = await loop.create_connection(
                lambda t=ticket, r=room, s=is_sampled: Socket(tally, place.netloc, t, r, is_sampled=s),
                place.hostname,
                place.port,
            )
            sockets.append(socket)
    for _ in range(300):
        if tally.ready >= options.sockets:
            return sockets
        await asyncio.sleep(0.1)
    sys.exit(f"only {tally.ready} of {options.sockets} sockets were welcomed")


def start_talking(options: argparse.Namespace, tally: Tally, sockets: list[Socket]) -> list[asyncio.Task]:
    padding = "x" * max(0, options.size - 20)
    senders = [sockets[n * len(sockets) // options.senders] for n in range(min(options.senders, len(sockets)))]
    said = 0

    def say_next() -> None:
        nonlocal said
        senders[said % len(senders)].say(padding)
        said += 1

    async def at_a_rate() -> None:
        started = time.monotonic()
        while True:
            say_next()
            await asyncio.sleep(max(0, started + said / options.rate - time.monotonic()))

    if options.mode == "open":
        return [asyncio.create_task(at_a_rate())]
    if options.mode == "acks":
        for socket in sockets:
            socket.on_ack = lambda socket=socket: socket.say(padding)
            for _ in range(options.window):
                socket.say(padding)
        return []

    def when_all_have_it() -> None:
        while tally.events >= (said - options.window + 1) * len(sockets):
            say_next()

    tally.on_events = when_all_have_it
    for _ in range(options.window):
        say_next()
    return []


async def measure(options: argparse.Namespace) -> dict:
    tally = Tally()
    sockets = await connect(options, tally)
    await asyncio.sleep(1)
    talking = start_talking(options, tally, sockets)
    await asyncio.sleep(options.warm)
    del tally.latencies[:], tally.ack_latencies[:]
    events, frames, acks, started, cpu = tally.events, tally.frames, tally.acks, time.monotonic(), time.process_time()
    server = cpu_of(options.pid)
    await asyncio.sleep(options.seconds)
    seconds = time.monotonic() - started
    result = {
        "mode": options.mode,
        "sockets": len(sockets),
        "window" if options.mode != "open" else "rate": options.window if options.mode != "open" else options.rate,
        "deliveries_per_s": round((tally.events - events) / seconds),
        "messages_per_s": round((tally.events - events) / seconds / len(sockets) * len(options.room.split(","))),
        "events_per_frame": round((tally.events - events) / max(1, tally.frames - frames), 1),
        "acks_per_s": round((tally.acks - acks) / seconds),
        **quantiles("delivery_ms", tally.latencies),
        **quantiles("ack_ms", tally.ack_latencies),
        "client_cpu": round(100 * (time.process_time() - cpu) / seconds),
        "server_cpu": round(100 * (cpu_of(options.pid) - server) / seconds) if options.pid else None,
        "refused": tally.refused,
        "closed": tally.closed,
    }
    for task in talking:
        task.cancel()
    tally.on_events = lambda: None
    for socket in sockets:
        socket.on_ack = lambda: None
    if options.mode == "open":
        await asyncio.sleep(2)
        said = tally.acks + sum(len(socket.sent_at) for socket in sockets)
        result["missing"] = said * len(sockets) - tally.events
    return result


def quantiles(name: str, values: array) -> dict[str, float | None]:
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        f"{name}_{key}": round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1000, 1) if ordered else None
        for key, part in at.items()
    }


def cpu_of(pid: int) -> float:
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", "--url", default="http://127.0.0.1:8000")
    parser.add_argument("--token", default="", help="API tokens, comma-separated")
    parser.add_argument("--tokens", type=Path, help="a file of API tokens, one a line")
    parser.add_argument("--room", default="", help="room ids, comma-separated; sockets are spread over them")
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--mode", choices=["closed", "open", "acks"], default="closed")
    parser.add_argument("--window", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--warm", type=float, default=1)
    parser.add_argument("--size", type=int, default=200, help="characters of a message")
    parser.add_argument("--sampled", type=int, default=50, help="about how many sockets note latencies")
    parser.add_argument("--pid", type=int, default=0, help="the server's process, for its CPU")
    parser.add_argument("--json", action="store_true", help="one JSON object, as always")
    options = parser.parse_args()
    options.tokens = options.tokens.read_text().split() if options.tokens else options.token.split(",")
    if not options.room:
        options.room, options.tokens = found_room(options.base)
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    print(json.dumps(asyncio.run(measure(options))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
