"""What hangs on a message: its reactions, files, cards and pin, folded into one column of its row.

A page and a frame read it with the message, without a query more. Whoever changes one of those tables appends the
room's event first, which locks the room: so two changes of one message never fold at once.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from app import db
from app.errors import NotFound
from community.chat.parts import CardView, ChatFileView, ReactionView
from community.chat.schemas import EventView

NAMED = 50

_FOLDED = f"""jsonb_strip_nulls(jsonb_build_object(
    'reactions', (SELECT jsonb_agg(jsonb_build_object('emoji', emoji, 'n', n, 'by', by) ORDER BY first)
                    FROM (SELECT emoji, count(*) AS n, min(id) AS first,
                                 (array_agg(member_id ORDER BY id))[1:{NAMED}] AS by
                            FROM message_reaction WHERE message_id = m.id GROUP BY emoji) signs),
    'pinned', (SELECT true FROM message_pin WHERE message_id = m.id),
    'replies', m.extra -> 'replies',
    'files', (SELECT jsonb_agg(jsonb_build_object('id', id, 'kind', kind, 'name', name, 'media_type', media_type,
                                                  'bytes', bytes, 'width', width, 'height', height) ORDER BY place, id)
                FROM chat_file WHERE message_id = m.id),
    'cards', (SELECT jsonb_agg(jsonb_build_object('id', c.id, 'kind', c.kind, 'url', c.url, 'title', p.title,
                                                  'text', p.description, 'site', p.site, 'picture', p.picture)
                               || c.data ORDER BY c.place, c.id)
                FROM message_card c LEFT JOIN link_preview p ON p.id = c.preview_id
               WHERE c.message_id = m.id AND c.removed_at IS NULL AND (c.preview_id IS NULL OR p.title <> ''))))"""


async def alone_in(room_id: int) -> None:
    """Lock the room before anything that hangs in it: whoever took the two in the other order would wait for ever."""
    await db.execute("SELECT 1 FROM room WHERE id = $1 FOR NO KEY UPDATE", room_id)


async def fold(message_ids: list[int]) -> None:
    """Write anew what hangs on these messages, in the transaction that changed it."""
    await db.execute(
        f"UPDATE message m SET extra = {_FOLDED} WHERE id = ANY($1::bigint[]) AND deleted_at IS NULL", message_ids
    )


async def fold_one(message_id: int) -> None:
    """The same for a message that must be there: who deletes it may have been quicker, and holds nothing any more."""
    there = await db.fetch_val("SELECT 1 FROM message WHERE id = $1 AND deleted_at IS NULL", message_id)
    if not there:
        raise NotFound()
    await fold([message_id])


async def count_replies(answered: Iterable[int]) -> None:
    """These messages were answered once more each time they stand here. One that was taken back is still an answer."""
    times = Counter(answered)
    await db.execute(
        """UPDATE message m
              SET extra = m.extra || jsonb_build_object('replies', coalesce((extra ->> 'replies')::int, 0) + n)
             FROM unnest($1::bigint[], $2::int[]) AS t(id, n) WHERE m.id = t.id AND m.deleted_at IS NULL""",
        list(times),
        list(times.values()),
    )


async def take_off(message_id: int) -> list[str]:
    """A deleted message holds nothing any more; the storage keys of its files, to be forgotten after the commit."""
    for table in ("message_reaction", "message_pin", "message_version", "message_card", "message_mention"):
        await db.execute(f"DELETE FROM {table} WHERE message_id = $1", message_id)
    gone = await db.fetch("DELETE FROM chat_file WHERE message_id = $1 RETURNING key", message_id)
    return [row["key"] for row in gone]


def show(seen: EventView, extra: dict[str, Any], room_id: int) -> None:
    """Put it into the view of its message."""
    if not extra:
        return
    seen.pinned, seen.replies = extra.get("pinned", False), extra.get("replies", 0)
    seen.reactions = [
        ReactionView(one["emoji"], one["n"], [str(member_id) for member_id in one["by"]])
        for one in extra.get("reactions", ())
    ]
    seen.files = [_file(one, room_id) for one in extra.get("files", ())]
    seen.cards = [_card(one) for one in extra.get("cards", ())]


def _file(one: dict[str, Any], room_id: int) -> ChatFileView:
    address = f"/chat/{room_id}/files/{one['id']}"
    return ChatFileView(
        id=str(one["id"]),
        kind=one["kind"],
        name=one["name"],
        media_type=one["media_type"],
        bytes=one["bytes"],
        url=address,
        small_url=f"{address}?size=small" if one["kind"] == "picture" else "",
        width=one["width"],
        height=one["height"],
    )


def _card(one: dict[str, Any]) -> CardView:
    return msgspec.convert(one | {"id": str(one["id"])}, CardView)
