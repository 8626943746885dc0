"""After a restart everybody comes back in the same moment: they are looked up together."""

import asyncio
from collections.abc import Callable

import pytest

from app import db
from tests.community.test_chat import a_line, a_room
from tests.factories import Person
from tests.lines import Line

pytestmark = pytest.mark.anyio

# As many members as lines: nobody's question is another's.
LINES = 60
# One by one it would be four for each.
MOST_STATEMENTS = LINES // 2


async def a_crowd(count: int = LINES) -> list[Person]:
    """So many members who never needed a password."""
    from app.auth import Viewer

    rows = await db.fetch(
        """INSERT INTO member (handle, email, name, role, created_at)
           SELECT 'crowd' || n, 'crowd' || n || '@example.org', 'Crowd ' || n, 'member', now()
             FROM generate_series(1, $1) n RETURNING id, handle, name""",
        count,
    )
    seen = [Viewer(member_id=row["id"], handle=row["handle"], name=row["name"]) for row in rows]
    return [Person(row["id"], row["handle"], "", viewer) for row, viewer in zip(rows, seen, strict=True)]


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(db, "_note", lambda query: seen.append(str(query)))
    return seen


async def test_sixty_who_come_back_at_once_cost_a_handful_of_queries_and_miss_nothing(
    house: Callable, statements: list[str]
):
    people = await a_crowd()
    _slug, room = await a_room(people[0], *people[1:])
    stood = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    talker = await a_line(house, people[0])
    for number in range(5):
        await talker.say(room, f"line {number}")
        await talker.next("ack")
    statements.clear()

    async def come_back(number: int) -> list[str]:
        line = await a_line(house, people[number])
        # Not all of them stopped at the same event.
        await line.send("hello", rooms={room: {"seq": stood + number % 2}})
        told = await line.events(5 - number % 2)
        assert [event["seq"] for event in told] == list(range(stood + 1 + number % 2, stood + 6))
        return [event["body"] for event in told]

    for told in await asyncio.gather(*(come_back(number) for number in range(LINES))):
        assert told[-1] == "line 4"
    assert len(statements) <= MOST_STATEMENTS, statements


async def test_browsers_that_come_back_at_once_are_looked_up_together(house: Callable, statements: list[str]):
    from community.sessions.service import open_session

    cookies = [await open_session(person.id) for person in await a_crowd()]
    statements.clear()

    async def come(number: int) -> None:
        line = await Line(house).open(cookie=f"gv_session={cookies[number] if number % 3 else 'planted'}")
        if number % 3:
            await line.send("ping")
            assert await line.next() == {"type": "pong"}
        else:
            assert await line.closes() == 4401

    await asyncio.gather(*(come(number) for number in range(LINES)))
    assert len(statements) <= 4, statements


async def test_in_a_crowd_nobody_is_given_a_room_that_is_not_for_them(house: Callable):
    people = await a_crowd()
    theirs = [
        (await a_room(*people[::2], visibility="secret"))[1],
        (await a_room(*people[1::2], visibility="closed"))[1],
    ]

    async def come(number: int) -> None:
        own, other = theirs[number % 2], theirs[1 - number % 2]
        line = await a_line(house, people[number])
        await line.send("hello", rooms={own: {}, other: {"seq": 0}})
        refused = await line.next("error")
        assert (refused["code"], refused["room"]) == ("not-found", other)
        assert list((await line.next("welcome"))["rooms"]) == [own]

    await asyncio.gather(*(come(number) for number in range(LINES)))
