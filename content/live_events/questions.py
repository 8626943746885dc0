"""Questions raised to the host: said in the room, gathered in a queue, voted for, answered."""

from uuid import UUID

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, NotFound
from app.i18n import gettext as _
from community.chat import policy as chat_policy
from community.chat import service as chat
from community.chat import writer
from content.live_events import counts, policy


async def ask(viewer: Viewer, slug: str, client_id: UUID, body: str) -> tuple[int, bool]:
    """Say it in the room and raise it to the host; the question's id, and whether it is new."""
    event = await policy.access_event(viewer, slug)
    _still_open(event)
    said = await chat.send(viewer, event["room_id"], client_id, body)
    return await _raise(event, said.id, require_member(viewer))


async def vote(viewer: Viewer, slug: str, question_id: int) -> None:
    """ "I want to know that too." Voting twice changes nothing."""
    event, member_id = await _as_voter(viewer, slug)
    async with db.transaction():
        await _access(event, question_id)
        won = await db.fetch_val(
            """INSERT INTO live_question_vote (question_id, member_id, created_at) VALUES ($1, $2, $3)
               ON CONFLICT DO NOTHING RETURNING id""",
            question_id,
            member_id,
            clock.now(),
        )
        if won:
            await db.execute("UPDATE live_question SET vote_count = vote_count + 1 WHERE id = $1", question_id)
            await counts.tell_soon(event)


async def unvote(viewer: Viewer, slug: str, question_id: int) -> None:
    event, member_id = await _as_voter(viewer, slug)
    async with db.transaction():
        await _access(event, question_id)
        if await db.execute(
            "DELETE FROM live_question_vote WHERE question_id = $1 AND member_id = $2", question_id, member_id
        ):
            await db.execute("UPDATE live_question SET vote_count = vote_count - 1 WHERE id = $1", question_id)
            await counts.tell_soon(event)


async def mark_answered(viewer: Viewer, slug: str, question_id: int) -> None:
    """The host answered it just now: the replay leads to this moment."""
    event = await policy.access_event_to_run(viewer, slug)
    await _settle(event, question_id, "answered", viewer)


async def dismiss(viewer: Viewer, slug: str, question_id: int) -> None:
    """Out of the queue; its words stay in the room."""
    event = await policy.access_event_to_tidy(viewer, slug)
    await _settle(event, question_id, "dismissed", viewer)


async def reopen(viewer: Viewer, slug: str, question_id: int) -> None:
    """Undo either."""
    event = await policy.access_event_to_tidy(viewer, slug)
    async with db.transaction():
        if await db.execute(
            """UPDATE live_question SET answered_at = NULL, dismissed_at = NULL, settled_by_id = NULL
                WHERE id = $1 AND event_id = $2 AND (answered_at IS NOT NULL OR dismissed_at IS NOT NULL)""",
            question_id,
            event["id"],
        ):
            await _tell(event, question_id, "raised", viewer.member_id)


async def _settle(event: asyncpg.Record, question_id: int, how: str, viewer: Viewer) -> None:
    async with db.transaction():
        await _access(event, question_id)
        if await db.execute(
            f"""UPDATE live_question SET {how}_at = $2, settled_by_id = $3
                 WHERE id = $1 AND answered_at IS NULL AND dismissed_at IS NULL""",
            question_id,
            clock.now(),
            viewer.member_id,
        ):
            await _tell(event, question_id, how, viewer.member_id)


async def _raise(event: asyncpg.Record, message_id: int, asker_id: int) -> tuple[int, bool]:
    async with db.transaction():
        made = await db.fetch_val(
            """INSERT INTO live_question (event_id, message_id, asker_id, vote_count, raised_at)
               VALUES ($1, $2, $3, 0, $4) ON CONFLICT DO NOTHING RETURNING id""",
            event["id"],
            message_id,
            asker_id,
            clock.now(),
        )
        if made:
            await _tell(event, made, "raised", asker_id, message_id)
            return made, True
    return await db.fetch_val("SELECT id FROM live_question WHERE message_id = $1", message_id), False


async def _tell(
    event: asyncpg.Record, question_id: int, state: str, by_id: int | None, message_id: int | None = None
) -> None:
    if message_id is None:
        message_id = await db.fetch_val("SELECT message_id FROM live_question WHERE id = $1", question_id)
    await writer.append(
        event["room_id"],
        "room",
        author_id=by_id,
        data={"what": "question", "question": str(question_id), "message": str(message_id), "state": state},
    )


async def _access(event: asyncpg.Record, question_id: int) -> None:
    if not await db.fetch_val("SELECT 1 FROM live_question WHERE id = $1 AND event_id = $2", question_id, event["id"]):
        raise NotFound()


async def _as_voter(viewer: Viewer, slug: str) -> tuple[asyncpg.Record, int]:
    """Who may talk in the room may vote there."""
    member_id = require_member(viewer)
    event = await policy.access_event(viewer, slug)
    _still_open(event)
    if not chat_policy.belongs(await chat_policy.access_room(viewer, event["room_id"])):
        raise Forbidden(_("Join the group to take part."))
    return event, member_id


def _still_open(event: asyncpg.Record) -> None:
    if event["state"] not in ("planned", "live"):
        raise Conflict(_("The event is over."))
