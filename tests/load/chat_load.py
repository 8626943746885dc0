"""Load on a chat room of a running server: deliveries a second, their latency, and acknowledged sends.

    python -m tests.load.chat_load --base http://127.0.0.1:8000 --sockets 500 --mode closed
    python -m tests.load.chat_load --base http://127.0.0.1:8000 --token gv_… --room 7 --sockets 500 --mode closed
    python -m tests.load.chat_load … --mode open --rate 20          latency at a fixed rate, and what went missing
    python -m tests.load.chat_load … --mode acks --sockets 50 --rooms 50    sends a second, acknowledged after commit
    python -m tests.load.chat_load … --mode idle --sockets 5000 --pid PID   memory of a socket that only listens
    python -m tests.load.chat_load … --mode storm --sockets 2000            all lines cut, all back: until when?

closed: the next message goes out when all sockets have the one `--window` before it (the most the server can deliver).
open:   `--rate` messages a second, whatever happens.
acks:   every socket sends to its room and keeps `--window` sends unanswered.

Give one token, or several (`--token A,B`, or `--tokens FILE`, one a line); sockets take turns, each through a ticket.
The members must belong to the rooms' groups. Without a token it signs up four, and with `--database URL` it seats as
many members as sockets; without a room it founds groups. `members` says how many different ones the sockets were.
`--dialect ws|socket.io` speaks to the peers of tests/load/peers/ instead, which know neither members nor groups.
Times are taken in this one process, so clocks cannot disagree.
Prints one JSON object; `client_cpu` near 100 means this program, not the server, was the limit.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.load import storm
from tests.load.crowd import seat
from tests.load.doors import cpu_of, found_rooms, memory_of, quantiles, sign_up, take_tickets, turns
from tests.load.sockets import Socket, SocketIo, Tally

AT_ONCE = 100


async def connect(options: argparse.Namespace, tally: Tally) -> list[Socket]:
    every = max(1, options.sockets // options.sampled)
    sockets: list[Socket] = []
    for start in range(0, options.sockets, AT_ONCE):
        tickets = await tickets_for(options, start, min(AT_ONCE, options.sockets - start))
        for number, ticket in enumerate(tickets, start):
            rooms = {options.rooms[number % len(options.rooms)]: {}}
            sockets.append(await open_socket(options, tally, ticket, rooms, is_sampled=number % every == 0))
    await until(lambda: tally.ready >= options.sockets, f"not all of {options.sockets} sockets were welcomed")
    return sockets


async def tickets_for(options: argparse.Namespace, first: int, count: int) -> list[str]:
    if options.dialect != "ours":
        return [""] * count
    tokens = turns(options.tokens, first, count)
    return await asyncio.get_running_loop().run_in_executor(None, take_tickets, options.base, tokens)


async def open_socket(
    options: argparse.Namespace, tally: Tally, ticket: str, rooms: dict[str, dict], *, is_sampled: bool
) -> Socket:
    place = urlsplit(options.base)
    made = SocketIo if options.dialect == "socket.io" else Socket
    _transport, socket = await asyncio.get_running_loop().create_connection(
        lambda: made(tally, place.netloc, ticket, rooms, is_sampled=is_sampled), place.hostname, place.port
    )
    return socket


async def until(is_so: Callable[[], bool], otherwise: str, seconds: float = 30) -> None:
    for _ in range(int(seconds * 100)):
        if is_so():
            return
        await asyncio.sleep(0.01)
    sys.exit(otherwise)


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
        tally.due = (said - options.window + 1) * len(sockets)

    tally.on_due = when_all_have_it
    for _ in range(options.window):
        say_next()
    tally.due = (said - options.window + 1) * len(sockets)
    return []


async def measure(options: argparse.Namespace) -> dict:
    if options.mode == "storm":
        return await storm.measure(options)
    tally, empty = Tally(), memory_of(options.pid) if options.pid else 0
    sockets = await connect(options, tally)
    await asyncio.sleep(1)
    if options.mode == "idle":
        await asyncio.sleep(options.seconds)
        each = (memory_of(options.pid) - empty) / len(sockets) / 1024
        return {"mode": "idle", **who(options), "kb_each": round(each, 1), "closed": tally.closed}
    talking = start_talking(options, tally, sockets)
    await asyncio.sleep(options.warm)
    del tally.latencies[:], tally.ack_latencies[:]
    events, frames, acks, started, cpu = tally.events, tally.frames, tally.acks, time.monotonic(), time.process_time()
    server, received = cpu_of(options.pid), tally.bytes
    await asyncio.sleep(options.seconds)
    seconds = time.monotonic() - started
    result = {
        "mode": options.mode,
        **who(options),
        "window" if options.mode != "open" else "rate": options.window if options.mode != "open" else options.rate,
        "deliveries_per_s": round((tally.events - events) / seconds),
        "messages_per_s": round((tally.events - events) / seconds / len(sockets) * len(options.rooms)),
        "events_per_frame": round((tally.events - events) / max(1, tally.frames - frames), 1),
        "mb_per_s": round((tally.bytes - received) / seconds / 1e6, 1),
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
    tally.due = sys.maxsize
    for socket in sockets:
        socket.on_ack = lambda: None
    if options.mode == "open":
        await asyncio.sleep(2)
        said = tally.acks + sum(len(socket.sent_at) for socket in sockets)
        result["missing"] = said * len(sockets) - tally.events
    return result


def who(options: argparse.Namespace) -> dict:
    """How many lines, and how many different members hold them."""
    members = min(options.sockets, len(set(options.tokens))) if options.dialect == "ours" else None
    return {"sockets": options.sockets, "members": members}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", "--url", default="http://127.0.0.1:8000")
    parser.add_argument("--dialect", choices=["ours", "ws", "socket.io"], default="ours")
    parser.add_argument("--token", default="", help="API tokens, comma-separated")
    parser.add_argument("--tokens", type=Path, help="a file of API tokens, one a line")
    parser.add_argument("--room", default="", help="room ids, comma-separated; sockets are spread over them")
    parser.add_argument("--rooms", type=int, default=1, help="how many rooms to found when none is named")
    parser.add_argument("--sockets", type=int, default=200)
    parser.add_argument("--senders", type=int, default=4)
    parser.add_argument("--mode", choices=["closed", "open", "acks", "idle", "storm"], default="closed")
    parser.add_argument("--window", type=int, default=4)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--warm", type=float, default=1)
    parser.add_argument("--size", type=int, default=200, help="characters of a message")
    parser.add_argument("--sampled", type=int, default=20, help="about how many sockets note latencies")
    parser.add_argument("--pid", type=int, default=0, help="the server's process, for its CPU and memory")
    parser.add_argument("--database", default="", help="its database: to seat members and count a storm's statements")
    parser.add_argument("--json", action="store_true", help="one JSON object, as always")
    options = parser.parse_args()
    options.tokens = options.tokens.read_text().split() if options.tokens else options.token.split(",")
    if options.room:
        options.rooms = options.room.split(",")
    elif options.dialect == "ours":
        is_crowd = options.tokens == [""] and options.database
        options.tokens = options.tokens if options.tokens != [""] else sign_up(options.base)
        options.rooms = found_rooms(options.base, options.tokens, options.rooms)
        if is_crowd:
            # One more than there are sockets: of a storm one stays and talks.
            options.tokens = asyncio.run(seat(options.database, options.rooms, options.sockets + 1))
    else:
        options.rooms = [str(number) for number in range(options.rooms)]
    with suppress(ImportError):
        import uvloop

        uvloop.install()
    print(json.dumps(asyncio.run(measure(options))), flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
