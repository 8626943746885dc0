"""The live socket `/live`: who may come in, which frames are understood, who is there.

Every frame is one JSON object with a `type`. Features add types of their own with `@frame`; what a room is belongs to
community.chat.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import parse_qs

import msgspec
from litestar.types import ASGIApp, Receive, Scope, Send
from prometheus_client import Gauge

from app import i18n, live_limits, live_signals, live_tickets
from app.auth import BySession, Viewer, is_own_origin, session_cookie_name
from app.errors import Problem
from app.i18n import gettext as _
from app.live_signals import heard, signal
from app.live_socket import (
    IDLE,
    NOT_ALLOWED,
    RESTART,
    SIGN_IN,
    TOO_FAST,
    Socket,
)

log = logging.getLogger(__name__)
sockets_open = Gauge("grapevine_live_sockets", "Live sockets open in this process")

Handler = Callable[[Socket, Any], Awaitable[None] | None]
ByTicket = Callable[[live_tickets.Ticket], Awaitable[Viewer]]
# Of these members, sessions and API tokens: which may stay no longer.
ShutOut = Callable[[list[int], list[int], list[int]], Awaitable[tuple[set[int], set[int], set[int]]]]

# Who is shut out is told by a signal at once; while signals do not reach, looking around has to be quick.
LOOK_AROUND_SECONDS, LOOK_AROUND_SECONDS_WITHOUT_SIGNALS = 10.0, 1.0
# How long a restart waits for what was taken to be answered, and then for the answers to be read.
FINISH_SECONDS = 5.0
IDLE_SECONDS = 300
NONSENSE_COSTS = 20.0

_handlers: dict[str, tuple[type, Handler]] = {}
_leaving: list[Callable[[Socket], None]] = []
_standing: list[Callable[[Socket, list[str]], dict[str, int]]] = []
_finishing: list[Callable[[], Awaitable[None]]] = []
_sockets: dict[int, set[Socket]] = {}
_goodbye: asyncio.Task | None = None


class _Head(msgspec.Struct):
    type: str


class Ping(msgspec.Struct):
    rooms: dict[str, int] = {}
    """Up to which event the client has been told of each room, if it wants to know whether that is all."""


def frame(kind: str, shape: type) -> Callable[[Handler], Handler]:
    """`@frame("typing", Typing)`: this function takes the frames of that type, checked against its struct."""

    def remember(handler: Handler) -> Handler:
        _handlers[kind] = (shape, handler)
        return handler

    return remember


def on_leaving(forget: Callable[[Socket], None]) -> Callable[[Socket], None]:
    """Called when a socket is gone, whatever the reason."""
    _leaving.append(forget)
    return forget


def on_ping(stand: Callable[[Socket, list[str]], dict[str, int]]) -> Callable[[Socket, list[str]], dict[str, int]]:
    """Called with the rooms a ping names: where those stand that this socket is told of."""
    _standing.append(stand)
    return stand


def before_goodbye(finish: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
    """Awaited when this process restarts, before sockets are told so: answer what was taken."""
    _finishing.append(finish)
    return finish


async def say_goodbye() -> None:
    """This process ends: take nothing more, answer what was taken, and send everyone elsewhere, where they resume.

    Called as often as there are lines; it happens once.
    """
    global _goodbye
    if _goodbye is None:
        _goodbye = asyncio.get_running_loop().create_task(_say_goodbye())
    await asyncio.shield(_goodbye)


async def _say_goodbye() -> None:
    with suppress(Exception):
        async with asyncio.timeout(FINISH_SECONDS):
            await asyncio.gather(*(finish() for finish in _finishing), return_exceptions=True)
    everyone = _everyone()
    for socket in everyone:
        socket.close(RESTART, "restart", after_all=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(FINISH_SECONDS):
            while not all(socket.has_said_all for socket in everyone):
                await asyncio.sleep(0.01)


async def notify_member(member_id: int, **facts: Any) -> None:
    """Tell a member's open pages that something of theirs changed. Call it after the commit; pages then look it up."""
    await signal("member", member_id, facts)


