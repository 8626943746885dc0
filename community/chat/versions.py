"""What a message said before it was changed: for its author and for those who run the room, until it is deleted."""

import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden
from app.i18n import gettext as _
from community.chat import policy

MOST = 100


async def former_words(viewer: Viewer, room_id: int, message_id: int) -> tuple[asyncpg.Record, list[asyncpg.Record]]:
    """The message as it stands, and its former words, the last ones first."""
    member_id = require_member(viewer, "read")
    room, message = await policy.access_message(viewer, room_id, message_id)
    if message["author_id"] != member_id and not policy.may_moderate(viewer, room):
        raise Forbidden(_("Former words are for their author and for moderators."))
    rows = await db.fetch(
        "SELECT body, until FROM message_version WHERE message_id = $1 ORDER BY id DESC LIMIT $2", message_id, MOST
    )
    return message, rows
