"""Whatever an address answers, for however long: in the end it has everything, and each thing once."""

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from tests.community.receiver import Receiver, Reply, a_receiver
from tests.community.test_webhooks_out import deliver, later, told
from tests.factories import Browser

pytestmark = pytest.mark.anyio
MOODS: dict[str, list[Reply]] = {
    "well": [(200, b"ok")],
    "moody": [(200, b"ok"), (204, b""), (500, b"oops"), (422, b"no"), (200, b"ok")],
    "down": [(503, b"down")],
    "slowed": [(429, b"", {"Retry-After": "30"}), (200, b"ok")],
    "strange": [(302, b"", {"Location": "http://127.0.0.1/"}), (404, b""), (200, b"ok")],
}


@pytest.fixture
async def receiver(house: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with a_receiver(monkeypatch) as one:
        yield one


@pytest.mark.parametrize("seed", range(6))
async def test_in_the_end_it_has_everything_once(web: Browser, receiver: Receiver, seed: int):
    rng, room = Random(seed), await told(web, receiver.url, ["message.created"])
    taken: list[str] = []
    tried: Counter[str] = Counter()
    mood = "well"

    def answer(message: dict[str, Any]) -> Reply:
        reply = rng.choice(MOODS[mood])
        body = message["data"]["event"]["body"]
        tried[body] += 1
        if reply[0] < 300:
            taken.append(body)
        return reply

    receiver.answer = answer
    said = 0
    for _ in range(10):
        mood = rng.choice(list(MOODS))
        for _ in range(rng.randrange(4)):
            await room.say(f"{said}")
            said += 1
        await deliver()
        await later(timedelta(seconds=rng.choice([3, 40, 400, 4_000])))
    mood = "well"
    for hours in (1, 6, 24):
        await later(timedelta(hours=hours))
    assert sorted(taken, key=int) == [str(number) for number in range(said)], "everything, and nothing twice"
    at_once = [int(body) for body in taken if tried[body] == 1]
    assert at_once == sorted(at_once), "what was taken at the first try came in order"
    assert {one["state"] for one in await room.log()} <= {"delivered"}
    receiver.verify(room.secret)
