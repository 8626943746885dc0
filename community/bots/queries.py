import asyncpg

from app import db
from app.paging import Page, cut, decode
from app.settings import settings
from community.bots.schemas import BotView
from community.members.queries import avatar_url

MOST_SHOWN = 100


def address_of(key: str) -> str:
    return f"{settings().base_url}/hooks/rooms/{key}"


_BOT = """
    SELECT b.id, b.key, b.room_id, b.created_at, b.said_at, m.id AS member_id, m.name, m.avatar_key,
           by.handle AS made_by,
           CASE WHEN r.kind = 'group' THEN EXISTS (
                    SELECT 1 FROM membership ms WHERE ms.group_id = r.group_id AND ms.member_id = b.member_id
                                                  AND ms.state = 'active')
                ELSE EXISTS (
                    SELECT 1 FROM room_member rm WHERE rm.room_id = r.id AND rm.member_id = b.member_id
                                                   AND rm.state = 'active') END AS may_speak
      FROM bot b JOIN member m ON m.id = b.member_id JOIN member by ON by.id = b.made_by_id
      JOIN room r ON r.id = b.room_id"""


async def bots_of_room(room_id: int, *, cursor: str | None = None, limit: int = MOST_SHOWN) -> Page[BotView]:
    """Those that may speak there, the newest first."""
    (before,) = decode(cursor, (int,)) or (None,)
    rows = await db.fetch(
        f"""{_BOT} WHERE b.room_id = $1 AND b.revoked_at IS NULL AND ($2::bigint IS NULL OR b.id < $2)
             ORDER BY b.id DESC LIMIT $3""",
        room_id,
        before,
        limit + 1,
    )
    found = cut(rows, limit, lambda row: (row["id"],))
    return Page([_view(row) for row in found.items], found.next)


async def bot_view(bot_id: int) -> BotView:
    row = await db.fetch_one(f"{_BOT} WHERE b.id = $1", bot_id)
    assert row is not None
    return _view(row)


async def bot_by_key(key: str) -> asyncpg.Record | None:
    return await db.fetch_one(
        """SELECT b.*, m.handle, m.name FROM bot b JOIN member m ON m.id = b.member_id WHERE b.key = $1""",
        key.replace("\0", ""),
    )


def _view(row: asyncpg.Record) -> BotView:
    return BotView(
        id=str(row["id"]),
        name=row["name"],
        avatar_url=avatar_url(row["avatar_key"]),
        author_id=str(row["member_id"]),
        room_id=str(row["room_id"]),
        url=address_of(row["key"]),
        made_by=row["made_by"],
        created_at=row["created_at"],
        said_at=row["said_at"],
        may_speak=row["may_speak"],
    )
