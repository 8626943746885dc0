"""A room as a page shows it, and what an event makes of it: an old snapshot and the events since are a new snapshot.

`apply` is pure; the component's chat-rules.js does the same in the browser. Views of messages are told as they stand
now, so an event told late only says sooner what a later one would.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from app.text import excerpt
from community.chat import pins, queries
from community.chat.schemas import EventView

LINES = ("message", "join", "leave")
MARKS = ("reactions", "files", "cards", "pinned", "replies")


class Snapshot(msgspec.Struct, frozen=True):
    """What stands in a room after `seq`: its lines from `since` on in order, and which messages are pinned."""

    seq: int
    since: int
    lines: tuple[EventView, ...]
    pins: frozenset[str]


async def snapshot(room_id: int, *, since: int = 0) -> Snapshot:
    """The room as it stands, read in the current transaction or by itself."""
    seq, _version = (await queries.standing_of([room_id]))[room_id]
    rows = await queries.history_after(room_id, since, limit=100_000)
    pinned = await pins.pins_of(room_id)
    return Snapshot(
        seq, since, tuple(_line(queries.view(row)) for row in rows), frozenset(str(row["message_id"]) for row in pinned)
    )


def apply(old: Snapshot, event: EventView) -> Snapshot:
    """The snapshot after this event. One that it knows changes nothing: being told twice does no harm."""
    if event.seq <= old.seq:
        return old
    lines, pinned = old.lines, old.pins
    if event.kind in LINES:
        if event.answered:
            lines = _changed(lines, event.answered.id, replies=event.answered.n)
        lines = (*lines, _line(event))
    elif event.kind == "edit":
        lines = _changed(lines, event.id, **_words_of(event), **_marks_of(event))
        lines = _quoted(lines, event.id, event.body or (event.files[0].name if event.files else ""))
        pinned = pinned | {event.id} if event.pinned else pinned - {event.id}
    elif event.kind == "delete":
        lines = _quoted(_emptied(lines, event.id), event.id, "")
        pinned -= {event.id}
    elif event.kind in ("react", "pin") and not event.gone:
        lines = _changed(lines, event.id, **_marks_of(event))
        if event.kind == "pin":
            pinned = pinned - {event.id} if event.off else pinned | {event.id}
    return Snapshot(event.seq, old.since, lines, pinned)


def apply_all(old: Snapshot, events: Iterable[EventView]) -> Snapshot:
    for event in events:
        old = apply(old, event)
    return old


def _line(event: EventView) -> EventView:
    """What an event says of another line does not stand in its own."""
    return msgspec.structs.replace(event, answered=None)


def _words_of(event: EventView) -> dict[str, Any]:
    return {"body": event.body, "html": event.html, "edited": event.edited, "gone": False, "reply_to": event.reply_to}


def _marks_of(event: EventView) -> dict[str, Any]:
    return {name: getattr(event, name) for name in MARKS}


def _changed(lines: tuple[EventView, ...], message_id: str, **changes: Any) -> tuple[EventView, ...]:
    return tuple(
        msgspec.structs.replace(line, **changes) if line.kind == "message" and line.id == message_id else line
        for line in lines
    )


def _quoted(lines: tuple[EventView, ...], message_id: str, words: str) -> tuple[EventView, ...]:
    """Answers quote what they answer as it stands."""
    return tuple(
        msgspec.structs.replace(line, reply_to=msgspec.structs.replace(line.reply_to, text=excerpt(words, 80)))
        if line.reply_to and line.reply_to.id == message_id
        else line
        for line in lines
    )


def _emptied(lines: tuple[EventView, ...], message_id: str) -> tuple[EventView, ...]:
    nothing: dict[str, Any] = {"reactions": [], "files": [], "cards": [], "pinned": False, "replies": 0}
    nothing |= {"body": "", "html": "", "edited": False, "reply_to": None}
    return _changed(lines, message_id, gone=True, **nothing)
