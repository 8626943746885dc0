"""What a message said before it was changed: for its author and for those who run the room, until it is deleted."""

import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden
from app.i18n import gettext as _
from app.paging import Page, cut, decode
from community.chat import policy

MOST = 100


async def former_words(
    viewer: Viewer, room_id: int, message_id: int, *, cursor: str | None = None, limit: int = MOST
) -> tuple[asyncpg.Record, Page[asyncpg.Record]]:
    """The message as it stands, and its former words, the last ones first."""
    member_id = require_member(viewer, "read")
    room, message = await policy.access_message(viewer, room_id, message_id)
    if message["author_id"] != member_id and not policy.may_moderate(viewer, room):
        raise Forbidden(_("Former words are for their author and for moderators."))
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        """SELECT id, body, until FROM message_version WHERE message_id = $1 AND ($2::bigint IS NULL OR id < $2)
            ORDER BY id DESC LIMIT $3""",
        message_id,
        before,
        limit + 1,
    )
    return message, cut(rows, limit, lambda row: (row["id"],))
