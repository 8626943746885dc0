"""The world of the soak: rooms and talkers before it, and the books read after it."""

from collections import defaultdict
from pathlib import Path

from tests.load.faults import Servers
from tests.load.witness import Verdict, is_awake, judge_sender, judge_witness

ROWS_AT_ONCE = 50_000


async def found_world(rooms: int, talkers: int, folder: Path) -> tuple[list[str], list[tuple[int, str]], Servers]:
    """Room ids, (member id, token) of each talker, and where the servers of this run can be hit."""
    from app import clock, db, features, jobs, migrate
    from app.auth import Viewer
    from app.settings import settings
    from community.groups.schemas import NewGroup
    from community.groups.service import found
    from community.members.tables import Member
    from community.sessions.service import make_token

    assert features
    settings.cache_clear()
    await db.open(settings().database_url)
    await migrate.migrate()
    people = []
    for number in range(talkers):
        name = f"talker{number}"
        member = Member(
            handle=name, email=f"{name}@example.org", email_proven_at=clock.now(), name=name, role="member",
            created_at=clock.now(),
        )  # fmt: skip
        await member.save()
        people.append((member.id, await make_token(member.id, ["read", "write"])))
    for number in range(rooms):
        member_id = people[number % talkers][0]
        owner = Viewer(member_id=member_id, handle=f"talker{number % talkers}", name="Talker", role="member")
        await found(owner, NewGroup(f"soak-{number}", f"Soak {number}", "Loud.", "closed"))
    await jobs.drain()
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT g.id, m.id, 'member', 'active', now() FROM groups g, member m
           ON CONFLICT (group_id, member_id) DO NOTHING"""
    )
    found_rooms = [str(row["id"]) for row in await db.fetch("SELECT id FROM room ORDER BY id")]
    cluster = await db.fetch_val("SELECT current_setting('data_directory')")
    await db.close()
    database_url, redis_url = settings().database_url, settings().redis_url
    run = Path(redis_url.removeprefix("unix://")).parent
    return found_rooms, people, Servers(Path(cluster) / "postmaster.pid", run / "valkey.pid", database_url, redis_url)


async def seqs_of(rooms: list[str]) -> dict[str, int]:
    from app import db
    from app.settings import settings

    await db.open(settings().database_url)
    try:
        return {
            str(row["id"]): row["seq"]
            for row in await db.fetch("SELECT id, seq FROM room WHERE id = ANY($1::bigint[])", [int(r) for r in rooms])
        }
    finally:
        await db.close()


async def judge(talkers: list, rooms: list[str], members: dict[int, int]) -> Verdict:
    """Compare what everybody heard, and what was acknowledged to them, with the books; `members`: talker by id."""
    from app import db
    from app.settings import settings

    await db.open(settings().database_url)
    verdict = Verdict()
    try:
        for room in rooms:
            truth, kept = await _books(int(room), members)
            for talker in talkers:
                if talker.room == room:
                    judge_witness(verdict, room, talker.witness, truth)
                    judge_sender(verdict, f"talker {talker.number}", talker.acks_by_number(), kept[talker.number])
                    verdict.doubled += talker.changed_acks
            if not is_awake(next(talker.witness for talker in talkers if talker.room == room), truth):
                verdict.is_asleep = True
                verdict.note(f"room {room}: the judge did not notice an event that was dropped, swapped or repeated")
    finally:
        await db.close()
    return verdict


async def _books(
    room_id: int, members: dict[int, int]
) -> tuple[list[tuple[int, int]], dict[int, dict[int, list[tuple[int, int]]]]]:
    """The events of a room in order; and by talker and number of the message, what is kept of it."""
    from app import db

    truth: list[tuple[int, int]] = []
    kept: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(dict)
    while True:
        rows = await db.fetch(
            f"""SELECT e.seq, e.kind = 'message' AS is_message, e.message_id, m.author_id, m.client_id
                  FROM room_event e LEFT JOIN message m ON m.id = e.message_id
                 WHERE e.room_id = $1 AND e.seq > $2 ORDER BY e.seq LIMIT {ROWS_AT_ONCE}""",
            room_id,
            truth[-1][0] if truth else 0,
        )
        for row in rows:
            truth.append((row["seq"], row["message_id"] or 0))
            if row["is_message"] and row["author_id"] in members:
                number = row["client_id"].int & (2**64 - 1)
                kept[members[row["author_id"]]].setdefault(number, []).append((row["seq"], row["message_id"]))
        if len(rows) < ROWS_AT_ONCE:
            return truth, kept
