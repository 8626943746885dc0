"""Live events: planned, moved, begun, ended, called off."""

from datetime import timedelta

import asyncpg

from app import clock, db, ids
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid
from app.events import publish
from app.i18n import gettext as _
from app.text import clean, slugify
from community.chat import feed, writer
from community.groups.policy import access_group_contents
from content.live_events import policy, polls
from content.live_events.events import (
    LiveEventCancelled,
    LiveEventChanged,
    LiveEventEnded,
    LiveEventMoved,
    LiveEventPlanned,
    LiveEventStarted,
)
from content.live_events.schemas import LiveChange, NewLive
from storefront.catalog.service import checked_url
from storefront.stores.policy import access_own_store

LONGEST = timedelta(hours=12)
"""After this long nobody is on the air any more: they forgot to end it."""
AHEAD = timedelta(days=366)
RESERVED = {"new", "room", "strip"}


async def plan(viewer: Viewer, new: NewLive) -> str:
    """Announce an event, with a room of its own; the slug, which it keeps. The announcer is its host."""
    host_id = require_member(viewer)
    values = _checked(new)
    group = await access_group_contents(viewer, new.group) if new.group else None
    if group is not None and group["membership"] != "active":
        raise Forbidden(_("Join the group to hold an event there."))
    store = await access_own_store(viewer, new.store) if new.store else None
    async with db.transaction():
        room_id = await _open_room(values["title"], host_id, group)
        slug = await _insert(values, host_id, room_id, group, store)
        event_id = await db.fetch_val("SELECT id FROM live_event WHERE room_id = $1", room_id)
        await publish(LiveEventPlanned(event_id=event_id), actor_id=host_id)
    return slug


async def change(viewer: Viewer, slug: str, new: LiveChange) -> None:
    """Change what is said of the event, and while it is planned, its hour."""
    event = await policy.access_own_event(viewer, slug)
    values = _checked(new, event)
    is_moved = values["starts_at"] != event["starts_at"]
    if is_moved and event["state"] != "planned":
        raise Conflict(_("It has begun; its hour stays."))
    async with db.transaction():
        await db.execute(
            """UPDATE live_event SET title = $2, summary = $3, lang = $4, watch_url = $5, starts_at = $6,
                      revision = revision + 1, reminded_at = CASE WHEN $7 THEN NULL ELSE reminded_at END
                WHERE id = $1""",
            event["id"],
            values["title"],
            values["summary"],
            values["lang"],
            values["watch_url"],
            values["starts_at"],
            is_moved,
        )
        await db.execute("UPDATE room SET name = $2 WHERE id = $1", event["room_id"], values["title"])
        await publish(LiveEventChanged(event_id=event["id"]), actor_id=event["host_id"])
        if is_moved:
            await publish(LiveEventMoved(event_id=event["id"]), actor_id=event["host_id"])


async def begin(viewer: Viewer, slug: str) -> None:
    """Go live: from now on offsets count."""
    event = await policy.access_event_to_run(viewer, slug)
    async with db.transaction():
        await _move(event, "planned", "live", went_live_at=clock.now())
        seq = await _tell(event, "live", viewer.member_id)
        await db.execute("UPDATE live_event SET first_seq = $2 WHERE id = $1", event["id"], seq)
        await publish(LiveEventStarted(event_id=event["id"]), actor_id=viewer.member_id)


async def end(viewer: Viewer, slug: str) -> None:
    event = await policy.access_event_to_tidy(viewer, slug)
    async with db.transaction():
        await _end(event, viewer.member_id)


async def cancel(viewer: Viewer, slug: str) -> None:
    """Call a planned event off; who wanted to come is told."""
    event = await policy.access_event_to_tidy(viewer, slug)
    if not may_call_off(viewer, event):
        raise Forbidden(_("Only the host or a moderator may do this."))
    async with db.transaction():
        await _call_off(event, viewer.member_id)


def may_call_off(viewer: Viewer, event: asyncpg.Record) -> bool:
    return policy.is_host(viewer, event) or policy.keeps_order(viewer, event)


async def end_forgotten() -> int:
    """End what has been live for longer than anybody is; how many."""
    rows = await db.fetch("SELECT * FROM live_event WHERE state = 'live' AND went_live_at < $1", clock.now() - LONGEST)
    for event in rows:
        async with db.transaction():
            await _end(event, None)
    return len(rows)


async def leave_stages(group_id: int, member_id: int) -> None:
    """Whoever left a group has no place in the rooms of its events any more. Its moderators can end them."""
    await db.execute(
        """UPDATE room_member SET state = 'left'
            WHERE member_id = $2 AND state <> 'left'
              AND room_id IN (SELECT room_id FROM live_event WHERE group_id = $1)""",
        group_id,
        member_id,
    )


async def clear_stage_of(host_id: int) -> None:
    """The host is gone: what they planned is called off, what they began is ended."""
    for event in await db.fetch("SELECT id FROM live_event WHERE host_id = $1 ORDER BY id", host_id):
        await clear_stage(event["id"])


