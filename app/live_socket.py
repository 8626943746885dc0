"""One live connection: frames out in order, never waiting for its reader; frames in at a bearable pace."""

import asyncio
import logging
import types
from collections import deque
from collections.abc import Coroutine, Generator
from contextlib import suppress
from typing import Any

import msgspec
from litestar.types import Send

from app import live_frames
from app.auth import Viewer

log = logging.getLogger(__name__)

SIGN_IN, NOT_ALLOWED, IDLE, TOO_SLOW, TOO_FAST, RESTART = 4401, 4403, 4408, 4409, 4429, 1012

# What may wait for a reader that does not read. The kernel and uvicorn hold some 100 KB more.
MOST_WAITING_FRAMES = 512
MOST_WAITING_BYTES = 1024 * 1024
# Frames a connection may send: this many at once, and this many a second for long.
BURST = 1000
PER_SECOND = 500.0
# And all connections of one member to this process together.
MEMBER_BURST = 8000
MEMBER_PER_SECOND = 4000.0
GOODBYE_SECONDS = 20


class Pace:
    """A token bucket of frames."""

    def __init__(self, burst: float, per_second: float) -> None:
        self.burst, self.per_second = burst, per_second
        self.tokens = float(burst)
        # Since it was last told to the other processes.
        self.spent = 0.0
        self.at = asyncio.get_running_loop().time()

    def is_exceeded(self, now: float, cost: float) -> bool:
        """Take `cost`; True when so much was not there."""
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.per_second) - cost
        self.at = now
        self.spent += cost
        return self.tokens < 0

    def was_spent_elsewhere(self, cost: float) -> None:
        self.tokens = max(self.tokens - cost, -self.burst)

    def is_rested(self, now: float) -> bool:
        return self.tokens + (now - self.at) * self.per_second >= self.burst


class Socket:
    """A connected viewer. `push` never blocks: who reads too slowly is told to come back and resume."""

    def __init__(self, viewer: Viewer, send: Send, lang: str = "en", *, member_pace: Pace | None = None) -> None:
        assert viewer.member_id is not None
        self.viewer = viewer
        self.member_id: int = viewer.member_id
        self.lang = lang
        self.heard_at = asyncio.get_running_loop().time()
        self.is_closing = False
        self._send = send
        self._line = live_frames.line_of(send)
        self._waiting: deque[str] = deque()
        self._waiting_bytes = 0
        self._is_blocked = False
        self._pace = Pace(BURST, PER_SECOND)
        self._member_pace = member_pace or Pace(MEMBER_BURST, MEMBER_PER_SECOND)
        self._tasks: set[asyncio.Task] = set()
        self._serving = asyncio.current_task()

    def tell(self, kind: str, /, **facts: Any) -> None:
        """Push one small frame."""
        self.push(msgspec.json.encode({"type": kind, **facts}).decode())

    def push(self, frame: str) -> None:
        if self.is_closing:
            return
        if self._is_blocked:
            self._wait_in_line(frame)
            return
        if self._line is not None and live_frames.write(self._line, frame):
            return
        sending = self._send({"type": "websocket.send", "text": frame, "bytes": None})
        # Usually the server takes the frame without waiting; starting the coroutine by hand spares a task per frame.
        try:
            blocked_on = sending.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return
        except Exception:
            # The connection is gone; the serving task hears of it by itself.
            self.is_closing = True
            return
        self._is_blocked = True
        self._spawn(self._go_on(sending, blocked_on))  # type: ignore[arg-type]

    def close(self, code: int, reason: str = "", *, after_all: bool = False) -> None:
        """Say goodbye with this code, `after_all` that waits is sent; one who does not even read that is cut off."""
        if not self.is_closing:
            self.is_closing = True
            if not after_all:
                self._waiting.clear()
            self._spawn(self._say_goodbye(code, reason))

    @property
    def has_said_all(self) -> bool:
        return not self._tasks

    def has_too_many_frames(self, cost: float = 1.0) -> bool:
        """Take `cost` from what this connection, and its member, may send; True when one of them has no more."""
        now = asyncio.get_running_loop().time()
        self.heard_at = now
        return self._pace.is_exceeded(now, cost) | self._member_pace.is_exceeded(now, cost)

    def _wait_in_line(self, frame: str) -> None:
        self._waiting.append(frame)
        self._waiting_bytes += len(frame)
        if len(self._waiting) > MOST_WAITING_FRAMES or self._waiting_bytes > MOST_WAITING_BYTES:
            self.close(TOO_SLOW, "resume")

    async def _go_on(self, sending: Coroutine, blocked_on: Any) -> None:
        try:
            await _rest_of(sending, blocked_on)
            while self._waiting:
                frame = self._waiting.popleft()
                self._waiting_bytes -= len(frame)
                await self._send({"type": "websocket.send", "text": frame, "bytes": None})
        except Exception:
            self.is_closing = True
        finally:
            self._is_blocked = False

    async def _say_goodbye(self, code: int, reason: str) -> None:
        with suppress(Exception):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while self._waiting and self._is_blocked:
                    await asyncio.sleep(0.01)
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
                return
        if self._serving is not None:
            self._serving.cancel()

    def _spawn(self, work: Coroutine) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@types.coroutine
def _rest_of(sending: Coroutine, blocked_on: Any) -> Generator[Any, Any, None]:
    """What is left of a coroutine that was started by hand and now waits for a future."""
    while True:
        try:
            yield blocked_on
        except BaseException as error:
            sending.throw(error)
            raise
        try:
            blocked_on = sending.send(None)
        except StopIteration:
            return
