"""What those who run a room do about it: show somebody out, ban, silence, slow down, freeze; and undo each of them.

Each is a row that stays (who, whom, until when, why), an event in the room's sequence, and true before the next frame.
"""

from datetime import timedelta
from typing import Any

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.chat import feed, policy, writer
from community.chat.events import MemberMeasured
from community.chat.measures_schemas import NewMeasure
from community.groups.events import GroupLeft
from community.moderation.service import note_deed
from community.notifications.service import notify

KICK_MINUTES = 10
"""A kick keeps out for a moment, so that it is felt in rooms that everybody may enter."""
SHUTS_OUT = ("kick", "ban")
ABOUT_SOMEBODY = ("kick", "ban", "silence")


async def take(viewer: Viewer, room_id: int, new: NewMeasure) -> int:
    """Do it; the measure's id. One of the same kind that stands is replaced: a ban can be made longer."""
    member_id = require_member(viewer)
    room = await access_run_room(viewer, room_id)
    reason = clean(new.reason, "reason", least=3, most=500)
    target = await _whom(viewer, room, new) if new.kind in ABOUT_SOMEBODY else None
    if new.kind == "slow" and new.seconds < 1:
        raise Invalid("seconds", _("How many seconds between two messages?"))
    minutes = KICK_MINUTES if new.kind == "kick" else new.minutes
    now = clock.now()
    async with db.transaction():
        await _lock(room_id)
        await db.execute(
            """UPDATE room_measure SET lifted_at = $4, lifted_by_id = $5
                WHERE room_id = $1 AND kind = $2 AND member_id IS NOT DISTINCT FROM $3 AND lifted_at IS NULL""",
            room_id,
            new.kind,
            target and target["id"],
            now,
            member_id,
        )
        measure = await db.fetch_one(
            """INSERT INTO room_measure (room_id, kind, member_id, seconds, until, reason, by_id, created_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *""",
            room_id,
            new.kind,
            target and target["id"],
            new.seconds if new.kind == "slow" else 0,
            now + timedelta(minutes=minutes) if minutes else None,
            reason,
            member_id,
            now,
        )
        assert measure is not None
        measure_id: int = measure["id"]
        if new.kind in SHUTS_OUT:
            db.after_commit(lambda: feed.access_changed(room_id))
            await _tell_departure(room, measure, was_in=await _remove(room, measure["member_id"]))
        else:
            await _apply(measure, on=True)
            await writer.append(room_id, "room", author_id=member_id, data=_told(measure, target, on=True))
        if target:
            await publish(MemberMeasured(room_id=room_id, measure_id=measure["id"]), actor_id=member_id)
        await _log(room, measure, member_id, reason)
    return measure_id


async def lift(viewer: Viewer, room_id: int, measure_id: int) -> None:
    """Undo a measure. Who was shown out may come back by themselves: nobody is put into a room."""
    member_id = require_member(viewer)
    room = await access_run_room(viewer, room_id)
    async with db.transaction():
        await _lock(room_id)
        measure = await db.fetch_one(
            """UPDATE room_measure SET lifted_at = $3, lifted_by_id = $4
                WHERE id = $1 AND room_id = $2 AND lifted_at IS NULL RETURNING *""",
            measure_id,
            room_id,
            clock.now(),
            member_id,
        )
        if measure is None:
            if await db.fetch_val("SELECT 1 FROM room_measure WHERE id = $1 AND room_id = $2", measure_id, room_id):
                raise Conflict(_("This was undone already, or its time is over."))
            raise NotFound()
        await _undo(measure, by_id=member_id)
        await _log(room, measure, member_id, measure["reason"], lifted=True)


async def lift_what_is_over() -> int:
    """End the measures whose time has come; how many."""
    over = await db.fetch(
        "SELECT id, room_id FROM room_measure WHERE lifted_at IS NULL AND until <= $1 ORDER BY id LIMIT 1000",
        clock.now(),
    )
    for row in over:
        async with db.transaction():
            await _lock(row["room_id"])
            measure = await db.fetch_one(
                "UPDATE room_measure SET lifted_at = until WHERE id = $1 AND lifted_at IS NULL RETURNING *", row["id"]
            )
            if measure is not None:
                await _undo(measure, by_id=None)
    return len(over)


async def tell_why(measure_id: int) -> None:
    """Ring the bell of whom it is about. Who never was in a closed room learns nothing of it."""
    row = await db.fetch_one(
        """SELECT x.*, coalesce(g.name, r.name) AS name
             FROM room_measure x JOIN room r ON r.id = x.room_id LEFT JOIN groups g ON g.id = r.group_id
            WHERE x.id = $1 AND (r.is_open OR g.visibility = 'public'
                  OR EXISTS (SELECT 1 FROM room_event e WHERE e.room_id = r.id AND e.author_id = x.member_id)
                  OR EXISTS (SELECT 1 FROM membership ms WHERE ms.group_id = g.id AND ms.member_id = x.member_id))""",
        measure_id,
    )
    if row is None:
        return
    address = f"/chat/{row['room_id']}" if row["kind"] == "silence" else "/chat/"
    data = {"kind": row["kind"], "room": row["name"], "reason": row["reason"]}
    if row["until"]:
        data["until"] = row["until"].isoformat()
    await notify(row["member_id"], "room_measure", source=f"measure:{measure_id}", url=address, data=data)


