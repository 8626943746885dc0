"""After a restart everybody comes back in the same moment: they are looked up together."""

import asyncio
from collections.abc import Callable

import pytest

from app import db
from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, a_member, sign_in
from tests.lines import Line

pytestmark = pytest.mark.anyio

LINES = 60
# One by one it would be four for each.
MOST_STATEMENTS = LINES // 2


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    seen: list[str] = []
    monkeypatch.setattr(db, "_note", lambda query: seen.append(str(query)))
    return seen


async def test_sixty_who_come_back_at_once_cost_a_handful_of_queries_and_miss_nothing(
    house: Callable, statements: list[str]
):
    people = [await a_member() for _ in range(3)]
    _slug, room = await a_room(people[0], *people[1:])
    talker = await a_line(house, people[0])
    for number in range(5):
        await talker.say(room, f"line {number}")
        await talker.next("ack")
    statements.clear()

    async def come_back(number: int) -> list[str]:
        line = await a_line(house, people[number % 3])
        # Not all of them stopped at the same event.
        await line.send("hello", rooms={room: {"seq": 2 + number % 2}})
        told = await line.events(5 - number % 2)
        assert [event["seq"] for event in told] == list(range(3 + number % 2, 8))
        return [event["body"] for event in told]

    for told in await asyncio.gather(*(come_back(number) for number in range(LINES))):
        assert told[-1] == "line 4"
    assert len(statements) <= MOST_STATEMENTS, statements


async def test_browsers_that_come_back_at_once_are_looked_up_together(
    house: Callable, web: Browser, statements: list[str]
):
    alice, bob = await a_member("alice"), await a_member("bob")
    cookies = [(await sign_in(web(), person)).cookies["gv_session"] for person in (alice, bob)]
    statements.clear()

    async def come(number: int) -> None:
        line = await Line(house).open(cookie=f"gv_session={cookies[number % 2] if number % 3 else 'planted'}")
        if number % 3:
            await line.send("ping")
            assert await line.next() == {"type": "pong"}
        else:
            assert await line.closes() == 4401

    await asyncio.gather(*(come(number) for number in range(LINES)))
    assert len(statements) <= 4, statements


async def test_in_a_crowd_nobody_is_given_a_room_that_is_not_for_them(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, hers = await a_room(alice, visibility="secret")
    _slug, his = await a_room(bob, visibility="closed")

    async def come(number: int) -> None:
        person, own, other = (alice, hers, his) if number % 2 else (bob, his, hers)
        line = await a_line(house, person)
        await line.send("hello", rooms={own: {}, other: {"seq": 0}})
        refused = await line.next("error")
        assert (refused["code"], refused["room"]) == ("not-found", other)
        assert list((await line.next("welcome"))["rooms"]) == [own]

    await asyncio.gather(*(come(number) for number in range(40)))
