"""A new stage goes to everybody in the room by the line they have open: a thousand pages ask nothing."""

import asyncio
import contextvars
import logging
from collections import defaultdict

import msgspec

from app.live_socket import Socket
from community.chat import feed
from community.chat.policy import members_among
from community.chat.schemas import EventView
from frontend.pages.live_shared import Shared, known, shared_stage

log = logging.getLogger(__name__)

MOVES = {"pin", "unpin", "poll", "question", "live"}
# At most so often: what changes meanwhile goes together.
PAUSE_SECONDS = 0.4
# A longer one is fetched by each page; a frame has its bounds.
MOST_SIGNS = 40_000


class _Rest:
    """A room that was just told; whether something has changed since."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.is_due = False
        self.task: asyncio.Task | None = None


_resting: dict[int, _Rest] = {}


@feed.on_told
def notice(room_id: int, events: list[EventView]) -> None:
    """Called after every frame of every room: it asks no more of those that are no stage."""
    if any(_moves_stage(room_id, event) for event in events):
        _tell_soon(room_id)


def _moves_stage(room_id: int, event: EventView) -> bool:
    if event.kind == "room":
        return event.data is not None and event.data.get("what") in MOVES
    stage = known(room_id) if event.kind in ("edit", "delete") else None
    return stage is not None and event.id in stage.messages


def _tell_soon(room_id: int) -> None:
    loop = asyncio.get_running_loop()
    rest = _resting.get(room_id)
    if rest is not None and rest.loop is loop:
        rest.is_due = True
        return
    rest = _resting[room_id] = _Rest(loop)
    # A context of its own: nothing of whoever caused the change.
    rest.task = loop.create_task(_tell(room_id, rest), context=contextvars.Context())


async def _tell(room_id: int, rest: _Rest) -> None:
    try:
        # Asked for by nobody's seq: whatever is read now is newer than what has just been told.
        if stage := await shared_stage(room_id, 2**62):
            await _hand_out(stage)
    except Exception:
        log.exception("a stage could not be told; pages ask for it themselves")
    finally:
        rest.loop.call_later(PAUSE_SECONDS, _wake, room_id, rest)


def _wake(room_id: int, rest: _Rest) -> None:
    if _resting.get(room_id) is rest:
        del _resting[room_id]
        if rest.is_due:
            _tell_soon(room_id)


async def _hand_out(stage: Shared) -> None:
    asked = sorted({socket.member_id for socket in feed.listeners(stage.room_id)})
    seated = set(asked) if stage.is_open else await members_among(stage.room_id, asked)
    alike: dict[tuple[str, str], list[Socket]] = defaultdict(list)
    for socket in await feed.readers_of(stage.room_id, stage.version):
        if socket.member_id in asked:
            alike[socket.lang, "member" if socket.member_id in seated else "reader"].append(socket)
    # From here on nothing is awaited: who was shown out meanwhile is not among them.
    for (lang, seat), sockets in alike.items():
        frame = _frame(stage, lang, seat)
        for socket in sockets:
            socket.push(frame)


def _frame(stage: Shared, lang: str, seat: str) -> str:
    html = stage.render(lang, seat)
    shown = {"html": html} if len(html.encode()) < MOST_SIGNS else {}
    told = {"type": "stage", "room": str(stage.room_id), "seq": stage.seq, "state": stage.state, **shown}
    return msgspec.json.encode(told).decode()
