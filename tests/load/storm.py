"""A reconnect storm: every line of a room is cut, words are said meanwhile, and all come back in the same moment.

How long until each of them has every word, and how many statements did the database run for it? Programs need a ticket
before they come back: what those cost is counted too, and said beside it. Pages come by their cookie and need none.
"""

import argparse
import asyncio
import re
import time
from typing import Any
from urllib.parse import urlsplit

from tests.load.doors import take_tickets, turns
from tests.load.sockets import Socket, Tally

MISSED = 20
SEQ = re.compile(rb'"seq":(\d+),"kind"')
PATIENCE = 60


class Back(Socket):
    """A line that knows how far it was told."""

    reached = 0
    target = 0

    def sample(self, payload: bytes) -> None:
        self.reach(int(SEQ.findall(payload)[-1]))

    def welcomed(self, welcome: dict) -> None:
        super().welcomed(welcome)
        ((room, stand),) = welcome["rooms"].items()
        self.epoch = stand["epoch"]
        self.reached = self.rooms[room].get("seq", stand["seq"])

    def reach(self, seq: int) -> None:
        was_back = self.is_back
        self.reached = seq
        if self.is_back and not was_back:
            self.tally.ready_again += 1  # type: ignore[attr-defined]

    @property
    def is_back(self) -> bool:
        return 0 < self.target <= self.reached


async def measure(options: argparse.Namespace) -> dict:
    tally = Tally()
    room = options.rooms[0]
    sockets = await _come(options, tally, [{room: {}}] * (options.sockets + 1))
    await _until(lambda: tally.ready > options.sockets)
    stays = sockets.pop()
    seqs = [socket.reached for socket in sockets]
    epoch = sockets[0].epoch
    members = turns(options.tokens, 0, options.sockets)
    before_tickets = await _statements(options.database)
    tickets = await asyncio.get_running_loop().run_in_executor(None, take_tickets, options.base, members)
    for_tickets = await _statements(options.database) - before_tickets
    for socket in sockets:
        socket.transport.abort()
    for _ in range(MISSED):
        stays.say("x" * (options.size - 20))
    await _until(lambda: tally.acks >= MISSED and tally.closed >= options.sockets)
    target = max(seqs) + MISSED
    await asyncio.sleep(1)

    before, again = await _statements(options.database), Tally()
    again.ready_again = 0  # type: ignore[attr-defined]
    began = time.monotonic()
    back = await _come(options, again, [{room: {"seq": seq, "epoch": epoch}} for seq in seqs], tickets, target)
    await _until(lambda: again.ready_again >= options.sockets, lambda: f"{again.ready_again} are back")  # type: ignore[attr-defined]
    took = time.monotonic() - began
    after = await _statements(options.database)
    assert all(socket.is_back for socket in back)
    return {
        "mode": "storm",
        "sockets": options.sockets,
        "members": len(set(members)),
        "missed_each": MISSED,
        "all_up_to_date_s": round(took, 2),
        "statements_per_client": round((after - before) / options.sockets, 3) if options.database else None,
        "statements_per_ticket": round(for_tickets / options.sockets, 3) if options.database else None,
        "closed": again.closed,
    }


async def _come(
    options: argparse.Namespace,
    tally: Tally,
    hellos: list[dict[str, dict]],
    tickets: list[str] | None = None,
    target: int = 0,
) -> list[Back]:
    """All of them at once when they have their tickets."""
    place, loop = urlsplit(options.base), asyncio.get_running_loop()

    async def come(ticket: str, hello: dict[str, dict]) -> Back:
        _transport, socket = await loop.create_connection(
            lambda: Back(tally, place.netloc, ticket, hello, is_sampled=True), place.hostname, place.port
        )
        socket.target = target
        return socket

    sockets: list[Back] = []
    at_once = 100 if tickets is None else len(hellos)
    for start in range(0, len(hellos), at_once):
        some = hellos[start : start + at_once]
        members = turns(options.tokens, start, len(some))
        given = tickets or await loop.run_in_executor(None, take_tickets, options.base, members)
        sockets += await asyncio.gather(*(come(*pair) for pair in zip(given, some, strict=True)))
    return sockets


async def _until(is_so: Any, told: Any = lambda: "not all came") -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"after {PATIENCE} s: {told()}")
        await asyncio.sleep(0.005)


async def _statements(database: str) -> int:
    """How many statements clients had the database run until now, transactions' own words left out."""
    if not database:
        return 0
    import asyncpg

    line = await asyncpg.connect(database)
    try:
        return await line.fetchval(
            "SELECT sum(calls)::bigint FROM pg_stat_statements WHERE query !~* '^(begin|commit|rollback)'"
        )
    finally:
        await line.close()
