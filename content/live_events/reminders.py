"""The bell of a planned event: shortly before, when it begins, when it moves or is called off."""

from datetime import timedelta

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict
from app.i18n import gettext as _
from community.groups.policy import readable_rooms
from community.notifications.service import notify
from content.live_events import policy

BEFORE = timedelta(minutes=10)


async def remind(viewer: Viewer, slug: str) -> None:
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    if event["state"] != "planned":
        raise Conflict(_("There is nothing left to be reminded of."))
    await db.execute(
        """INSERT INTO live_reminder (event_id, member_id, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING""",
        event["id"],
        member_id,
        clock.now(),
    )


async def forget(viewer: Viewer, slug: str) -> None:
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    await db.execute("DELETE FROM live_reminder WHERE event_id = $1 AND member_id = $2", event["id"], member_id)


async def ring_before() -> int:
    """Ring for what begins within minutes; how many events."""
    rows = await db.fetch(
        """UPDATE live_event SET reminded_at = $1
            WHERE state = 'planned' AND reminded_at IS NULL AND starts_at BETWEEN $1 AND $2 RETURNING id""",
        clock.now(),
        clock.now() + BEFORE,
    )
    for row in rows:
        await ring(row["id"], "live_soon")
    return len(rows)


async def ring(event_id: int, kind: str) -> None:
    """Tell whoever asked to be told and may still see the event, once for each hour that it was set to."""
    event = await db.fetch_one("SELECT * FROM live_event WHERE id = $1", event_id)
    if event is None:
        return
    members = await db.fetch(
        f"""SELECT lr.member_id FROM live_reminder lr JOIN live_event e ON e.id = lr.event_id
              JOIN room r ON r.id = e.room_id
             WHERE lr.event_id = $1 AND lr.member_id <> e.host_id AND {readable_rooms("r", "lr.member_id")}
             ORDER BY lr.member_id""",
        event_id,
    )
    for row in members:
        await notify(
            row["member_id"],
            kind,
            source=f"live:{event_id}:{kind}:{event['starts_at']:%Y%m%d%H%M}",
            url=f"/live/{event['slug']}",
            data={"title": event["title"], "starts_at": event["starts_at"].isoformat()},
        )
