"""However often the line is cut and words are sent again: nothing is lost, nothing is doubled, order is one."""

import asyncio
import uuid
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import db
from tests.community.test_chat import a_line, a_room
from tests.factories import Person, a_member
from tests.lines import Line

pytestmark = pytest.mark.anyio


class Page:
    """What <chat-room> does: an outbox by client id, one seq, resume after every cut, and a check for gaps."""

    def __init__(self, house: Callable, person: Person, room: str) -> None:
        self.house, self.person, self.room = house, person, room
        self.line: Line | None = None
        self.outbox: dict[str, str] = {}
        self.seen: list[tuple[int, str]] = []
        self.seq = 0
        self.epoch: str | None = None

    async def come(self) -> None:
        if self.line is None:
            self.line = await a_line(self.house, self.person)
            welcome = await self.line.hello(self.room, seq=self.seq, epoch=self.epoch)
            self.epoch = welcome["rooms"][self.room]["epoch"]
            await self.send_again()

    async def say(self, body: str) -> None:
        client_id = str(uuid.uuid4())
        self.outbox[client_id] = body
        if self.line:
            await self.line.say(self.room, body, client_id)

    async def send_again(self) -> None:
        if self.line:
            for client_id, body in self.outbox.items():
                await self.line.say(self.room, body, client_id)

    async def cut(self, pause: float) -> None:
        """The line goes dead, and with it whatever was on its way, acks included."""
        if self.line:
            await asyncio.sleep(pause)
            line, self.line = self.line, None
            await line.cut()

    async def listen(self, patience: float) -> None:
        while self.line:
            try:
                frame = await self.line.next("events", "ack", patience=patience)
            except TimeoutError:
                return
            if frame["type"] == "ack":
                self.outbox.pop(frame["client_id"], None)
            else:
                for event in frame["events"]:
                    assert event["seq"] == self.seq + 1, "a hole or a repetition on one line"
                    self.seq = event["seq"]
                    self.seen.append((event["seq"], event["body"]))

    async def settle(self, seq: int) -> None:
        await self.come()
        async with asyncio.timeout(10):
            while self.outbox or self.seq < seq:
                await self.listen(0.02)


# Who does it, what, and how long they wait before: around the few milliseconds that a commit takes.
steps = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.sampled_from(["say", "say", "cut", "come", "send_again", "listen"]),
        st.sampled_from([0, 0, 0.001, 0.004, 0.01]),
    ),
    max_size=25,
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
async def test_cuts_and_repetitions_lose_and_double_nothing(house: Callable, steps: list[tuple[int, str, float]]):
    people = [await a_member(), await a_member()]
    _slug, room = await a_room(people[0])
    await db.execute(
        """INSERT INTO membership (group_id, member_id, role, state, joined_at)
           SELECT group_id, $2, 'member', 'active', now() FROM room WHERE id = $1""",
        int(room),
        people[1].id,
    )
    pages = [Page(house, person, room) for person in people]
    for page in pages:
        await page.come()
    said = []
    for number, (who, action, pause) in enumerate(steps):
        page = pages[who]
        match action:
            case "say":
                said.append(f"{who}:{number}")
                await page.say(said[-1])
            case "cut":
                await page.cut(pause)
            case "come":
                await page.come()
            case "send_again":
                await page.send_again()
            case "listen":
                await page.listen(pause + 0.001)
    for page in pages:
        await page.settle(0)
    seq = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    for page in pages:
        await page.settle(seq)
        await page.cut(0)
    stored = [
        (row["seq"], row["body"])
        for row in await db.fetch("SELECT seq, body FROM message WHERE room_id = $1 ORDER BY seq", int(room))
    ]
    assert sorted(body for _seq, body in stored) == sorted(said)
    assert [seq for seq, _body in stored] == list(range(1, len(said) + 1))
    assert pages[0].seen == pages[1].seen == stored
