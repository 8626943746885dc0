"""Which part of a room's history a page shows: the latest, what stands before, after or around a place, or a thread."""

import msgspec
from litestar import Request

from app.auth import Viewer
from app.errors import Malformed
from app.i18n import gettext as _
from community.chat import policy, queries
from community.chat.schemas import MOST_SEQ, EventView

ON_A_PAGE = 60
IN_A_THREAD = 200


class Stretch(msgspec.Struct):
    """Events in order. `older`, `newer`: from which seq the pages beside it go on, if there are any."""

    events: list[EventView]
    older: int | None = None
    newer: int | None = None
    thread: str = ""
    """The id of the message whose answers these are."""

    @property
    def is_past(self) -> bool:
        """What is said now does not belong at its end."""
        return self.newer is not None or bool(self.thread)


async def stretch_of(request: Request, viewer: Viewer, room_id: int) -> Stretch:
    """What the address asks for: `?before=`, `?after=`, `?around=` a seq, `?thread=` a message."""
    thread, around = number_in(request, "thread"), number_in(request, "around")
    if thread is not None:
        await policy.access_message(viewer, room_id, thread)
        rows = await queries.thread_of(room_id, thread, after=number_in(request, "after") or 0, limit=IN_A_THREAD + 1)
        events = _views(rows[:IN_A_THREAD])
        return Stretch(events, newer=events[-1].seq if len(rows) > IN_A_THREAD else None, thread=str(thread))
    if around is not None:
        return await _around(room_id, around)
    after = number_in(request, "after")
    if after is not None:
        rows = await queries.history_after(room_id, after, limit=ON_A_PAGE + 1)
        events = _views(rows[:ON_A_PAGE])
        has_older = bool(after) and bool(events)
        return Stretch(events, events[0].seq if has_older else None, events[-1].seq if len(rows) > ON_A_PAGE else None)
    before = number_in(request, "before")
    rows = await queries.history_before(room_id, before, limit=ON_A_PAGE + 1)
    events = _views(rows[-ON_A_PAGE:])
    newer = (events[-1].seq if events else before - 1) if before is not None else None
    return Stretch(events, events[0].seq if len(rows) > ON_A_PAGE else None, newer)


async def _around(room_id: int, seq: int) -> Stretch:
    half = ON_A_PAGE // 2
    earlier = await queries.history_before(room_id, seq + 1, limit=half + 1)
    later = await queries.history_after(room_id, seq, limit=half + 1)
    events = _views([*earlier[-half:], *later[:half]])
    return Stretch(
        events, events[0].seq if len(earlier) > half else None, events[-1].seq if len(later) > half else None
    )


def _views(rows: list) -> list[EventView]:
    return [queries.view(row) for row in rows]


def number_in(request: Request, name: str) -> int | None:
    given = request.query_params.get(name)
    if not given:
        return None
    if not (given.isdecimal() and len(given) < 19 and int(given) <= MOST_SEQ):
        raise Malformed(_("This page address is not one of ours. Start from the first page."))
    return int(given)
