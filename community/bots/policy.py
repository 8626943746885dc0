import asyncpg

from app import db
from app.auth import Viewer, require_member
from app.errors import Forbidden, NotFound
from app.i18n import gettext as _
from community.groups.policy import access_group_contents, may_moderate

MOST_ID = 2**63


async def access_run_group(viewer: Viewer, slug: str) -> asyncpg.Record:
    """The group, for those who run it: its owner and moderators."""
    require_member(viewer)
    group = await access_group_contents(viewer, slug)
    if not may_moderate(viewer, group):
        raise Forbidden(_("Only those who run this group may do this."))
    return group


async def access_bot(viewer: Viewer, slug: str, bot_id: int) -> asyncpg.Record:
    """A bot of the group that is still one, for those who run it."""
    group = await access_run_group(viewer, slug)
    bot = await db.fetch_one(
        """SELECT b.*, r.group_id FROM bot b JOIN room r ON r.id = b.room_id
            WHERE b.id = $1 AND r.group_id = $2 AND b.revoked_at IS NULL""",
        min(bot_id, MOST_ID - 1),
        group["id"],
    )
    if bot is None:
        raise NotFound()
    return bot
