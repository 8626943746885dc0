import asyncpg

from app import db
from app.auth import Viewer
from app.errors import NotFound
from community.members.queries import AVATAR_URL
from community.moderation.queries import in_sight


async def access_guide(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The guide with its author, or NotFound. A hidden one is there for its author and moderators."""
    row = await db.fetch_one(
        f"""SELECT g.*, NOT {in_sight("guide", "g.id")} AS is_hidden, m.handle, m.name,
                   coalesce('{AVATAR_URL}' || nullif(m.avatar_key, ''), '') AS avatar_url
              FROM guide g JOIN member m ON m.id = g.author_id WHERE g.slug = $1""",
        slug,
    )
    if row is None or (row["is_hidden"] and not (viewer.is_moderator or may_edit(viewer, row))):
        raise NotFound()
    return row


def may_edit(viewer: Viewer, guide: asyncpg.Record) -> bool:
    return viewer.is_member and guide["author_id"] == viewer.member_id
