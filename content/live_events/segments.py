"""The transcript: what the host said, in writing, by the host; typed along, or taken from a file of subtitles."""

from app import clock, db
from app.auth import Viewer
from app.errors import Conflict, Invalid, NotFound
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from content.live_events import policy
from content.live_events.events import LiveEventChanged
from content.live_events.schemas import MOST_SEGMENTS, NewSegment
from content.live_events.transcript import lines_of


async def write(viewer: Viewer, slug: str, new: NewSegment) -> int:
    """One thing that was said: now, or so many seconds after going live."""
    event = await policy.access_event_to_run(viewer, slug)
    body = clean(new.body, "body", least=1, most=2000, lines=True)
    if event["went_live_at"] is None:
        raise Conflict(_("The transcript begins when the event does."))
    end = event["ended_at"] or clock.now()
    most = int((end - event["went_live_at"]).total_seconds())
    offset = most if new.offset is None else new.offset
    if offset > most:
        raise Invalid("offset", _("That is after the end."))
    async with db.transaction():
        await db.execute("SELECT 1 FROM live_event WHERE id = $1 FOR NO KEY UPDATE", event["id"])
        if await db.fetch_val("SELECT count(*) FROM live_segment WHERE event_id = $1", event["id"]) >= MOST_SEGMENTS:
            raise Conflict(_("The transcript is full."))
        segment_id: int = await db.fetch_val(
            """INSERT INTO live_segment (event_id, offset_seconds, body, created_at)
               VALUES ($1, $2, $3, $4) RETURNING id""",
            event["id"],
            offset,
            body,
            clock.now(),
        )
        await publish(LiveEventChanged(event_id=event["id"]), actor_id=viewer.member_id)
    return segment_id


async def take_transcript(viewer: Viewer, slug: str, text: str) -> int:
    """Subtitles take the place of what was written before; how many segments. What lies after the end is left out."""
    event = await policy.access_own_event(viewer, slug)
    if event["state"] != "ended":
        raise Conflict(_("Subtitles can be added when the event has ended."))
    most = int((event["ended_at"] - event["went_live_at"]).total_seconds())
    found = [(offset, clean(body, "text", most=2000)) for offset, body in lines_of(text) if offset <= most]
    found = [(offset, body) for offset, body in found if body][: MOST_SEGMENTS + 1]
    if not found:
        raise Invalid("text", _("No line with a time was found. Each begins like 12:04, or it is WebVTT or SRT."))
    if len(found) > MOST_SEGMENTS:
        raise Invalid("text", _("At most %(n)s lines, please.", n=MOST_SEGMENTS))
    async with db.transaction():
        await db.execute("SELECT 1 FROM live_event WHERE id = $1 FOR NO KEY UPDATE", event["id"])
        await db.execute("DELETE FROM live_segment WHERE event_id = $1", event["id"])
        await db.execute(
            """INSERT INTO live_segment (event_id, offset_seconds, body, created_at)
               SELECT $1, t.seconds, t.body, $4 FROM unnest($2::int[], $3::text[]) WITH ORDINALITY
                      AS t (seconds, body, place) ORDER BY t.place""",
            event["id"],
            [offset for offset, _body in found],
            [body for _offset, body in found],
            clock.now(),
        )
        await publish(LiveEventChanged(event_id=event["id"]), actor_id=viewer.member_id)
    return len(found)


async def erase(viewer: Viewer, slug: str, segment_id: int) -> None:
    event = await policy.access_event_to_tidy(viewer, slug)
    async with db.transaction():
        if not await db.execute("DELETE FROM live_segment WHERE id = $1 AND event_id = $2", segment_id, event["id"]):
            raise NotFound()
        await publish(LiveEventChanged(event_id=event["id"]), actor_id=viewer.member_id)
