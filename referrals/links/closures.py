"""When links were off, and who switched them: the one place that changes `disabled_at`, apart from an erasure."""

from collections.abc import Sequence

import asyncpg

from app import clock, db

# SQL: whether the link `{link}` was off at `{at}`.
WAS_OFF = """EXISTS (SELECT 1 FROM link_closure off WHERE off.link_id = {link} AND off.closed_at <= {at}
                       AND (off.reopened_at IS NULL OR off.reopened_at > {at}))"""


async def close(link_ids: Sequence[int], by_id: int | None) -> list[asyncpg.Record]:
    """Switch links off that are on; those, with their owners. In the caller's transaction."""
    return await db.fetch(
        """WITH closed AS (UPDATE link SET disabled_at = $2 WHERE id = ANY($1::bigint[]) AND disabled_at IS NULL
                           RETURNING id, owner_id),
           kept AS (INSERT INTO link_closure (link_id, closed_at, closed_by_id) SELECT id, $2, $3 FROM closed)
           SELECT id, owner_id FROM closed ORDER BY id""",
        link_ids,
        clock.now(),
        by_id,
    )


async def reopen(link_id: int, by_id: int) -> None:
    """Switch a link on that is off. The caller holds the link's row."""
    await db.execute("UPDATE link SET disabled_at = NULL WHERE id = $1", link_id)
    await db.execute(
        """UPDATE link_closure SET reopened_at = greatest($2, closed_at), reopened_by_id = $3
            WHERE link_id = $1 AND reopened_at IS NULL""",
        link_id,
        clock.now(),
        by_id,
    )
