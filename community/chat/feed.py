"""What this process tells its sockets about each room: new events are read once, rendered once, handed to all.

A signal only says "room 7 stands at 131". Order and completeness come from `seq` in PostgreSQL, so a lost signal costs
time, never a message. Whoever may no longer read is dropped before the next frame is handed out.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from app import live_signals
from app.gathered import gathered
from app.i18n import gettext as _
from app.i18n import use as speak
from app.live_signals import heard, signal
from app.live_socket import Socket
from community.chat import policy, queries
from community.chat.schemas import EventView

log = logging.getLogger(__name__)

READ_AT_ONCE = 200
ROOMS_AT_ONCE = 100
MOST_MISSED = 1000
FRAME_BYTES = 48 * 1024
# How often we ask PostgreSQL whether rooms moved: always, in case a hint was lost; often while hints do not arrive.
ASK_SECONDS, ASK_SECONDS_WITHOUT_SIGNALS = 5.0, 0.25

_feeds: dict[int, "Feed"] = {}
_behind: set["Feed"] = set()
_lookers: list[Callable[[int, list[EventView]], None]] = []
_telling: asyncio.Task | None = None


class Feed:
    """One room as this process tells it: who listens here, and up to which event they have been told."""

    def __init__(self, room_id: int, seq: int, version: int) -> None:
        self.room_id = room_id
        self.told = seq
        self.known = seq
        self.sockets: set[Socket] = set()
        # Sockets that caught up from the database beyond what the others have been told.
        self.ahead: dict[Socket, int] = {}
        # Which readers these are; None while it is doubtful that all of them still are.
        self.version: int | None = version
        self.doubts = 0

    @property
    def is_behind(self) -> bool:
        return self.known > self.told and bool(self.sockets)

    def wake(self, seq: int) -> None:
        """The room moved to `seq`: its sockets are told, together with those of other rooms that moved."""
        self.known = max(self.known, seq)
        if self.is_behind:
            _tell_soon(self)

    async def tell(self, rows: list[asyncpg.Record]) -> None:
        if rows[0]["version"] != self.version:
            await self._drop_who_may_not_read(rows[0]["version"])
        # While we asked, nobody else told this room: there is one teller.
        events = [queries.view(row) for row in rows]
        self._hand_out(events)
        for look in _lookers:
            look(self.room_id, events)

    def _hand_out(self, events: list[EventView]) -> None:
        behind = [socket for socket in self.sockets if socket not in self.ahead]
        for frame in frames_of(self.room_id, events):
            for socket in behind:
                socket.push(frame)
        self.told = events[-1].seq
        for socket, seq in list(self.ahead.items()):
            for frame in frames_of(self.room_id, [event for event in events if event.seq > seq]):
                socket.push(frame)
            if seq <= self.told:
                del self.ahead[socket]

    async def _drop_who_may_not_read(self, version: int) -> None:
        self.version = None
        asked: set[int] = set()
        doubts = self.doubts
        # Again, when someone came in or was shown out while we asked.
        while new := {socket.member_id for socket in self.sockets} - asked:
            shut_out = new - await policy.readers_among(self.room_id, list(new))
            asked, doubts = (asked | new, doubts) if self.doubts == doubts else (set(), self.doubts)
            for socket in [socket for socket in self.sockets if socket.member_id in shut_out]:
                self.drop(socket)
                _shut_out(socket, self.room_id)
        self.version = version

    def drop(self, socket: Socket) -> None:
        self.sockets.discard(socket)
        self.ahead.pop(socket, None)
        if not self.sockets and _feeds.get(self.room_id) is self:
            del _feeds[self.room_id]


def _tell_soon(feed: Feed) -> None:
    global _telling
    _behind.add(feed)
    if _telling is None or _telling.done():
        # A context of its own: whoever gave the signal may be in a transaction.
        _telling = asyncio.get_running_loop().create_task(_tell_all(), context=contextvars.Context())


async def _tell_all() -> None:
    loop = asyncio.get_running_loop()
    while _behind:
        feeds = [_behind.pop() for _ in range(min(len(_behind), ROOMS_AT_ONCE))]
        began, took = loop.time(), 0.0
        try:
            told = {feed.room_id: feed.told for feed in feeds if feed.is_behind}
            found = await queries.events_of_rooms(told, limit=READ_AT_ONCE) if told else {}
            began = loop.time()
            for feed in feeds:
                if rows := found.get(feed.room_id):
                    await feed.tell(rows)
                    if feed.is_behind:
                        _behind.add(feed)
            took = loop.time() - began
        except Exception:
            log.exception("rooms could not be told; they are asked for again soon")
        # As long as handing out took, others have the loop: what is said meanwhile shares the next frames.
        await asyncio.sleep(took)


async def listen(socket: Socket, room: Any, seq: int) -> None:
    """Tell this socket what it missed after `seq`, and from then on everything that happens in the room.

    `room` is what `policy.rooms_to_read` gave; the socket has been told that the room stands there.
    """
    room_id = room["id"]
    drop(socket, room_id)
    while seq < max(room["seq"], _feeds[room_id].told if room_id in _feeds else 0):
        missed = await _missed((room_id, seq))
        if missed is None:
            break
        if missed.version != room["version"] and not await policy.readers_among(room_id, [socket.member_id]):
            _shut_out(socket, room_id)
            return
        for frame in missed.frames:
            socket.push(frame)
        seq = missed.seq
    if socket.is_closing:
        return
    # Nothing is awaited between that comparison and the subscription: no event falls between.
    feed = _feeds.setdefault(room_id, Feed(room_id, seq, room["version"]))
    if feed.version != room["version"]:
        feed.version = None
    feed.sockets.add(socket)
    if seq > feed.told:
        feed.ahead[socket] = seq
        feed.wake(seq)


class _Missed(msgspec.Struct):
    """What came after some event, up to `seq`, as frames; `version` says who may read it."""

    frames: list[str]
    seq: int
    version: int


@gathered(most=25)
async def _missed(asked: list[tuple[int, int]]) -> dict[tuple[int, int], _Missed]:
    # After a restart everybody comes back at once, and most of them stopped at the same event: read and rendered once.
    return {
        (room_id, seq): _Missed(
            frames_of(room_id, [queries.view(row) for row in rows]), rows[-1]["seq"], rows[0]["version"]
        )
        for (room_id, seq), rows in (await queries.missed_events(asked, limit=READ_AT_ONCE)).items()
    }


def _shut_out(socket: Socket, room_id: int) -> None:
    speak(socket.lang)
    socket.tell("error", code="forbidden", room=str(room_id), detail=_("You are no longer in this room."))


def drop(socket: Socket, room_id: int) -> None:
    if feed := _feeds.get(room_id):
        feed.drop(socket)


def rooms_with_listeners() -> list[int]:
    return list(_feeds)


def rooms_of(member_id: int) -> list[int]:
    """The rooms this member listens to in this process."""
    return [feed.room_id for feed in _feeds.values() if any(socket.member_id == member_id for socket in feed.sockets)]


def drop_everywhere(socket: Socket) -> list[int]:
    """Forget a socket that is gone; the rooms it was in."""
    left = [feed for feed in _feeds.values() if socket in feed.sockets]
    for feed in left:
        feed.drop(socket)
    return [feed.room_id for feed in left]


def is_listening(socket: Socket, room_id: int) -> bool:
    feed = _feeds.get(room_id)
    return feed is not None and socket in feed.sockets


def on_told(look: Callable[[int, list[EventView]], None]) -> Callable[[int, list[EventView]], None]:
    """Called after a room's events were handed out in this process: for what is shown beside the sequence."""
    _lookers.append(look)
    return look


