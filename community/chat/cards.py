"""Links of a message as cards. A page of the web is asked by a job (previews.py); features above show what they know
of their own addresses (`put_product`). Nothing of it delays the message: a card comes with an event of its own."""

from typing import Any

from app import clock, db, limits
from app.auth import Viewer, require_member
from app.disclosure import is_earning
from app.errors import Forbidden, NotFound, TooMany
from app.events import publish
from app.i18n import gettext as _
from community.chat import hanging, policy, previews, writer
from community.chat.events import PreviewWanted
from community.chat.links import is_ours, links_in

MOST_ASKED_AN_HOUR = 120


async def look_at(message_id: int) -> list[str]:
    """Make the cards of a message fit its links now; those links. Ours are left to the features that know them."""
    row = await db.fetch_one(
        "SELECT room_id, author_id, html FROM message WHERE id = $1 AND deleted_at IS NULL", message_id
    )
    if row is None:
        return []
    links = links_in(row["html"])
    may_ask = await _may_ask(row["author_id"], links)
    async with db.transaction():
        await hanging.alone_in(row["room_id"])
        dropped = await db.execute(
            "DELETE FROM message_card WHERE message_id = $1 AND url <> ALL($2::text[]) AND removed_at IS NULL",
            message_id,
            links,
        )
        is_known = False
        for place, url in enumerate(links):
            # An earning link is followed by people alone: a robot's visit would be counted as one.
            if may_ask and not is_ours(url) and not is_earning(url):
                is_known |= await _put_preview(message_id, place, url)
        if dropped or is_known:
            await _tell(row["room_id"], [message_id])
    return links


async def _may_ask(author_id: int, links: list[str]) -> bool:
    """Nobody makes us knock at others' doors all day: beyond this, links stay links."""
    try:
        await limits.limit("chat-preview", author_id, most=MOST_ASKED_AN_HOUR, per=3600, cost=len(links))
    except TooMany:
        return False
    return True


async def _put_preview(message_id: int, place: int, url: str) -> bool:
    """True when the card can be shown at once, because somebody shared the same page before."""
    preview = await previews.remember(url)
    put = await db.execute(
        """INSERT INTO message_card (message_id, place, kind, url, preview_id) VALUES ($1, $2, 'link', $3, $4)
           ON CONFLICT DO NOTHING""",
        message_id,
        place,
        url,
        preview["id"],
    )
    if put and previews.is_stale(preview):
        await publish(PreviewWanted(preview_id=preview["id"]))
    return bool(put and preview["title"])


async def put_product(message_id: int, url: str, subject: str, data: dict[str, Any]) -> None:
    """Show what a link of the message leads to as a product; again with the same facts changes nothing."""
    async with db.transaction():
        row = await db.fetch_one("SELECT room_id, html FROM message WHERE id = $1 AND deleted_at IS NULL", message_id)
        links = links_in(row["html"]) if row else []
        if row is None or url not in links:
            return
        await hanging.alone_in(row["room_id"])
        put = await db.execute(
            """INSERT INTO message_card (message_id, place, kind, url, subject, data)
               VALUES ($1, $2, 'product', $3, $4, $5)
               ON CONFLICT (message_id, url) DO UPDATE
                     SET kind = 'product', subject = excluded.subject, data = excluded.data, preview_id = NULL
                   WHERE (message_card.kind, message_card.data) IS DISTINCT FROM ('product', excluded.data)""",
            message_id,
            links.index(url),
            url,
            subject,
            data,
        )
        if put:
            await _tell(row["room_id"], [message_id])


async def refresh(subject: str, data: dict[str, Any]) -> int:
    """What the cards of this subject show has changed; in how many messages."""
    changed = 0
    rooms = await db.fetch(
        """SELECT m.room_id, array_agg(DISTINCT m.id) AS message_ids
             FROM message_card c JOIN message m ON m.id = c.message_id
            WHERE c.subject = $1 AND c.removed_at IS NULL AND m.deleted_at IS NULL GROUP BY m.room_id ORDER BY 1""",
        subject,
    )
    for room in rooms:
        async with db.transaction():
            await hanging.alone_in(room["room_id"])
            touched = await db.fetch(
                """UPDATE message_card SET data = data || $2::jsonb
                    WHERE subject = $1 AND message_id = ANY($3::bigint[]) AND data || $2::jsonb <> data
                   RETURNING message_id""",
                subject,
                data,
                room["message_ids"],
            )
            message_ids = sorted({row["message_id"] for row in touched})
            if message_ids:
                await _tell(room["room_id"], message_ids)
        changed += len(message_ids)
    return changed


async def show_preview(preview_id: int) -> None:
    """A page has answered: the messages that link to it get their card."""
    rooms = await db.fetch(
        """SELECT m.room_id, array_agg(DISTINCT m.id) AS message_ids
             FROM message_card c JOIN message m ON m.id = c.message_id
            WHERE c.preview_id = $1 AND c.removed_at IS NULL AND m.deleted_at IS NULL GROUP BY m.room_id ORDER BY 1""",
        preview_id,
    )
    for room in rooms:
        async with db.transaction():
            await _tell(room["room_id"], sorted(room["message_ids"]))


async def remove(viewer: Viewer, room_id: int, message_id: int, card_id: int) -> None:
    """Take a card off a message, for good: its author or a moderator. The link in the words stays."""
    member_id = require_member(viewer)
    room, message = await policy.access_message(viewer, room_id, message_id)
    if message["author_id"] != member_id and not policy.may_moderate(viewer, room):
        raise Forbidden(_("Only its author or a moderator can take a card off."))
    async with db.transaction():
        await hanging.alone_in(room_id)
        gone = await db.execute(
            "UPDATE message_card SET removed_at = $3 WHERE id = $1 AND message_id = $2 AND removed_at IS NULL",
            card_id,
            message_id,
            clock.now(),
        )
        if not gone:
            raise NotFound()
        await _tell(room_id, [message_id])


async def _tell(room_id: int, message_ids: list[int]) -> None:
    """Nobody changed their words: the event has no author, and the message is not called edited."""
    for message_id in message_ids:
        await writer.append(room_id, "edit", message_id=message_id)
    await hanging.fold(message_ids)
