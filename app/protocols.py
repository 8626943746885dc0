"""What our server does beyond uvicorn's: it waits for no slow request, and ends no live line amid a word."""

import asyncio
from contextlib import suppress

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from app import live

# A browser sends its head in one go; a body may be large and its line thin, but something has to come.
HEAD_SECONDS = 10.0
SILENT_BODY_SECONDS = 30.0


class HttpProtocol(HttpToolsProtocol):
    """HTTP whose request has to arrive: who sends it drop by drop ("slowloris") is cut off."""

    # Until when something has to come, on the loop's clock. A timer for each request, nearly always cancelled, cost a
    # tenth of a redirect: one a connection looks now and then whether the time is up.
    _due: float | None = None
    _look: asyncio.TimerHandle | None = None
    _is_in_body = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_within(HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_in_body:
            self._expect_within(SILENT_BODY_SECONDS)
        elif self._due is None and (self.cycle is None or self.cycle.response_complete):
            # An empty line begins no message, yet uvicorn counts the silence no longer: there has to come a request.
            self._expect_within(HEAD_SECONDS)
        super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._due is None:
            self._expect_within(HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        self._is_in_body = True
        self._expect_within(SILENT_BODY_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._is_in_body = False
        self._expect_nothing()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._expect_nothing()
        super().handle_websocket_upgrade()

    def _expect_within(self, seconds: float) -> None:
        self._due = self.loop.time() + seconds
        if self._look is None:
            self._look_again_in(seconds)

    def _expect_nothing(self) -> None:
        self._due = None

    def _look_again_in(self, seconds: float) -> None:
        # No later than the least patience: what becomes due sooner than what was expected before is seen in time.
        self._look = self.loop.call_later(min(seconds, HEAD_SECONDS), self._see_what_came)

    def _see_what_came(self) -> None:
        self._look = None
        if self._due is None:
            return
        left = self._due - self.loop.time()
        if left > 0:
            self._look_again_in(left)
        elif self.flow.read_paused:
            # uvicorn stops reading while its own buffer is full: then it is we who are slow.
            self._expect_within(SILENT_BODY_SECONDS)
        else:
            self.transport.abort()


class LiveProtocol(WebSocketsSansIOProtocol):
    """A live line that is told 1012 when the server restarts, after everything that was taken has been answered."""

    _leaving: asyncio.Task | None = None

    def shutdown(self) -> None:
        if self._leaving is None:
            self._leaving = self.loop.create_task(self._leave())

    async def _leave(self) -> None:
        with suppress(Exception):
            await live.say_goodbye()
        super().shutdown()