async def readers_of(room_id: int, version: int) -> tuple[Socket, ...]:
    """Who listens here and may read the room as it stood at `version`: to be told at once, with nothing awaited."""
    if (feed := _feeds.get(room_id)) is None:
        return ()
    if feed.version != version:
        await feed._drop_who_may_not_read(version)
    return tuple(feed.sockets)


async def settle(room_ids: Iterable[int]) -> None:
    """Let go of whoever may no longer read these rooms as they stand now: before hints about who is there."""
    for room_id, (_seq, version) in (await queries.standing_of([id for id in room_ids if id in _feeds])).items():
        await readers_of(room_id, version)


def is_settled(room_id: int) -> bool:
    """Whether nobody is known to have been shut out since we last asked who may read."""
    feed = _feeds.get(room_id)
    return feed is None or feed.version is not None


def told_to(socket: Socket, room_id: int) -> int | None:
    """Up to which event this socket has been told of the room; None when it does not listen there."""
    feed = _feeds.get(room_id)
    return max(feed.told, feed.ahead.get(socket, 0)) if feed is not None and socket in feed.sockets else None


def listeners(room_id: int) -> Iterable[Socket]:
    feed = _feeds.get(room_id)
    return tuple(feed.sockets) if feed else ()


async def room_moved(room_id: int, seq: int) -> None:
    """Say, after the commit, that the room stands at `seq` now."""
    await signal("room", room_id, seq)


async def access_changed(room_id: int) -> None:
    """Say, after the commit, that fewer may read the room: frames that are being made now are held to it already."""
    await signal("room-access", room_id)


@heard("room-access")
def doubt(key: str, _value: None) -> None:
    if feed := _feeds.get(int(key)):
        feed.version = None
        feed.doubts += 1


@heard("room")
def wake(key: str, seq: int) -> None:
    if feed := _feeds.get(int(key)):
        feed.wake(seq)


async def ask(room_ids: Sequence[int]) -> None:
    """Look in PostgreSQL whether these rooms moved, and tell their sockets."""
    await asyncio.gather(*map(_ask, room_ids))


@gathered(most=10_000)
async def _ask(room_ids: list[int]) -> dict[int, int]:
    standing = await queries.standing_of(room_ids)
    for room_id, (seq, version) in standing.items():
        wake(str(room_id), seq)
        # Nothing was said since, and nobody told us: whoever may read no longer need not stay until something is.
        await readers_of(room_id, version)
    return {room_id: seq for room_id, (seq, _version) in standing.items()}


async def ask_for_ever() -> None:
    """Look in PostgreSQL whether rooms with listeners moved: what signals promise, this keeps."""
    while True:
        await asyncio.sleep(ASK_SECONDS if live_signals.are_reaching() else ASK_SECONDS_WITHOUT_SIGNALS)
        if _feeds:
            try:
                await ask(list(_feeds))
            except Exception as error:
                log.warning("could not look for new messages: %s", error)


def frames_of(room_id: int, events: Sequence[EventView]) -> list[str]:
    """The events as few frames as their size allows, in order."""
    head = f'{{"type":"events","room":"{room_id}","events":['
    frames: list[str] = []
    part: list[bytes] = []
    size = 0
    for event in events:
        text = msgspec.json.encode(event)
        if part and size + len(text) > FRAME_BYTES:
            frames.append(head + b",".join(part).decode() + "]}")
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        frames.append(head + b",".join(part).decode() + "]}")
    return frames
