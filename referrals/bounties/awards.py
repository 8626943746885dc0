"""What becomes of handed-in work: approved, which pays, or declined. By a person, or by the offer itself."""

import asyncpg

from app import clock, db
from app.errors import Conflict
from app.events import publish
from app.i18n import gettext as _
from referrals.bounties.events import BountyDecided
from referrals.commissions.rewards import grant
from referrals.programs.queries import newest

# The work and its bounty are locked, in this order everywhere.
COLUMNS = """x.*, b.title, b.amount, b.currency, b.most_awards, b.program_id, b.metric, b.least, b.awards_itself,
             b.jump_times, b.opens_at, b.closes_at, b.created_at AS offered_at, b.by_id,
             p.store_id"""
WORK = """bounty_submission x JOIN bounty b ON b.id = x.bounty_id JOIN program p ON p.id = b.program_id"""


async def are_given(row: asyncpg.Record) -> bool:
    """Whether all awards are. The bounty's row is locked: two approvals at once cannot pay the last one twice."""
    awarded: int = await db.fetch_val(
        "SELECT count(*) FROM bounty_submission WHERE bounty_id = $1 AND state = 'approved'", row["bounty_id"]
    )
    return awarded >= row["most_awards"]


async def settle(row: asyncpg.Record, verdict: str, *, reason: str = "", actor_id: int | None = None) -> None:
    """Say what becomes of it, in the caller's transaction that locked it; nobody but us when there is no actor. That a
    person decided before stays: what we decline ourselves later must not wash off their no."""
    commission_id = await _award(row) if verdict == "approved" else None
    await db.execute(
        """UPDATE bounty_submission SET state = $2, reason = $3, decided_by_id = coalesce($4, decided_by_id),
                  decided_at = $5, commission_id = $6
            WHERE id = $1""",
        row["id"],
        verdict,
        reason,
        actor_id,
        clock.now(),
        commission_id,
    )
    if verdict == "declined" and actor_id is not None:
        await db.execute(
            """INSERT INTO bounty_refusal (store_id, post_hash, by_id, at)
               SELECT store_id, post_hash, $2, $3 FROM bounty_watch WHERE submission_id = $1 AND post_hash IS NOT NULL
               ON CONFLICT DO NOTHING""",
            row["id"],
            actor_id,
            clock.now(),
        )
    if verdict == "declined":
        # The post is free for other work again, and nobody looks at it for this one.
        await db.execute(
            "UPDATE bounty_watch SET state = 'dropped', next_at = NULL WHERE submission_id = $1 AND state <> 'refused'",
            row["id"],
        )
    await publish(
        BountyDecided(submission_id=row["id"], member_id=row["member_id"], verdict=verdict), actor_id=actor_id
    )


async def _award(row: asyncpg.Record) -> int | None:
    if await are_given(row):
        raise Conflict(_("All awards of this bounty are given."))
    rules = await newest(row["program_id"])
    assert rules is not None
    return await grant(
        f"bounty:{row['id']}",
        rules,
        member_id=row["member_id"],
        role="author",
        rule="bounty",
        amount=row["amount"],
        currency=row["currency"],
        reason="bounty",
    )
