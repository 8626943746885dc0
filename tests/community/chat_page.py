"""What <chat-room> does, without a browser: an outbox by client id, one seq, resume after every cut, a check for gaps,
and what it would draw, kept as a snapshot that events change.
"""

import asyncio
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app import db, live_tickets
from app.live_socket import NOT_ALLOWED, SIGN_IN
from community.chat.schemas import EventView
from community.chat.snapshot import Snapshot, apply, snapshot
from tests.community.test_chat import a_line
from tests.factories import Person
from tests.lines import PATIENCE, Line


async def load(room: str) -> Snapshot:
    """The room as a page that is opened now shows it: everything of one moment."""
    async with db.transaction():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        return await snapshot(int(room))


def standing_of(told: dict) -> dict[str, object]:
    """What an event about the room itself says of how it stands from now on."""
    match told:
        case {"what": "freeze", "on": on}:
            return {"frozen": on}
        case {"what": "slow", "seconds": seconds}:
            return {"slow": seconds}
        case {"what": "live", "state": state}:
            return {"live": state}
        case {"is": "closed" | "open" as how}:
            return {"closed": how == "closed"}
    return {}


class Page:
    def __init__(self, house: Callable, person: Person, room: str) -> None:
        self.house, self.person, self.room = house, person, room
        self.line: Line | None = None
        self.outbox: dict[str, dict] = {}
        self.acked: dict[str, tuple[int, str]] = {}
        self.refused: set[str] = set()
        self.shown = Snapshot(0, 0, (), frozenset())
        self.heard: list[tuple[int, str, str]] = []
        self.epoch: str | None = None
        self.resyncs = 0
        self.is_shut_out = False
        # No line at all is given to this person at the moment.
        self.is_sent_away = False
        # What the room's own events say of it: frozen, slow, closed, on the air.
        self.standing: dict[str, object] = {}
        # The last event of the room that one who was shown out may have heard of.
        self.shut_at: int | None = None

    @property
    def seq(self) -> int:
        return self.shown.seq

    # --- coming and going ---

    async def come(self) -> None:
        if self.line is None:
            self.is_shut_out = self.is_sent_away = False
            self.line = await self.open_line()
            since = {"seq": self.seq, **({"epoch": self.epoch} if self.epoch else {})}
            await self.line.send("hello", rooms={self.room: since})
            await self.send_again()

    async def open_line(self) -> Line:
        return await a_line(self.house, self.person)

    async def cut(self, pause: float = 0) -> None:
        """The line goes dead, and with it whatever was on its way, acks included."""
        if self.line:
            await asyncio.sleep(pause)
            line, self.line = self.line, None
            await line.cut()

    # --- talking ---

    async def say(self, body: str, reply_to: str | None = None) -> None:
        client_id = str(uuid.uuid4())
        self.outbox[client_id] = {"body": body, **({"reply_to": reply_to} if reply_to else {})}
        await self._send(client_id)

    async def send_again(self) -> None:
        for client_id in list(self.outbox):
            await self._send(client_id)

    async def _send(self, client_id: str) -> None:
        if self.line:
            await self.line.send("send", room=self.room, client_id=client_id, **self.outbox[client_id])

    # --- listening ---

    async def listen(self, patience: float, *, until: str = "") -> None:
        """Take what comes until nothing came for so long, or that did, or the server said goodbye."""
        while self.line:
            try:
                frame = await self.line.next("welcome", "events", "ack", "error", "resync", "pong", patience=patience)
            except TimeoutError:
                return
            except ConnectionError:
                self.is_sent_away = self.line.close_code in (SIGN_IN, NOT_ALLOWED)
                self.is_shut_out |= self.is_sent_away
                self.line = None
                return
            await self._take(frame)
            if frame["type"] == until:
                return

    async def catch_up(self) -> None:
        """Take all that the server has said until now: what it answers a ping comes after it."""
        if self.line:
            await self.line.send("ping")
            await self.listen(PATIENCE, until="pong")

    async def _take(self, frame: dict) -> None:
        match frame["type"]:
            case "welcome" if self.room in frame["rooms"]:
                self.epoch = frame["rooms"][self.room]["epoch"]
            case "resync":
                self.resyncs += 1
                self.shown = await load(self.room)
                self.heard = []
            case "events":
                for event in frame["events"]:
                    self._hear(event)
            case "ack":
                self._note_ack(frame["client_id"], (frame["seq"], frame["id"]))
            case "error" if frame.get("client_id"):
                self.outbox.pop(frame["client_id"], None)
                self.refused.add(frame["client_id"])
            case "error":
                assert frame["code"] in ("forbidden", "not-found"), frame
                self.is_shut_out = True

    def _hear(self, event: dict) -> None:
        assert self.shut_at is None or event["seq"] <= self.shut_at, "somebody who was shown out heard on"
        if self.resyncs and event["seq"] <= self.seq:
            # It was loaded between the welcome and now.
            return
        assert event["seq"] == self.seq + 1, f"a hole or a repetition on one line: {event['seq']} after {self.seq}"
        self.heard.append((event["seq"], event["kind"], event.get("id", "")))
        self.shown = apply(self.shown, msgspec.convert(event, EventView))
        if event["kind"] == "room":
            self.standing |= standing_of(event["data"])

    def _note_ack(self, client_id: str, place: tuple[int, str]) -> None:
        assert self.acked.setdefault(client_id, place) == place, "one message, two places"
        self.outbox.pop(client_id, None)

    async def settle(self) -> None:
        """Until everything is acknowledged and everything was heard that may be."""
        async with asyncio.timeout(60):
            while True:
                await self.come()
                await self.catch_up()
                if self.is_sent_away:
                    return
                seq = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(self.room))
                if not self.outbox and (self.is_shut_out or self.seq >= seq):
                    return
                await asyncio.sleep(0.003)


class FarPage(Page):
    """A page that another process of the same community serves, over TCP."""

    def __init__(self, house: Callable, person: Person, room: str, *, port: int) -> None:
        super().__init__(house, person, room)
        self.port = port

    async def open_line(self) -> Line:
        ticket = live_tickets.issue(self.person.viewer)
        return FarLine(await connect(f"ws://127.0.0.1:{self.port}/live?ticket={ticket}"))  # type: ignore[return-value]


class FarLine:
    """What `Line` does, over TCP."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.close_code: int | None = None

    async def send(self, kind: str, **frame: Any) -> None:
        # Who is being sent away hears of it when they listen.
        with suppress(ConnectionClosed):
            await self.socket.send(json.dumps({"type": kind, **frame}))

    async def next(self, *kinds: str, patience: float = PATIENCE) -> dict:
        while True:
            try:
                frame = json.loads(await asyncio.wait_for(self.socket.recv(), patience))
            except ConnectionClosed as closed:
                self.close_code = closed.rcvd.code if closed.rcvd else None
                raise ConnectionError(f"closed with {self.close_code}") from closed
            if frame["type"] in kinds:
                return frame

    async def cut(self) -> None:
        self.socket.transport.abort()
