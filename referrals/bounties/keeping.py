"""How long what we saw of posts is kept: until its member leaves, or as long as their platform lets us."""

from datetime import datetime, timedelta

from app import clock, db
from referrals.socials.platforms import known

KEPT_DAYS = 400


async def forget(member_id: int) -> None:
    """A member leaves: nobody looks any more and where the post is goes; its hash stays, it was paid or refused."""
    await db.execute(
        """UPDATE bounty_watch SET key = '', text_hash = NULL, next_at = NULL,
                  state = CASE WHEN state IN ('new', 'watched') THEN 'ended' ELSE state END
            WHERE submission_id IN (SELECT id FROM bounty_submission WHERE member_id = $1)""",
        member_id,
    )


async def sweep() -> None:
    """Figures that we keep no longer. That there was a jump stays, and what waiting and approved work reached."""
    for platform in known.ALL.values():
        until = clock.now() - timedelta(days=platform.kept_days or KEPT_DAYS)
        async with db.transaction():
            await _sweep(platform.name, until)


async def _sweep(platform: str, until: datetime) -> None:
    await db.execute(
        """UPDATE bounty_submission x SET reach = 0 FROM bounty_watch w
            WHERE w.submission_id = x.id AND x.state = 'declined' AND x.reach > 0
              AND w.platform = $1 AND w.figure_at < $2""",
        platform,
        until,
    )
    await db.execute(
        "DELETE FROM bounty_figure f USING bounty_watch w WHERE w.id = f.watch_id AND w.platform = $1 AND f.at < $2",
        platform,
        until,
    )
    await db.execute(
        """UPDATE bounty_watch SET jump_from = NULL, jump_to = NULL
            WHERE platform = $1 AND jump_at < $2 AND jump_from IS NOT NULL""",
        platform,
        until,
    )
    await db.execute(
        "UPDATE bounty_watch SET figure = NULL, figure_at = NULL, top = NULL WHERE platform = $1 AND figure_at < $2",
        platform,
        until,
    )
    await db.execute(
        """UPDATE bounty_watch w SET top = (SELECT max(f.figure) FROM bounty_figure f WHERE f.watch_id = w.id)
            WHERE w.platform = $1 AND w.top > w.figure
              AND w.top > (SELECT max(f.figure) FROM bounty_figure f WHERE f.watch_id = w.id)""",
        platform,
    )
