"""Who brought a partner to a programme is noted when the partner first earns there, and never changes after."""

import asyncpg

from app import clock, db
from referrals.programs.markets import may_recruit
from referrals.programs.terms import terms_of


async def note_recruiter(member_id: int | None, rules: asyncpg.Record) -> None:
    """Whoever brought the member to the community brought them to the programme, where a second level is lawful.

    Who was brought brings nobody, and who brought somebody was not brought: the table's trigger holds it as well.
    """
    terms = terms_of(rules)
    if member_id is None or terms.recruiting is None or not may_recruit(terms.market):
        return
    # One recruiting at a time in a programme: otherwise two could close a third level together.
    await db.execute("SELECT pg_advisory_xact_lock(hashtextextended('recruit', $1))", rules["program_id"])
    await db.execute(
        """INSERT INTO recruit (program_id, member_id, recruiter_id, since)
           SELECT $1, s.member_id, s.referrer_id, $3 FROM signup_referral s
            WHERE s.member_id = $2
              AND NOT EXISTS (SELECT 1 FROM recruit r WHERE r.program_id = $1
                                 AND (r.member_id IN (s.referrer_id, s.member_id) OR r.recruiter_id = s.member_id))
           ON CONFLICT DO NOTHING""",
        rules["program_id"],
        member_id,
        clock.now(),
    )
