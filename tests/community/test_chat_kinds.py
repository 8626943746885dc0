"""Rooms of every kind under generated histories: talk and cuts, and all that changes who may read and speak there.

What holds in the end: whoever may read has heard all of it, once and in order, and sees what a page opened now would
show; nobody has heard an event from a time when they might not; nobody spoke when they might not; counters are right.
"""

from collections.abc import AsyncIterator, Callable

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app import db, live, valkey
from app.settings import settings as settings_of_house
from community.chat import feed, measures, reads, writer
from community.chat import service as chat
from community.direct import blocking
from content.live_events import service as live_events
from tests.community.chat_kinds import AnyRoom
from tests.community.chat_machine import play_in
from tests.community.chat_page import FarPage
from tests.community.chat_worlds import DirectRoom, GroupRoom, LiveRoom, ProductRoom
from tests.conftest import examples
from tests.factories import Person, a_member
from tests.lines import a_real_server

pytestmark = pytest.mark.anyio

LINE = [
    "say",
    "say",
    "say",
    "call",
    "answer",
    "cut",
    "come",
    "come",
    "send_again",
    "listen",
    "listen",
    "read",
    "work",
    "rest",
]
ELSEWHERE = ["edit", "delete", "take_away", "react", "pin", "hide"]
ORDER = ["kick", "ban", "lift", "lift", "silence", "freeze", "slow_down", "suspend", "restart"]
# Without what reaches another process by a signal only (a suspension), and what this one alone can do.
WITHOUT_SIGNALS = [action for action in ORDER if action not in ("suspend", "restart")]
GROUP = ["join", "join", "leave", "close", "promote"]
PRODUCT = ["join", "leave"]
LIVE = ["go_on", "go_on", "off_the_air", "host_along", "host_along", "leave", "join"]
DIRECT = ["answer_request", "answer_request", "write", "write", "block", "unblock", "suspend", "ban", "restart"]

# The suite tries the same histories every time, `--deep` others each time. One that fails is not made smaller:
# that would take minutes, and the course is printed.
often = settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=examples(1) == 1,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def steps(*actions: list[str]) -> st.SearchStrategy:
    """Who does it, what, which message or way, and how long they wait before: around the milliseconds of a commit."""
    every = [action for part in actions for action in part]
    step = st.tuples(
        st.integers(0, 3), st.sampled_from(every), st.integers(0, 9), st.sampled_from([0, 0, 0, 0.001, 0.004])
    )
    return st.lists(step, min_size=12, max_size=40)


@pytest.fixture
async def other_process(house: Callable) -> AsyncIterator[int]:
    # Under the same address: that is how two processes of one community know each other's signals.
    async with a_real_server(GRAPEVINE_BASE_URL=settings_of_house().base_url) as (port, _process):
        yield port


@pytest.fixture
async def people(house: Callable) -> list[Person]:
    """Four, and two moderators of the community."""
    return [await a_member(role=role) for role in ("member",) * 4 + ("moderator",) * 2]


async def play(
    house: Callable, kind: type, people: list[Person], course: list, *, far: int = 0, **how: object
) -> AnyRoom:
    """The course in a new room of that kind; `far`: where another process serves every second of them."""
    keeper = people[5]
    there = {
        # Who keeps order in the rooms of products, and reads no more than others of what two say to each other.
        ProductRoom: [people[4], *people[1:4]],
        DirectRoom: [*people[:3], people[4]],
    }.get(kind, people[:4])
    room: AnyRoom = await kind.found(house, there, keeper, **how)
    if far:
        room.pages[1::2] = [FarPage(house, person, room.room, port=far) for person in room.people[1::2]]
    await room.look()
    try:
        await play_in(room, course, keep_shots=True)
    finally:
        # The same people come to the next room as if they had never met.
        await db.execute("UPDATE suspension SET lifted_at = now()")
        for table in ("member_block", "direct_pair", "membership", "hiding", "moderation_case"):
            await db.execute(f"DELETE FROM {table}")
        await valkey.client().flushdb()
    return room


@often
@given(course=steps(LINE, LINE, ELSEWHERE, ORDER, GROUP), visibility=st.sampled_from(["public", "closed", "secret"]))
async def test_a_group_lets_read_and_speak_whom_it_should_whatever_happens(
    house: Callable, people: list[Person], course: list, visibility: str
):
    await play(house, GroupRoom, people, course, visibility=visibility)


@often
@given(course=steps(LINE, LINE, ELSEWHERE, DIRECT), strangers=st.booleans())
async def test_two_who_talk_alone_are_heard_by_nobody_else_whatever_happens(
    house: Callable, people: list[Person], course: list, strangers: bool
):
    await play(house, DirectRoom, people, course, strangers=strangers)


@often
@given(course=steps(LINE, LINE, ELSEWHERE, ORDER, PRODUCT))
async def test_a_product_room_is_everybodys_but_for_who_was_shown_out(
    house: Callable, people: list[Person], course: list
):
    await play(house, ProductRoom, people, course)