async def shut_out_member(member_id: int) -> None:
    """Close a member's sockets everywhere: suspended, or erased."""
    await signal("shut-out", member_id)


async def shut_out_session(member_id: int, session_id: int) -> None:
    """Close, everywhere, the sockets that came by this session: it holds no longer."""
    await signal("session-over", session_id, member_id)


async def shut_out_token(member_id: int, token_id: int) -> None:
    """The same of an API token."""
    await signal("token-over", token_id, member_id)


def sockets_of(member_id: int) -> tuple[Socket, ...]:
    """A member's open sockets in this process."""
    return tuple(_sockets.get(member_id, ()))


def door(by_session: BySession, by_ticket: ByTicket) -> ASGIApp:
    """The ASGI application of `/live`. The roof hands in how a viewer is found; the floor cannot know."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        asked = parse_qs(scope["query_string"].decode("latin-1"))
        ticket, whose = asked.get("ticket", [""])[-1], asked.get("member", [""])[-1]
        if ticket:
            shown = await live_tickets.redeem(ticket)
            viewer = await by_ticket(shown) if shown else None
        elif is_own_origin(headers.get("origin", ""), headers):
            viewer = await by_session(_cookie(headers, session_cookie_name()))
        else:
            # Before the handshake: another site's page learns nothing, not even whether someone is signed in.
            await send({"type": "websocket.close", "code": NOT_ALLOWED, "reason": "origin"})
            return
        await send({"type": "websocket.accept", "subprotocol": None, "headers": []})
        if viewer is None or viewer.member_id is None or whose not in ("", str(viewer.member_id)):
            # After it: browsers hide the reason of a refused handshake from the page. A page says whose it is: what
            # waits there to be said is not said by whoever signed in to this browser since.
            await send({"type": "websocket.close", "code": SIGN_IN, "reason": "sign in"})
            return
        network = live_limits.network_of((scope.get("client") or ("",))[0])
        if live_limits.are_too_many(len(sockets_of(viewer.member_id)), network):
            await send({"type": "websocket.close", "code": TOO_FAST, "reason": "too many lines"})
            return
        pace = live_limits.pace_of(viewer.member_id)
        await _attend(Socket(viewer, send, i18n.current(), member_pace=pace), receive, network)

    return serve  # type: ignore[return-value]


@asynccontextmanager
async def running(shut_out: ShutOut) -> AsyncIterator[None]:
    """While a web process serves: signals, and a look around now and then. Who is here at the end resumes elsewhere."""
    global _goodbye
    looking = asyncio.create_task(_look_around_for_ever(shut_out))
    telling = asyncio.create_task(live_limits.tell_paces_for_ever())
    try:
        async with live_signals.running():
            yield
    finally:
        looking.cancel()
        telling.cancel()
        await say_goodbye()
        _goodbye = None


async def _attend(socket: Socket, receive: Receive, network: str) -> None:
    _sockets.setdefault(socket.member_id, set()).add(socket)
    live_limits.begin(network)
    sockets_open.inc()
    try:
        while not socket.is_closing:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await _take(socket, message.get("text"))  # type: ignore[arg-type]
        # Our goodbye is on its way; the server ends the line when it was answered.
        while (await receive())["type"] != "websocket.disconnect":
            pass
    except asyncio.CancelledError:
        if not socket.is_closing:
            raise
    finally:
        socket.is_closing = True
        sockets_open.dec()
        live_limits.end(network)
        mine = _sockets[socket.member_id]
        mine.discard(socket)
        if not mine:
            del _sockets[socket.member_id]
        for forget in _leaving:
            forget(socket)


async def _take(socket: Socket, text: str | None) -> None:
    """One frame from the client, answered in its turn. While the process ends none is taken: who asked, asks again."""
    if _goodbye is not None:
        return
    if socket.has_too_many_frames():
        socket.close(TOO_FAST, "too fast")
        return
    try:
        if text is None:
            raise _Nonsense("binary", _("Frames are text, not binary."))
        kind = msgspec.json.decode(text, type=_Head).type
        if kind not in _handlers:
            raise _Nonsense("unknown-type", _("This server does not know that type of frame."))
        shape, handler = _handlers[kind]
        answer = handler(socket, msgspec.json.decode(text, type=shape))
        if answer is not None:
            await answer
    except _Nonsense as nonsense:
        _complain(socket, nonsense.code, str(nonsense))
    except msgspec.ValidationError as error:
        _complain(socket, "invalid", str(error))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        _complain(socket, "malformed", _("A frame is one JSON object in UTF-8."))
    except Problem as problem:
        socket.tell("error", code=problem.type, detail=problem.detail)
    except Exception:
        log.exception("a live frame failed")
        socket.tell("error", code="unavailable", detail=_("That did not work just now. Please try again."))


class _Nonsense(Exception):
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def _complain(socket: Socket, code: str, sentence: str) -> None:
    socket.tell("error", code=code, detail=sentence)
    if socket.has_too_many_frames(NONSENSE_COSTS):
        socket.close(TOO_FAST, "too fast")


@frame("ping", Ping)
def answer_ping(socket: Socket, ping: Ping) -> None:
    """What the answer says of a room was pushed before it: a client that knows less has lost something."""
    if not ping.rooms:
        socket.push('{"type":"pong"}')
        return
    rooms = {room: seq for stand in _standing for room, seq in stand(socket, list(ping.rooms)).items()}
    socket.tell("pong", rooms=rooms)


@heard("member")
def tell_member(key: str, facts: dict[str, Any]) -> None:
    for socket in list(_sockets.get(int(key), ())):
        socket.tell("notify", **facts)


@heard("shut-out")
def close_member(key: str, _value: None) -> None:
    for socket in list(_sockets.get(int(key), ())):
        socket.close(SIGN_IN, "sign in")


@heard("session-over")
def close_session(key: str, member_id: int) -> None:
    for socket in sockets_of(member_id):
        if socket.viewer.session_id == int(key):
            socket.close(SIGN_IN, "sign in")


@heard("token-over")
def close_token(key: str, member_id: int) -> None:
    for socket in sockets_of(member_id):
        if socket.viewer.token_id == int(key):
            socket.close(SIGN_IN, "sign in")


async def _look_around_for_ever(shut_out: ShutOut) -> None:
    while True:
        is_reached = live_signals.are_reaching()
        await asyncio.sleep(LOOK_AROUND_SECONDS if is_reached else LOOK_AROUND_SECONDS_WITHOUT_SIGNALS)
        with suppress(Exception):
            await look_around(shut_out)


async def look_around(shut_out: ShutOut) -> None:
    """Send away who fell silent, who was suspended, and whose session or token ended elsewhere."""
    now = asyncio.get_running_loop().time()
    live_limits.forget_the_rested(now, _sockets)
    for socket in _everyone():
        if now - socket.heard_at > IDLE_SECONDS:
            socket.close(IDLE, "idle")
    if _sockets:
        sessions = [socket.viewer.session_id for socket in _everyone() if socket.viewer.session_id is not None]
        tokens = [socket.viewer.token_id for socket in _everyone() if socket.viewer.token_id is not None]
        members_out, sessions_out, tokens_out = await shut_out(list(_sockets), sessions, tokens)
        for socket in _everyone():
            if socket.member_id in members_out:
                socket.close(NOT_ALLOWED, "suspended")
            elif socket.viewer.session_id in sessions_out or socket.viewer.token_id in tokens_out:
                socket.close(SIGN_IN, "sign in")


def _everyone() -> list[Socket]:
    return [socket for mine in _sockets.values() for socket in mine]


def _cookie(headers: Mapping[str, str], name: str) -> str:
    pairs = (pair.strip().partition("=") for pair in headers.get("cookie", "").split(";"))
    return next((value for key, _sign, value in pairs if key == name), "")
