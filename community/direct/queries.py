import asyncpg

from app import db
from app.auth import Viewer, require_member
from community.privacy.queries import face_of, no_block_between


async def people_called(viewer: Viewer, word: str, *, limit: int = 8) -> list[dict[str, object]]:
    """Members whose handle or name begins so, those of the viewer's groups first."""
    like = word.strip().lstrip("@").lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    rows: list[asyncpg.Record] = await db.fetch(
        f"""SELECT m.id, m.handle, m.name, m.avatar_key,
                   EXISTS (SELECT 1 FROM membership mine JOIN membership theirs ON theirs.group_id = mine.group_id
                            WHERE mine.member_id = $1 AND mine.state = 'active'
                              AND theirs.member_id = m.id AND theirs.state = 'active') AS is_near
              FROM member m
             WHERE (lower(m.handle) LIKE $2 OR lower(m.name) LIKE $2) AND m.id <> $1 AND m.kind = 'person'
               AND m.email NOT LIKE '%@erased.invalid' AND {no_block_between("m.id", "$1")}
             ORDER BY is_near DESC, m.handle LIMIT $3""",
        require_member(viewer, "read"),
        like,
        limit,
    )
    return [face_of(row) for row in rows]
