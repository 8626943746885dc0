import hashlib
from collections.abc import Sequence
from uuid import UUID

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Conflict, Forbidden, Invalid, NotFound, Problem, TooMany
from app.events import publish
from app.i18n import gettext as _
from app.text import clean
from community.chat import exports, hanging, policy, reads, writer
from community.chat.events import FilesDropped, LinksShared, PeopleCalled
from community.chat.links import has_links
from community.chat.mentions import rendered
from community.chat.schemas import LONGEST_MESSAGE
from community.chat.verdicts import Refusal, Said, TooSoon
from community.notifications.service import withhold


async def send(
    viewer: Viewer,
    room_id: int,
    client_id: UUID,
    body: str,
    reply_to: int | None = None,
    files: Sequence[int] = (),
) -> Said:
    """Say something in a room; durable when this returns. The same client id says it once, for ever.

    `files` were brought in before (files.keep); with one, a message needs no words.
    """
    member_id = require_member(viewer)
    body = _cleaned(body, least=0 if files else 1)
    outcome = await writer.say(
        room_id=room_id,
        author_id=member_id,
        client_id=client_id,
        fingerprint=hashlib.sha256(f"{_named(reply_to, files)}\n{body}".encode()).digest(),
        body=body,
        html=rendered(body),
        reply_to=reply_to,
        files=files,
    )
    if not isinstance(outcome, Said):
        raise _problem_of(outcome)
    reads.note(room_id, member_id, outcome.seq, tell=False)
    return outcome


async def said_before(viewer: Viewer, room_id: int, client_id: UUID) -> Said | None:
    """The viewer's message of that client id, if it was said."""
    row = await db.fetch_one(
        "SELECT id, seq FROM message WHERE room_id = $1 AND author_id = $2 AND client_id = $3",
        room_id,
        require_member(viewer),
        client_id,
    )
    return Said(row["id"], row["seq"], is_new=False) if row else None


async def edit(viewer: Viewer, room_id: int, message_id: int, body: str) -> int:
    """Change one's own words; the seq of the change. The same words again change nothing."""
    message = await policy.access_own_message(viewer, room_id, message_id)
    body = _cleaned(body, least=0 if message["extra"].get("files") else 1)
    if body == message["body"]:
        return message["seq"]
    async with db.transaction():
        seq = await writer.append(room_id, "edit", message_id=message_id, author_id=viewer.member_id)
        # With the room locked: whoever was shown out just before has no word after their going.
        await policy.access_own_message(viewer, room_id, message_id)
        html = rendered(body)
        # With the room locked nobody else changes it: what it said until now is what everybody read.
        former = await db.fetch_val(
            """WITH former AS (SELECT body, html FROM message WHERE id = $1 AND deleted_at IS NULL),
                    kept AS (INSERT INTO message_version (message_id, body, until) SELECT $1, body, $4 FROM former),
                    changed AS (UPDATE message SET body = $2, html = $3 WHERE id = $1 AND deleted_at IS NULL)
               SELECT html FROM former""",
            message_id,
            body,
            html,
            clock.now(),
        )
        if former is None:
            raise NotFound()
        await exports.drop_those_with(message_id)
        if message["reply_to_id"] or "@" in html or "@" in former:
            await publish(PeopleCalled(message_id=message_id))
        if has_links(html) or has_links(former):
            await publish(LinksShared(message_id=message_id))
    return seq


async def delete(viewer: Viewer, room_id: int, message_id: int) -> int:
    """Take a message away: its words, signs and files are gone from the database too. The seq of the deletion."""
    message = await policy.access_deletable_message(viewer, room_id, message_id)
    async with db.transaction():
        seq = await writer.append(room_id, "delete", message_id=message_id, author_id=viewer.member_id)
        await policy.access_deletable_message(viewer, room_id, message_id)
        changed = await db.execute(
            """UPDATE message SET body = '', html = '', extra = '{}', deleted_at = $2
                WHERE id = $1 AND deleted_at IS NULL""",
            message_id,
            clock.now(),
        )
        if not changed:
            raise NotFound()
        await exports.drop_those_with(message_id)
        if keys := await hanging.take_off(message_id):
            await publish(FilesDropped(keys=keys))
        await reads.take_back_mentions(room_id, message["seq"])
        await withhold(f"message:{message_id}")
    return seq


async def note_membership(group_id: int, member_id: int) -> None:
    """Tell the group's room that someone came or went, unless that was the last it was told of them."""
    async with db.transaction():
        room_id = await db.fetch_val(
            "SELECT id FROM room WHERE group_id = $1 AND kind = 'group' FOR NO KEY UPDATE", group_id
        )
        if room_id is None:
            return
        is_in, last = await db.fetch_one(  # type: ignore[misc]
            """SELECT EXISTS (SELECT 1 FROM membership
                               WHERE group_id = $2 AND member_id = $3 AND state = 'active'),
                      (SELECT kind FROM room_event WHERE room_id = $1 AND author_id = $3 AND kind IN ('join', 'leave')
                        ORDER BY seq DESC LIMIT 1)""",
            room_id,
            group_id,
            member_id,
        )
        now = "join" if is_in else "leave"
        if now == last:
            return
        seq = await writer.append(room_id, now, author_id=member_id)
        if is_in:
            # What was said before one came is not unread.
            await reads.move([(room_id, member_id, seq)])


async def tell_again(message_id: int) -> None:
    """Have every open page look at a message anew, because moderators withheld or restored it."""
    async with db.transaction():
        room_id = await db.fetch_val("SELECT room_id FROM message WHERE id = $1", message_id)
        if room_id is None:
            return
        await writer.append(room_id, "edit", message_id=message_id)
        await exports.drop_those_with(message_id)


async def mark_read(viewer: Viewer, room_id: int, seq: int) -> None:
    await policy.access_room(viewer, room_id)
    reads.note(room_id, require_member(viewer, "read"), seq)


def _cleaned(body: str, *, least: int = 1) -> str:
    return clean(body, "body", least=least, most=LONGEST_MESSAGE, lines=True)


def _named(reply_to: int | None, files: Sequence[int]) -> str:
    """What a message says beside its words, for its fingerprint."""
    return str(reply_to or "") + "".join(f"+{file_id}" for file_id in files)


def _problem_of(refusal: Refusal | TooSoon) -> Problem:
    match refusal:
        case Refusal.NO_ROOM:
            return NotFound()
        case Refusal.NOT_A_MEMBER:
            return Forbidden(_("Join the group to write here."))
        case Refusal.SUSPENDED:
            return Forbidden(_("This account is suspended and cannot write."))
        case Refusal.SILENCED:
            return Forbidden(_("A moderator asked you to be silent here for now."))
        case Refusal.FROZEN:
            return Forbidden(_("A moderator has frozen this room. You can read it."))
        case Refusal.UNANSWERED:
            return Forbidden(_("You can write on here once you are answered."))
        case Refusal.CLOSED:
            return Forbidden(_("You cannot write here any more."))
        case TooSoon(seconds=n):
            return TooMany(_("Slow mode: you can write here again in %(n)s s.", n=n), retry_after=n)
        case Refusal.OTHER_WORDS:
            return Conflict(_("This client_id was used before for other words."))
        case Refusal.NO_SUCH_FILE:
            return Invalid("files", _("A file of this message is no longer there. Please choose it again."))
        case Refusal.NO_SUCH_MESSAGE:
            return Invalid("reply_to", _("The message you answer is no longer there."))
