"""Reactions: each sign once a member and message. Who may write in the room may react there."""

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.i18n import gettext as _
from app.paging import Page, cut, decode
from community.chat import hanging, policy, writer
from community.chat.emoji import one_emoji
from community.chat.schemas import Author, Reacted
from community.members.queries import avatar_url

MOST_KINDS = 20


async def react(viewer: Viewer, room_id: int, message_id: int, emoji: str) -> int | None:
    """Put a sign on a message; the seq of its event, None when it was there already."""
    member_id, emoji = require_member(viewer), one_emoji(emoji)
    await policy.access_message_to_mark(viewer, room_id, message_id)
    async with db.transaction():
        await hanging.alone_in(room_id)
        won = await db.fetch_val(
            """INSERT INTO message_reaction (message_id, member_id, emoji, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING RETURNING id""",
            message_id,
            member_id,
            emoji,
            clock.now(),
        )
        if not won:
            return None
        seq = await writer.append(room_id, "react", message_id=message_id, author_id=member_id, data={"emoji": emoji})
        # With the room locked: who was shown out meanwhile leaves no sign, and of two who bring the last kind at once,
        # the second sees the first.
        await policy.access_message_to_mark(viewer, room_id, message_id)
        kinds = await db.fetch_val(
            "SELECT count(DISTINCT emoji) FROM message_reaction WHERE message_id = $1", message_id
        )
        if kinds > MOST_KINDS:
            raise Invalid(
                "emoji", _("This message has %(n)s different reactions already. Add to one of them.", n=MOST_KINDS)
            )
        await hanging.fold_one(message_id)
    return seq


async def take_back(viewer: Viewer, room_id: int, message_id: int, emoji: str) -> int | None:
    """Take one's sign off a message; the seq of its event, None when there was none."""
    member_id, emoji = require_member(viewer), one_emoji(emoji)
    await policy.access_message(viewer, room_id, message_id)
    async with db.transaction():
        await hanging.alone_in(room_id)
        gone = await db.execute(
            "DELETE FROM message_reaction WHERE message_id = $1 AND member_id = $2 AND emoji = $3",
            message_id,
            member_id,
            emoji,
        )
        if not gone:
            return None
        seq = await writer.append(
            room_id, "react", message_id=message_id, author_id=member_id, data={"emoji": emoji, "off": True}
        )
        await policy.access_message(viewer, room_id, message_id)
        await hanging.fold_one(message_id)
    return seq


async def toggle(viewer: Viewer, room_id: int, message_id: int, emoji: str) -> None:
    """What a click on a sign means: mine comes off, another's becomes mine too."""
    if await react(viewer, room_id, message_id, emoji) is None:
        await take_back(viewer, room_id, message_id, emoji)


async def who_reacted(
    viewer: Viewer, room_id: int, message_id: int, *, emoji: str | None, cursor: str | None, limit: int = 50
) -> Page[Reacted]:
    """Who put which sign there, in the order they did."""
    await policy.access_message(viewer, room_id, message_id)
    (after,) = decode(cursor, (int,)) or (0,)
    rows = await db.fetch(
        """SELECT r.id, r.emoji, r.created_at, m.id AS member_id, m.handle, m.name, m.avatar_key
             FROM message_reaction r JOIN member m ON m.id = r.member_id
            WHERE r.message_id = $1 AND r.id > $2 AND ($3::text IS NULL OR r.emoji = $3)
            ORDER BY r.id LIMIT $4""",
        message_id,
        after,
        one_emoji(emoji) if emoji else None,
        limit + 1,
    )
    shown = cut(rows, limit, lambda row: (row["id"],))
    return Page(
        [
            Reacted(
                row["emoji"],
                Author(str(row["member_id"]), row["handle"], row["name"], avatar_url(row["avatar_key"])),
                row["created_at"],
            )
            for row in shown.items
        ],
        shown.next,
    )
