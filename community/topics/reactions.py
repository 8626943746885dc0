"""Reactions: one of each sign per member and post, counted exactly. Who may read may react."""

import asyncpg

from app import clock, db
from app.auth import Viewer, require_member
from app.errors import Invalid
from app.events import publish
from app.i18n import gettext as _
from community.topics import policy
from community.topics.events import PostReacted
from community.topics.heat import heat
from community.topics.schemas import EMOJIS

HEAT_AFTER_REACTION = heat("post_count", "reaction_count + $2::int", "created_at", "active_at")


async def react(viewer: Viewer, post_id: int, emoji: str) -> asyncpg.Record:
    """Put a sign on a post; again changes nothing. The post is returned."""
    member_id, emoji = require_member(viewer), _known(emoji)
    post = await policy.access_post(viewer, post_id)
    async with db.transaction():
        won = await db.fetch_val(
            """INSERT INTO reaction (post_id, member_id, emoji, created_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT DO NOTHING RETURNING id""",
            post_id,
            member_id,
            emoji,
            clock.now(),
        )
        if won:
            await _count(post["topic_id"], 1)
            await publish(PostReacted(post_id=post_id, member_id=member_id, emoji=emoji), actor_id=member_id)
    return post


async def take_back(viewer: Viewer, post_id: int, emoji: str) -> asyncpg.Record:
    """Take a sign off a post; again changes nothing. The post is returned."""
    member_id, emoji = require_member(viewer), _known(emoji)
    post = await policy.access_post(viewer, post_id)
    async with db.transaction():
        gone = await db.execute(
            "DELETE FROM reaction WHERE post_id = $1 AND member_id = $2 AND emoji = $3", post_id, member_id, emoji
        )
        if gone:
            await _count(post["topic_id"], -1)
    return post


async def _count(topic_id: int, change: int) -> None:
    await db.execute(
        f"""UPDATE topic SET reaction_count = reaction_count + $2::int,
                   heat = {HEAT_AFTER_REACTION} WHERE id = $1""",
        topic_id,
        change,
    )


def _known(emoji: str) -> str:
    emoji = "❤️" if emoji == "❤" else emoji
    if emoji not in EMOJIS:
        raise Invalid("emoji", _("One of these, please: %(signs)s", signs=" ".join(EMOJIS)))
    return emoji
