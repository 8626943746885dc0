"""Chat on the live socket: hello, send, read, typing, and who is here."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from app.auth import require_member
from app.errors import NotFound, Problem, TooLarge, TooMany
from app.i18n import gettext as _
from app.i18n import use as speak
from app.live import before_goodbye, frame, on_leaving, on_ping
from app.live_signals import heard, signal
from app.live_socket import TOO_FAST, Socket
from community.chat import feed, policy, presence, reads, seen, service
from community.chat.schemas import MOST_ROOMS, Hello, Read, Send, Since, Typing

# In frames: a hello, each room it names, and each so many events it missed.
HELLO_COSTS, MISSED_A_FRAME = 10.0, 20
# What is rendered slowly: a message with more than so many of these costs a frame for each so many of them.
MARKS, FEW_MARKS, MARKS_A_FRAME = "[]*_`~<!:\n", 200, 25
TYPING_PAUSE = 1.5

_typed: dict[tuple[int, int], float] = {}
_tasks: set[asyncio.Task] = set()


@frame("hello", Hello)
async def hello(socket: Socket, hello: Hello) -> None:
    """Subscribe and resume. Rooms that are not for this viewer get an error each; the others go on."""
    # A browser says it once a connection, for the rooms it has open.
    if socket.has_too_many_frames(HELLO_COSTS + min(len(hello.rooms), MOST_ROOMS)):
        socket.close(TOO_FAST, "too fast")
        return
    if len(hello.rooms) > MOST_ROOMS:
        raise TooLarge(_("At most %(n)s rooms, please.", n=MOST_ROOMS))
    require_member(socket.viewer, "read")
    wanted = {int(key): since for key, since in hello.rooms.items()}
    rooms = await policy.rooms_to_read(socket.viewer, list(wanted))
    for room_id in wanted.keys() - rooms.keys():
        socket.tell("error", code="not-found", room=str(room_id), detail=NotFound().detail)
    socket.tell("welcome", rooms={str(r["id"]): {"seq": r["seq"], "epoch": r["epoch"]} for r in rooms.values()})
    budget = feed.MOST_MISSED
    for room_id, room in rooms.items():
        since = _resumable(wanted[room_id], room, budget)
        if since is None:
            socket.tell("resync", room=str(room_id))
            since = room["seq"]
        missed = room["seq"] - since
        budget -= missed
        if missed and socket.has_too_many_frames(missed / MISSED_A_FRAME):
            socket.close(TOO_FAST, "too fast")
            return
        await feed.listen(socket, room, since)
        presence.came(socket, room_id)
    # What was said between the look-up and the subscription had no listener for its signal.
    await feed.ask(list(rooms))
    if talks := [room_id for room_id, room in rooms.items() if room["kind"] == "direct"]:
        await seen.tell_as_it_stands(socket, talks)


@frame("send", Send)
def send(socket: Socket, said: Send) -> None:
    """Queued at once, so that a quick writer's words share a commit; the ack follows it."""
    # A page of stars takes as long to render as thousands of short lines; plain words cost nothing, however many.
    marks = sum(map(said.body.count, MARKS))
    if marks > FEW_MARKS and socket.has_too_many_frames(marks / MARKS_A_FRAME):
        socket.close(TOO_FAST, "too fast")
        return
    _spawn(_send(socket, said))


@frame("read", Read)
async def read(socket: Socket, seen: Read) -> None:
    require_member(socket.viewer)
    if feed.is_listening(socket, int(seen.room)):
        reads.note(int(seen.room), socket.member_id, seen.seq, by=socket)
    else:
        await service.mark_read(socket.viewer, int(seen.room), seen.seq)


@frame("typing", Typing)
async def typing(socket: Socket, typing: Typing) -> None:
    require_member(socket.viewer)
    room_id, now = int(typing.room), time.monotonic()
    if not feed.is_listening(socket, room_id) or now - _typed.get((room_id, socket.member_id), 0) < TYPING_PAUSE:
        return
    if len(_typed) > 10_000:
        _typed.clear()
    _typed[room_id, socket.member_id] = now
    _spawn(_tell_of_typing(socket, room_id))


async def _tell_of_typing(socket: Socket, room_id: int) -> None:
    await presence.looked_up(room_id, socket.member_id)
    viewer = socket.viewer
    # Who only looks in, or was asked to be silent, is not announced by name either.
    room = (await policy.rooms_to_read(viewer, [room_id])).get(room_id)
    if room is None or not policy.may_send(room):
        return
    hint = {"handle": viewer.handle, "name": viewer.name, "version": room["version"]}
    await signal("typing", f"{room_id}:{viewer.member_id}", hint)


@heard("typing")
def hear_typing(key: str, hint: dict[str, Any]) -> None:
    if feed.listeners(int(key.partition(":")[0])):
        _spawn(_tell_readers_of_typing(key, hint))


async def _tell_readers_of_typing(key: str, hint: dict[str, Any]) -> None:
    """As whoever types found the room: to whom it was closed by then is not told, whether or not anything was said."""
    room, _sign, member = key.partition(":")
    room_id, member_id = int(room), int(member)
    who = {name: value for name, value in hint.items() if name != "version"}
    for socket in await feed.readers_of(room_id, hint["version"]):
        if socket.member_id != member_id and presence.may_be_seen(room_id, member_id, by=socket.member_id):
            socket.tell("typing", room=room, author={"id": member, **who})


@on_ping
def where_rooms_stand(socket: Socket, rooms: list[str]) -> dict[str, int]:
    """Only from memory: it is asked by everybody, every half minute. A room that is left out is not told here."""
    told = {room: feed.told_to(socket, int(room)) for room in rooms[:MOST_ROOMS] if room.isdecimal() and len(room) < 19}
    return {room: seq for room, seq in told.items() if seq is not None}


@on_leaving
def forget(socket: Socket) -> None:
    presence.went(socket, feed.drop_everywhere(socket))


@before_goodbye
async def answer_what_was_said() -> None:
    """Every send that was taken is written down and acknowledged before its line ends."""
    while _tasks:
        await asyncio.gather(*_tasks, return_exceptions=True)
    await reads.flush()


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """What chat keeps doing while a web process serves."""
    tasks = [asyncio.create_task(feed.ask_for_ever()), asyncio.create_task(presence.repeat_for_ever())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        with suppress(Problem, OSError):
            await reads.flush()


async def _send(socket: Socket, said: Send) -> None:
    speak(socket.lang)
    client_id = str(said.client_id)
    try:
        done = await service.send(
            socket.viewer,
            int(said.room),
            said.client_id,
            said.body,
            int(said.reply_to) if said.reply_to else None,
            [int(file_id) for file_id in said.files],
        )
        socket.tell("ack", client_id=client_id, room=said.room, seq=done.seq, id=str(done.id))
    except Problem as problem:
        detail = "; ".join(problem.fields.values()) or problem.detail
        wait = {"retry_after": problem.retry_after} if isinstance(problem, TooMany) else {}
        socket.tell("error", code=problem.type, detail=detail, client_id=client_id, room=said.room, **wait)


def _resumable(since: Since, room: Any, budget: int) -> int | None:
    """From where the missed events can be told; None when the client must load the room anew."""
    if since.seq is None:
        return room["seq"]
    another_past = since.epoch not in (None, room["epoch"]) or since.seq > room["seq"]
    return None if another_past or room["seq"] - since.seq > budget else since.seq


def _spawn(work: Any) -> None:
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