async def access_run_room(viewer: Viewer, room_id: int) -> asyncpg.Record:
    """A room the viewer runs."""
    room = await policy.access_room(viewer, room_id)
    if not policy.may_moderate(viewer, room):
        raise Forbidden(_("This is up to those who run the room."))
    return room


async def _whom(viewer: Viewer, room: asyncpg.Record, new: NewMeasure) -> asyncpg.Record:
    """The member it is about: not oneself, and nobody who runs the room unless its owner does it."""
    found = await db.fetch_one(
        """SELECT m.id, m.handle, m.name, m.role <> 'member' AS runs_all, coalesce(rm.role, ms.role) AS role,
                  ms.role AS group_role, mine.role = 'owner' AS is_by_owner
             FROM member m
             LEFT JOIN membership ms ON ms.group_id = $2 AND ms.member_id = m.id
             LEFT JOIN membership mine ON mine.group_id = $2 AND mine.member_id = $4 AND mine.state = 'active'
             LEFT JOIN room_member rm ON rm.room_id = $3 AND rm.member_id = m.id AND rm.role <> 'member'
                                   AND rm.state <> 'left'
            WHERE lower(m.handle) = lower($1)""",
        new.member.strip().removeprefix("@"),
        room["group_id"],
        room["id"],
        viewer.member_id,
    )
    if found is None:
        raise Invalid("member", _("Nobody here has that handle."))
    if found["id"] == viewer.member_id:
        raise Invalid("member", _("This is you."))
    # Who hosts in a group's room is not above those who keep order in the group.
    is_host = room["membership_role"] == "host" and found["group_role"] != "moderator"
    is_owner = found["is_by_owner"] or is_host or viewer.is_admin
    if found["role"] in ("owner", "host") or found["runs_all"] or (found["role"] == "moderator" and not is_owner):
        raise Forbidden(_("Who runs the room cannot be shown out or silenced by you."))
    return found


async def _lock(room_id: int) -> None:
    # As whoever says something there: what is being said is before this or after it, never beside it.
    await db.fetch_val("SELECT id FROM room WHERE id = $1 FOR NO KEY UPDATE", room_id)


async def _remove(room: asyncpg.Record, member_id: int) -> bool:
    """Take somebody's place in the room away; whether they had one."""
    had_place = await db.execute(
        "UPDATE room_member SET state = 'left' WHERE room_id = $1 AND member_id = $2 AND state <> 'left'",
        room["id"],
        member_id,
    )
    if room["kind"] != "group":
        return bool(had_place)
    was = await db.fetch_val(
        "DELETE FROM membership WHERE group_id = $1 AND member_id = $2 RETURNING state", room["group_id"], member_id
    )
    if was == "active":
        # Bots have a place, and are not counted.
        await db.execute(
            """UPDATE groups SET member_count = member_count - 1
                WHERE id = $1 AND EXISTS (SELECT 1 FROM member WHERE id = $2 AND kind = 'person')""",
            room["group_id"],
            member_id,
        )
        await publish(GroupLeft(group_id=room["group_id"], member_id=member_id), actor_id=member_id)
    return was == "active" or bool(had_place)


async def _tell_departure(room: asyncpg.Record, measure: asyncpg.Record, *, was_in: bool) -> None:
    kind = "leave" if was_in else "room"
    target = await db.fetch_one("SELECT id, handle, name FROM member WHERE id = $1", measure["member_id"])
    author_id = measure["member_id"] if was_in else measure["by_id"]
    await writer.append(room["id"], kind, author_id=author_id, data=_told(measure, target, on=True))


async def _apply(measure: asyncpg.Record, *, on: bool) -> None:
    """What a standing measure means for the whole room."""
    if measure["kind"] == "freeze":
        moment = measure["created_at"] if on else None
        await db.execute("UPDATE room SET frozen_at = $2 WHERE id = $1", measure["room_id"], moment)
    elif measure["kind"] == "slow":
        seconds = measure["seconds"] if on else 0
        await db.execute("UPDATE room SET slow_seconds = $2 WHERE id = $1", measure["room_id"], seconds)
        if not on:
            await db.execute("DELETE FROM room_turn WHERE room_id = $1", measure["room_id"])


async def _undo(measure: asyncpg.Record, *, by_id: int | None) -> None:
    await _apply(measure, on=False)
    if measure["kind"] not in SHUTS_OUT:
        target = await db.fetch_one("SELECT id, handle, name FROM member WHERE id = $1", measure["member_id"])
        await writer.append(measure["room_id"], "room", author_id=by_id, data=_told(measure, target, on=False))


def _told(measure: asyncpg.Record, target: asyncpg.Record | None, *, on: bool) -> dict[str, Any]:
    """What every reader of the room hears of it: of what is about somebody never why."""
    told: dict[str, Any] = {"what": measure["kind"], "on": on}
    if target:
        told["member"] = {"id": str(target["id"]), "handle": target["handle"], "name": target["name"]}
    if measure["kind"] == "slow":
        told["seconds"] = measure["seconds"] if on else 0
    if on and measure["until"]:
        told["until"] = measure["until"].isoformat()
    if on and not target:
        told["reason"] = measure["reason"]
    return told


async def _log(room: Any, measure: asyncpg.Record, by_id: int, reason: str, *, lifted: bool = False) -> None:
    """Into the community's public log, when everybody may read the room; a closed one keeps its own (see log_of)."""
    if room["is_open"] or room["visibility"] == "public":
        action = f"{measure['kind']}_lifted" if lifted else measure["kind"]
        await note_deed(by_id, action, "room", room["id"], reason)
