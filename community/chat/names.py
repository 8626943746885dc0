"""Whom a member may call in a room, found by the first letters of a handle or a name while it is being written."""

from app import db
from app.auth import Viewer, require_member
from community.chat import policy
from community.chat.schemas import Author
from community.members.queries import avatar_url
from community.privacy.queries import no_block_between

SHOWN = 8
_AS_WRITTEN = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


async def people_named(viewer: Viewer, room_id: int, part: str) -> list[Author]:
    """The members of the room whose handle or name begins like this; nobody of a room one may not read."""
    member_id = require_member(viewer, "read")
    await policy.access_room(viewer, room_id)
    rows = await db.fetch(
        f"""SELECT m.id, m.handle, m.name, m.avatar_key
              FROM (SELECT ms.member_id FROM room r JOIN membership ms ON ms.group_id = r.group_id
                     WHERE r.id = $1 AND ms.state = 'active'
                    UNION SELECT rm.member_id FROM room_member rm WHERE rm.room_id = $1 AND rm.state = 'active') here
              JOIN member m ON m.id = here.member_id
             WHERE m.id <> $2 AND m.kind = 'person' AND {no_block_between("m.id", "$2::bigint")}
               AND (lower(m.handle) LIKE $3 OR lower(m.name) LIKE $3 OR lower(m.name) LIKE '% ' || $3)
             ORDER BY lower(m.handle) LIKE $3 DESC, m.handle LIMIT {SHOWN}""",
        room_id,
        member_id,
        part.strip().lower().translate(_AS_WRITTEN) + "%",
    )
    return [Author(str(row["id"]), row["handle"], row["name"], avatar_url(row["avatar_key"])) for row in rows]