async def clear_stage(event_id: int) -> None:
    """Call it off when it is planned, end it when it is live; else there is nothing to do."""
    event = await db.fetch_one("SELECT * FROM live_event WHERE id = $1", event_id)
    if event is None or event["state"] not in ("planned", "live"):
        return
    async with db.transaction():
        if event["state"] == "live":
            await _end(event, None)
        else:
            await _call_off(event, None)


async def shut_room(event_id: int, is_shut: bool) -> None:
    """Whether the event's room is closed to all but its hosts and who keeps order, in a group's event too."""
    room_id = await db.fetch_val(
        """UPDATE room SET is_shut = $2, is_open = room.group_id IS NULL FROM live_event e
            WHERE room.id = e.room_id AND e.id = $1 AND room.is_shut <> $2 RETURNING room.id""",
        event_id,
        is_shut,
    )
    if room_id:
        db.after_commit(lambda: feed.access_changed(room_id))


async def _call_off(event: asyncpg.Record, by_id: int | None) -> None:
    await _move(event, "planned", "cancelled")
    await _tell(event, "cancelled", by_id)
    await publish(LiveEventCancelled(event_id=event["id"]), actor_id=by_id)


async def _end(event: asyncpg.Record, by_id: int | None) -> None:
    # The poll's row first, as voters do: the other way round the two would wait for each other.
    poll_id = await db.fetch_val(
        "UPDATE live_poll SET closed_at = $2 WHERE event_id = $1 AND closed_at IS NULL RETURNING id",
        event["id"],
        clock.now(),
    )
    await _move(event, "live", "ended", ended_at=clock.now())
    if poll_id:
        await polls.tell_result(event["room_id"], poll_id, by_id)
    await db.execute(
        "UPDATE live_pin SET unpinned_at = $2 WHERE event_id = $1 AND unpinned_at IS NULL", event["id"], clock.now()
    )
    seq = await _tell(event, "ended", by_id)
    await db.execute("UPDATE live_event SET last_seq = $2 WHERE id = $1", event["id"], seq)
    await publish(LiveEventEnded(event_id=event["id"]), actor_id=by_id)


async def _move(event: asyncpg.Record, before: str, after: str, **moments: object) -> None:
    """One step of its life; whoever comes second is told that it is done already."""
    also = "".join(f", {name} = ${n}" for n, name in enumerate(moments, start=4))
    moved = await db.execute(
        f"UPDATE live_event SET state = $3, revision = revision + 1{also} WHERE id = $1 AND state = $2",
        event["id"],
        before,
        after,
        *moments.values(),
    )
    if not moved:
        raise Conflict(_("The event has moved on already. Load the page again."))


async def _tell(event: asyncpg.Record, state: str, by_id: int | None) -> int:
    return await writer.append(event["room_id"], "room", author_id=by_id, data={"what": "live", "state": state})


async def _open_room(title: str, host_id: int, group: asyncpg.Record | None) -> int:
    room_id: int = await db.fetch_val(
        """INSERT INTO room (kind, group_id, name, is_open, seq, epoch, created_at)
           VALUES ('live', $1, $2, $3, 0, $4, $5) RETURNING id""",
        group["id"] if group else None,
        title,
        group is None,
        ids.new_code(6),
        clock.now(),
    )
    await db.execute(
        """INSERT INTO room_member (room_id, member_id, role, state, joined_at)
           VALUES ($1, $2, 'host', 'active', $3)""",
        room_id,
        host_id,
        clock.now(),
    )
    return room_id


async def _insert(
    values: dict, host_id: int, room_id: int, group: asyncpg.Record | None, store: asyncpg.Record | None
) -> str:
    """Under the first free slug."""
    slug = wanted = slugify(values["title"], "live")
    while True:
        if slug not in RESERVED and await db.fetch_val(
            """INSERT INTO live_event (slug, title, summary, lang, host_id, group_id, store_id, room_id, watch_url,
                                       state, starts_at, revision, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'planned', $10, 0, $11)
               ON CONFLICT (slug) DO NOTHING RETURNING id""",
            slug,
            values["title"],
            values["summary"],
            values["lang"],
            host_id,
            group["id"] if group else None,
            store["id"] if store else None,
            room_id,
            values["watch_url"],
            values["starts_at"],
            clock.now(),
        ):
            return slug
        slug = f"{wanted[:50]}-{ids.new_code(4)}"


def _checked(new: NewLive | LiveChange, event: asyncpg.Record | None = None) -> dict:
    """The values as they are kept. The hour of a new event lies ahead, by a minute for a slow hand."""
    is_same_hour = event is not None and new.starts_at == event["starts_at"]
    now = clock.now()
    if not is_same_hour and not now - timedelta(minutes=5) <= new.starts_at <= now + AHEAD:
        raise Invalid("starts_at", _("An hour within the next year, please."))
    return {
        "title": clean(new.title, "title", least=3, most=120),
        "summary": clean(new.summary, "summary", most=1000, lines=True),
        "lang": new.lang,
        "watch_url": checked_url(new.watch_url, "watch_url") if new.watch_url.strip() else "",
        "starts_at": new.starts_at,
    }
