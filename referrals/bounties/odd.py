"""What is odd about a post and its figure: it is shown to the shop, and nothing odd is paid without a person."""

import asyncpg

from app import clock, db

# What a post that nobody saw yet may well grow by from one look to the next, and what says nothing either way.
CALM, FEW = 100, 10


def is_jump(before: int, after: int, *, seconds: int, age: int, times: int, least: int = 0) -> bool:
    """Whether it grew `times` faster than it did from when it was published until then. In whole numbers."""
    # The first minutes of a film say nothing of an hour: at most as much again as there was counts as usual then.
    usual = before * seconds // max(age, seconds)
    # A small step is none, unless it is most of the way to what is paid for.
    small = min(CALM * times, max(least // 4, FEW)) if least else CALM * times
    return times > 0 and after - before > max(times * usual, small)


async def is_odd(work: asyncpg.Record) -> bool:
    """Whether a person has to look before this is paid. `work` is locked, with its watch and its bounty.

    A figure that was there at the first look may have been bought at any time before: it must be seen to grow. Nobody
    is paid without a person by a shop they own, run or offered this for, nor while they are shut out.
    """
    found: bool = await db.fetch_val(
        """SELECT w.jump_at IS NOT NULL OR w.changed_at IS NOT NULL
                  OR NOT EXISTS (SELECT FROM bounty_figure f WHERE f.watch_id = w.id AND f.figure < $3)
                  OR EXISTS (SELECT FROM bounty_refusal r WHERE r.store_id = w.store_id AND r.post_hash = w.post_hash)
                  OR s.owner_id IS NOT DISTINCT FROM m.id OR m.id = $4 OR m.role = 'admin'
                  OR EXISTS (SELECT FROM suspension x WHERE x.member_id = m.id AND x.lifted_at IS NULL
                                AND (x.until IS NULL OR x.until > $5))
             FROM bounty_watch w JOIN store s ON s.id = w.store_id JOIN member m ON m.id = $2 WHERE w.id = $1""",
        work["watch_id"],
        work["member_id"],
        work["least"],
        work["by_id"],
        clock.now(),
    )
    return found
