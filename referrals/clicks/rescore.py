"""Give old clicks the verdict of today's score. Nothing is lost by a mistake of yesterday's: the evidence was kept."""

from datetime import timedelta

from app import clock, db
from referrals.clicks.classify import SCORE_VERSION, agent, judge
from referrals.clicks.queries import DEFERRED

REACH = timedelta(days=45)
AT_ONCE = 2_000


async def rescore(version: int = SCORE_VERSION) -> int:
    """Score a batch of clicks that have an older version; how many. Their counts move with their kinds.

    A click that an order carries, a member claimed or a shop told of keeps its kind: money was decided by it, and an
    improved guess must not move money without anybody's word. Its new score is noted all the same.
    """
    async with db.transaction():
        rows = await db.fetch(
            """SELECT c.id, c.link_id, c.occurred_at, c.kind, c.signals, c.blocked, c.trigger, a.agent,
                      EXISTS (SELECT 1 FROM orders o WHERE o.gv = c.id)
                      OR EXISTS (SELECT 1 FROM click_claim k WHERE k.click_id = c.id)
                      OR EXISTS (SELECT 1 FROM conversion t WHERE t.click_id = c.id) AS is_settled
                 FROM click c JOIN click_agent a ON a.hash = c.agent_hash
                WHERE c.occurred_at > $1 AND c.score_version < $2
                ORDER BY c.occurred_at LIMIT $3 FOR UPDATE OF c SKIP LOCKED""",
            clock.now() - REACH,
            version,
            AT_ONCE,
        )
        judged = [(row, *judge(agent(row["agent"].encode("latin-1", "replace")).kind, row["signals"])) for row in rows]
        await db.execute(
            """UPDATE click c SET kind = n.kind, bot_score = n.score, score_version = $5
                 FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::smallint[]) n (id, at, kind, score)
                WHERE c.id = n.id AND c.occurred_at = n.at""",
            [row["id"] for row, _kind, _score in judged],
            [row["occurred_at"] for row, _kind, _score in judged],
            [row["kind"] if row["is_settled"] else kind for row, kind, _score in judged],
            [score for _row, _kind, score in judged],
            version,
        )
        moved = [(row, kind) for row, kind, _score in judged if kind != row["kind"] and not row["is_settled"]]
        await _move_counts([(row, kind) for row, kind in moved if not row["blocked"] and row["trigger"] != DEFERRED])
    return len(rows)


async def _move_counts(moved: list[tuple]) -> None:
    """One less of what it was, one more of what it is; slot 0 may go below nothing, only the sum is ever read."""
    if not moved:
        return
    await db.execute(
        """INSERT INTO click_count (link_id, day, kind, slot, clicks)
           SELECT link_id, (at AT TIME ZONE 'UTC')::date, kind, 0, sum(change)::bigint
             FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::int[]) n (link_id, at, kind, change)
            GROUP BY 1, 2, 3 HAVING sum(change) <> 0 ORDER BY 1, 2, 3
           ON CONFLICT (link_id, day, kind, slot) DO UPDATE SET clicks = click_count.clicks + excluded.clicks""",
        [row["link_id"] for row, _kind in moved] * 2,
        [row["occurred_at"] for row, _kind in moved] * 2,
        [row["kind"] for row, _kind in moved] + [kind for _row, kind in moved],
        [-1] * len(moved) + [1] * len(moved),
    )
