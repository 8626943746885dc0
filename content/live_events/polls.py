"""Polls of the host: one vote a member, counts as they come, closed by the host or with the event."""

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound
from app.i18n import gettext as _
from app.text import clean
from community.chat import policy as chat_policy
from community.chat import writer
from content.live_events import counts, policy
from content.live_events.schemas import MOST_OPTIONS, NewPoll


async def open_poll(viewer: Viewer, slug: str, new: NewPoll) -> int:
    """Ask the room; the poll's id. One at a time."""
    event = await policy.access_event_to_run(viewer, slug)
    question = clean(new.question, "question", least=3, most=200)
    options = [text for text in (clean(option, "options", most=80) for option in new.options) if text]
    if not 2 <= len(options) <= MOST_OPTIONS or len(set(options)) < len(options):
        raise Invalid("options", _("Two to %(n)s different answers, please.", n=MOST_OPTIONS))
    async with db.transaction():
        if await db.fetch_val("SELECT state FROM live_event WHERE id = $1 FOR SHARE", event["id"]) != "live":
            raise Conflict(_("A poll needs an event that is live."))
        poll_id = await db.fetch_val(
            """INSERT INTO live_poll (event_id, question, opened_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            event["id"],
            question,
            clock.now(),
        )
        if poll_id is None:
            raise Conflict(_("Another poll is open. Close it first."))
        await db.execute(
            """INSERT INTO live_poll_option (poll_id, position, text, vote_count)
               SELECT $1, place, text, 0 FROM unnest($2::text[]) WITH ORDINALITY AS given (text, place)""",
            poll_id,
            options,
        )
        data = {"what": "poll", "poll": str(poll_id), "state": "open", "question": question, "options": options}
        await writer.append(event["room_id"], "room", author_id=viewer.member_id, data=data)
    return poll_id


async def vote(viewer: Viewer, slug: str, poll_id: int, place: int) -> None:
    """One vote of each member; until the poll closes it may go to another answer."""
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    if not chat_policy.belongs(await chat_policy.access_room(viewer, event["room_id"])):
        raise Forbidden(_("Join the group to take part."))
    async with db.transaction():
        # Votes of one poll go one after the other: what is counted is what was voted.
        poll = await db.fetch_one(
            "SELECT closed_at FROM live_poll WHERE id = $1 AND event_id = $2 FOR NO KEY UPDATE", poll_id, event["id"]
        )
        option_id = await db.fetch_val(
            "SELECT id FROM live_poll_option WHERE poll_id = $1 AND position = $2", poll_id, place
        )
        if poll is None or option_id is None:
            raise NotFound()
        if poll["closed_at"] is not None:
            raise Conflict(_("The poll is closed."))
        before = await db.fetch_val(
            "SELECT option_id FROM live_poll_vote WHERE poll_id = $1 AND member_id = $2", poll_id, member_id
        )
        if before == option_id:
            return
        await db.execute(
            """INSERT INTO live_poll_vote (poll_id, option_id, member_id, at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (poll_id, member_id) DO UPDATE SET option_id = excluded.option_id, at = excluded.at""",
            poll_id,
            option_id,
            member_id,
            clock.now(),
        )
        await db.execute(
            """UPDATE live_poll_option SET vote_count = vote_count + CASE id WHEN $1 THEN 1 ELSE -1 END
                WHERE id IN ($1, $2)""",
            option_id,
            before,
        )
        await counts.tell_soon(event)


async def close(viewer: Viewer, slug: str, poll_id: int) -> None:
    """No more votes; the counts stand. Closing twice changes nothing."""
    event = await policy.access_event_to_tidy(viewer, slug)
    async with db.transaction():
        closed = await db.execute(
            "UPDATE live_poll SET closed_at = $3 WHERE id = $1 AND event_id = $2 AND closed_at IS NULL",
            poll_id,
            event["id"],
            clock.now(),
        )
        if closed:
            await tell_result(event["room_id"], poll_id, viewer.member_id)


async def tell_result(room_id: int, poll_id: int, by_id: int | None) -> None:
    rows = await db.fetch("SELECT vote_count FROM live_poll_option WHERE poll_id = $1 ORDER BY position", poll_id)
    data = {"what": "poll", "poll": str(poll_id), "state": "closed", "counts": [row["vote_count"] for row in rows]}
    await writer.append(room_id, "room", author_id=by_id, data=data)
