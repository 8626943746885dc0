"""Who brought a partner to a programme is noted when the partner first earns there, and never changes after."""

from collections.abc import Sequence

import asyncpg

from app import clock, db
from referrals.programs.markets import may_recruit
from referrals.programs.terms import terms_of


async def note_recruiter(member_id: int | None, rules: asyncpg.Record) -> None:
    """Whoever brought the member to the community brought them to the programme, where a second level is lawful.

    Who was brought brings nobody, and who brought somebody was not brought: the table's trigger holds it as well.
    """
    await note_recruiters([(member_id, rules)])


async def note_recruiters(earners: Sequence[tuple[int | None, asyncpg.Record]]) -> None:
    """The same for any number of them, one after the other: who is noted first may bar a later one."""
    asked = [
        (rules["program_id"], member_id)
        for member_id, rules in earners
        if member_id is not None and (terms := terms_of(rules)).recruiting is not None and may_recruit(terms.market)
    ]
    if not asked:
        return
    # Most have been noted long ago: who is nobody's news waits for nobody.
    if not await _fresh(asked):
        return
    # One recruiting at a time in a programme: otherwise two could close a third level together.
    programs = sorted({program_id for program_id, _member in asked})
    await db.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended('recruit', p)) FROM unnest($1::bigint[]) p", programs
    )
    if fresh := await _fresh(asked):
        await db.execute(
            """INSERT INTO recruit (program_id, member_id, recruiter_id, since)
               SELECT t.program_id, t.member_id, t.recruiter_id, $4
                 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS t (program_id, member_id, recruiter_id)
               ON CONFLICT DO NOTHING""",
            *map(list, zip(*fresh, strict=True)),
            clock.now(),
        )


async def _fresh(asked: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Who of these members, each in a programme, is to be noted as brought there, and by whom."""
    bringers = await _bringers_of({member_id for _program, member_id in asked})
    if not bringers:
        return []
    programs = sorted({program_id for program_id, _member in asked})
    known = await _known_in(programs, {*bringers, *bringers.values()})
    fresh = []
    for program_id, member_id in asked:
        if (bringer := bringers.get(member_id)) is None:
            continue
        brought, brings = known[program_id]
        if not brought & {member_id, bringer} and member_id not in brings:
            brought.add(member_id)
            brings.add(bringer)
            fresh.append((program_id, member_id, bringer))
    return fresh


async def _bringers_of(member_ids: set[int]) -> dict[int, int]:
    rows = await db.fetch(
        "SELECT member_id, referrer_id FROM signup_referral WHERE member_id = ANY($1::bigint[])", list(member_ids)
    )
    return {row["member_id"]: row["referrer_id"] for row in rows}


async def _known_in(programs: Sequence[int], people: set[int]) -> dict[int, tuple[set[int], set[int]]]:
    """Of these people, by programme, who was brought and who brought somebody."""
    rows = await db.fetch(
        """SELECT program_id, member_id, recruiter_id FROM recruit
            WHERE program_id = ANY($1::bigint[])
              AND (member_id = ANY($2::bigint[]) OR recruiter_id = ANY($2::bigint[]))""",
        programs,
        list(people),
    )
    known: dict[int, tuple[set[int], set[int]]] = {program_id: (set(), set()) for program_id in programs}
    for row in rows:
        brought, brings = known[row["program_id"]]
        brought.add(row["member_id"])
        brings.add(row["recruiter_id"])
    return known
