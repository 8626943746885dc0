"""Others who host along: asked by the host, there once they say yes, gone as soon as either of the two says so.

A co-host is a `host` of the room like the one who announced the event, holds products up and runs the desk. The hour,
calling it off and who else hosts stay with the host.
"""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from community.chat import feed
from community.chat.events import RoleLost
from community.groups.policy import readable_rooms
from community.members.queries import member_by_handle
from community.notifications.service import notify
from community.privacy.queries import no_block_between
from content.live_events import policy

MOST_COHOSTS = 5


async def invite(viewer: Viewer, slug: str, handle: str) -> int:
    """Ask somebody to host along; their id. Asking twice asks once."""
    event = await policy.access_own_event(viewer, slug)
    asked = await _whom(event, handle)
    async with db.transaction():
        await _still_to_come(event["id"])
        if await _hosts(event, asked["id"]):
            return asked["id"]
        if await _places_taken(event) >= MOST_COHOSTS:
            raise Conflict(_("At most %(n)s host along.", n=MOST_COHOSTS))
        if await db.fetch_val(
            """INSERT INTO live_invite (event_id, member_id, invited_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            event["id"],
            asked["id"],
            clock.now(),
        ):
            await notify(
                asked["id"],
                "live_cohost",
                source=f"live:{event['id']}:cohost:{clock.now():%Y%m%d%H}",
                url=f"/live/{slug}",
                data={"title": event["title"], "host": event["name"] or event["handle"]},
            )
    return asked["id"]


async def accept(viewer: Viewer, slug: str) -> None:
    """Host along. Saying yes twice changes nothing; to what nobody asked, there is nothing to say yes to."""
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    async with db.transaction():
        await _still_to_come(event["id"])
        asked = await db.execute(
            "DELETE FROM live_invite WHERE event_id = $1 AND member_id = $2", event["id"], member_id
        )
        if asked:
            await db.execute(
                """INSERT INTO room_member (room_id, member_id, role, state, joined_at)
                   VALUES ($1, $2, 'host', 'active', $3)
                   ON CONFLICT (room_id, member_id) DO UPDATE SET role = 'host', state = 'active'""",
                event["room_id"],
                member_id,
                clock.now(),
            )
        elif not await _hosts(event, member_id):
            raise NotFound()


async def decline(viewer: Viewer, slug: str) -> None:
    """Say no to being asked, or host no longer."""
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    await _let_go(event, member_id)


async def remove(viewer: Viewer, slug: str, handle: str) -> None:
    """The host takes the question back, or the place: with the next request the desk is closed to them."""
    event = await policy.access_own_event(viewer, slug)
    gone = await db.fetch_val("SELECT id FROM member WHERE lower(handle) = lower($1)", handle.strip().removeprefix("@"))
    if gone is None:
        raise NotFound()
    await _let_go(event, gone)


async def _let_go(event: asyncpg.Record, member_id: int) -> None:
    if member_id == event["host_id"]:
        raise Forbidden(_("The host stays. An event can be called off, or ended."))
    async with db.transaction():
        await db.execute("DELETE FROM live_invite WHERE event_id = $1 AND member_id = $2", event["id"], member_id)
        left = await db.execute(
            """UPDATE room_member SET state = 'left', role = 'member'
                WHERE room_id = $1 AND member_id = $2 AND role = 'host'""",
            event["room_id"],
            member_id,
        )
        if left:
            await publish(RoleLost(room_id=event["room_id"], member_id=member_id))
            db.after_commit(lambda: feed.access_changed(event["room_id"]))


async def _whom(event: asyncpg.Record, handle: str) -> asyncpg.Record:
    """Who may be asked: a person who may read the room, and who is at peace with the host."""
    try:
        found = await member_by_handle(handle.strip().removeprefix("@"))
    except NotFound:
        raise Invalid("handle", _("Nobody here has that handle.")) from None
    if found["id"] == event["host_id"]:
        raise Invalid("handle", _("This is you."))
    may_come = await db.fetch_val(
        f"""SELECT {no_block_between("$2::bigint", "$3::bigint")} FROM room r
             WHERE r.id = $1 AND {readable_rooms("r", "$2")}""",
        event["room_id"],
        found["id"],
        event["host_id"],
    )
    if not may_come:
        raise Invalid("handle", _("They cannot host along here."))
    return found


async def _hosts(event: asyncpg.Record, member_id: int) -> bool:
    return bool(
        await db.fetch_val(
            "SELECT 1 FROM room_member WHERE room_id = $1 AND member_id = $2 AND role = 'host' AND state = 'active'",
            event["room_id"],
            member_id,
        )
    )


async def _places_taken(event: asyncpg.Record) -> int:
    return await db.fetch_val(
        """SELECT (SELECT count(*) FROM live_invite WHERE event_id = $1)
                + (SELECT count(*) FROM room_member
                    WHERE room_id = $2 AND member_id <> $3 AND role = 'host' AND state = 'active')""",
        event["id"],
        event["room_id"],
        event["host_id"],
    )


async def _still_to_come(event_id: int) -> None:
    """Alone with the event, unless it is over."""
    state = await db.fetch_val("SELECT state FROM live_event WHERE id = $1 FOR NO KEY UPDATE", event_id)
    if state not in ("planned", "live"):
        raise Conflict(_("The event is over."))
