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

from app.auth import Viewer

log = logging.getLogger(__name__)

SIGN_IN, NOT_ALLOWED, IDLE, TOO_SLOW, TOO_FAST, RESTART = 4401, 4403, 4408, 4409, 4429, 1012

# What may wait for a reader that does not read. The kernel and uvicorn hold some 100 KB more.
MOST_WAITING_FRAMES = 512
MOST_WAITING_BYTES = 1024 * 1024
# Frames a connection may send: this many at once, and this many a second for long.
BURST = 1000
PER_SECOND = 500.0
GOODBYE_SECONDS = 20


class Socket:
    """A connected viewer. `push` never blocks: who reads too slowly is told to come back and resume."""

    def __init__(self, viewer: Viewer, send: Send, lang: str = "en") -> None:
        assert viewer.member_id is not None
        self.viewer = viewer
        self.member_id: int = viewer.member_id
        self.lang = lang
        self.heard_at = asyncio.get_running_loop().time()
        self.is_closing = False
        self._send = send
        self._waiting: deque[str] = deque()
        self._waiting_bytes = 0
        self._is_blocked = False
        self._tokens = float(BURST)
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

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye with this code; one who does not even read that is cut off."""
        if not self.is_closing:
            self.is_closing = True
            self._waiting.clear()
            self._spawn(self._say_goodbye(code, reason))

    def has_too_many_frames(self, cost: float = 1.0) -> bool:
        """Take `cost` from the bucket of frames this connection may send; True when it is empty."""
        now = asyncio.get_running_loop().time()
        self._tokens = min(BURST, self._tokens + (now - self.heard_at) * PER_SECOND) - cost
        self.heard_at = now
        return self._tokens < 0

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