@often
@given(course=steps(LINE, LINE, ELSEWHERE, ORDER, LIVE), in_a_group=st.booleans())
async def test_a_live_room_is_its_hosts_from_planning_to_the_end(
    house: Callable, people: list[Person], course: list, in_a_group: bool
):
    await play(house, LiveRoom, people, course, in_a_group=in_a_group)


@settings(often, max_examples=examples(6))
@given(course=steps(LINE, LINE, ELSEWHERE, WITHOUT_SIGNALS, GROUP), visibility=st.sampled_from(["public", "closed"]))
async def test_two_processes_let_read_and_speak_the_same_people(
    house: Callable, people: list[Person], other_process: int, course: list, visibility: str
):
    await play(house, GroupRoom, people, course, far=other_process, visibility=visibility)


# --- the machine itself: a server that is planted to be wrong is found out ---

TALK = [(n, "come", 0, 0) for n in range(4)] + [(2, "say", 0, 0), (0, "say", 1, 0)]
AGAIN = [(0, "say", 2, 0), (0, "rest", 0, 0)]
SILENCE = [*TALK, (2, "silence", 0, 0)]
FREEZE = [*TALK, (0, "freeze", 0, 0)]
CLOSE = [*TALK, (0, "close", 0, 0.01), *AGAIN]
SLOW = [*TALK, (0, "slow_down", 0, 0), (2, "say", 3, 0), (2, "rest", 0, 0), (2, "say", 4, 0)]
SUSPEND = [*TALK, (2, "suspend", 0, 0.01), *AGAIN]
CALLED = [*TALK, (0, "call", 2, 0), (0, "rest", 0, 0), (0, "take_away", 2, 0)]
HIDDEN = [*TALK, (0, "rest", 0, 0), (0, "hide", 0, 0)]
ASKED = [*TALK, (1, "block", 0, 0), (1, "unblock", 0, 0), (1, "write", 0, 0), (0, "block", 0, 0)]
ON_THE_AIR = [*TALK, (0, "go_on", 1, 0), (0, "off_the_air", 0, 0), *AGAIN]

IN_A_GROUP = {"kind": GroupRoom, "visibility": "public"}
ASKING = {"kind": DirectRoom, "strangers": True}
ABOUT_A_PRODUCT = {"kind": ProductRoom}
AT_AN_EVENT = {"kind": LiveRoom, "in_a_group": False}


async def is_found_out(house: Callable, people: list[Person], course: list, *, kind: type, **how: object) -> bool:
    try:
        await play(house, kind, people, course, **how)
    except (AssertionError, TimeoutError, pytest.fail.Exception):
        return True
    return False


async def test_the_courses_of_the_planted_faults_pass_without_them(house: Callable, people: list[Person]):
    for course in (SILENCE, FREEZE, CLOSE, SUSPEND, CALLED, HIDDEN):
        assert not await is_found_out(house, people, course, **IN_A_GROUP), course
    assert not await is_found_out(house, people, ASKED, **ASKING)
    assert not await is_found_out(house, people, SLOW, **ABOUT_A_PRODUCT)
    assert not await is_found_out(house, people, ON_THE_AIR, **AT_AN_EVENT)


@pytest.mark.parametrize(
    ("forgotten", "course", "where"), [("silenced", SILENCE, IN_A_GROUP), ("is_alone", [], ASKING)]
)
async def test_a_server_that_lets_speak_who_may_not_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch, forgotten: str, course: list, where: dict
):
    judge = writer.judge
    monkeypatch.setattr(writer, "judge", lambda saying, known, batch: judge(saying, {**known, forgotten: False}, batch))
    assert await is_found_out(house, people, course, **where)


async def nothing(*_whatever: object, **_more: object) -> None:
    """What a server does that forgot to."""


@pytest.mark.parametrize(
    ("whose", "verb", "course", "where"),
    [
        pytest.param(feed.Feed, "_drop_who_may_not_read", CLOSE, IN_A_GROUP, id="to ask again who may read"),
        pytest.param(live, "shut_out_member", SUSPEND, IN_A_GROUP, id="to send away who is suspended"),
        pytest.param(live_events, "shut_room", ON_THE_AIR, AT_AN_EVENT, id="to close a hidden event's room"),
        pytest.param(writer, "_take_turns", SLOW, ABOUT_A_PRODUCT, id="who had their turn"),
        pytest.param(reads, "take_back_mentions", CALLED, IN_A_GROUP, id="to take back a call"),
        pytest.param(chat, "tell_again", HIDDEN, IN_A_GROUP, id="to tell what is withheld"),
        pytest.param(measures, "_apply", FREEZE, IN_A_GROUP, id="what a freeze means"),
        pytest.param(blocking, "_close", ASKED, ASKING, id="what a block means"),
    ],
)
async def test_a_server_that_forgets_is_found_out(
    house: Callable,
    people: list[Person],
    monkeypatch: pytest.MonkeyPatch,
    whose: object,
    verb: str,
    course: list,
    where: dict,
):
    monkeypatch.setattr(whose, verb, nothing)
    assert await is_found_out(house, people, course, **where)
