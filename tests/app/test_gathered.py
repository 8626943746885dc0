import asyncio

import pytest

from app.gathered import gathered

pytestmark = pytest.mark.anyio


class Book:
    """What was looked up together, each look-up taking a moment."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []
        self.value = 0

    async def look_up(self, keys: list[int]) -> dict[int, int]:
        self.asked.append(sorted(keys))
        seen = self.value
        await asyncio.sleep(0.01)
        if 13 in keys:
            raise LookupError("unlucky")
        return {key: key * 10 + seen for key in keys if key < 100}


async def test_who_asks_at_the_same_time_shares_a_query():
    book = Book()
    ask = gathered()(book.look_up)
    assert await asyncio.gather(*(ask(n) for n in (1, 2, 2, 3))) == [10, 20, 20, 30]
    assert book.asked == [[1, 2, 3]]


async def test_no_answer_is_older_than_its_question():
    book = Book()
    ask = gathered()(book.look_up)
    first = asyncio.ensure_future(ask(1))
    await asyncio.sleep(0.005)
    book.value = 5
    assert await asyncio.gather(first, ask(1)) == [10, 15]
    assert book.asked == [[1], [1]]


async def test_a_question_without_an_answer_is_none():
    assert await gathered()(Book().look_up)(100) is None


async def test_very_many_are_asked_in_parts():
    book = Book()
    ask = gathered(most=2)(book.look_up)
    await asyncio.gather(*(ask(n) for n in range(5)))
    assert [len(part) for part in book.asked] == [2, 2, 1]


async def test_a_failure_reaches_who_asked_and_the_next_question_is_asked_anew():
    ask = gathered()(Book().look_up)
    answers = await asyncio.gather(ask(13), ask(1), return_exceptions=True)
    assert [type(answer) for answer in answers] == [LookupError, LookupError]
    assert await ask(1) == 10


def test_a_loop_that_ended_in_the_middle_holds_up_nobody():
    ask, left = gathered()(Book().look_up), []

    async def begin_and_go() -> None:
        left.append(asyncio.ensure_future(ask(1)))
        await asyncio.sleep(0.001)

    async def ask_anew() -> int | None:
        return await asyncio.wait_for(ask(1), 30)

    asyncio.run(begin_and_go())
    assert asyncio.run(ask_anew()) == 10


async def test_who_gives_up_takes_the_answer_from_nobody():
    ask = gathered()(Book().look_up)
    one, other = asyncio.ensure_future(ask(1)), asyncio.ensure_future(ask(1))
    await asyncio.sleep(0.001)
    one.cancel()
    assert await other == 10
