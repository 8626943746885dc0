"""How often somebody may do something."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from app import limits, valkey
from app.errors import TooMany
from app.limits import limit

pytestmark = pytest.mark.anyio


async def tries(count: int, per: int, most: int = 3) -> int:
    """How many of so many tries were let through."""
    passed = 0
    for _ in range(count):
        try:
            await limit("knock", "alice", most=most, per=per)
        except TooMany:
            continue
        passed += 1
    return passed


async def test_whoever_begins_at_the_end_of_a_minute_does_not_get_it_twice(house: Callable, monkeypatch):
    """However the clock stands, the window is whole: it began with the first try."""
    assert await tries(5, per=60) == 3
    with pytest.raises(TooMany) as refused:
        await limit("knock", "alice", most=3, per=60)
    assert 50 <= refused.value.retry_after <= 60
    await limit("knock", "bob", most=3, per=60)
    (key,) = [key async for key in valkey.client().scan_iter("gv:limit:knock:alice:*")]
    assert 0 < await valkey.client().ttl(key) <= 60, "nothing is counted for ever"


async def test_when_the_window_is_over_it_begins_anew(house: Callable):
    assert await tries(4, per=1) == 3
    async with asyncio.timeout(30):
        while not await tries(1, per=1):
            await asyncio.sleep(0.05)


async def test_many_at_once_are_counted_one_by_one(house: Callable):
    assert sum(await asyncio.gather(*(tries(2, per=600, most=7) for _ in range(10)))) == 7


@pytest.fixture
def a_clock(house: Callable, monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Valkey is away, and the time of this process is ours."""

    async def away(*_asked: object) -> None:
        raise ConnectionError("away")

    clock = SimpleNamespace(now=1000.0, monotonic=lambda: clock.now)
    monkeypatch.setattr(limits, "time", clock)
    monkeypatch.setattr(valkey, "client", lambda: SimpleNamespace(eval=away))
    monkeypatch.setattr(limits, "_local", {})
    yield clock
    monkeypatch.undo()


async def test_while_valkey_is_away_this_process_counts(a_clock: SimpleNamespace):
    assert await tries(5, per=60) == 3
    a_clock.now += 59
    with pytest.raises(TooMany) as refused:
        await limit("knock", "alice", most=3, per=60)
    assert refused.value.retry_after == 1
    a_clock.now += 1
    assert await tries(5, per=60) == 3
