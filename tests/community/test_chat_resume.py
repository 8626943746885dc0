"""However often the line is cut, words are said again, servers restart, people are shown out and histories restored:
nothing is lost, nothing is doubled, order is one, and what is drawn is what a page opened now would show.
"""

import uuid
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from community.chat import feed, policy, verdicts, writer
from community.chat.schemas import EventView
from community.chat.snapshot import Snapshot, apply
from tests.community import chat_page
from tests.community.chat_machine import play
from tests.conftest import examples
from tests.factories import Person, a_member

pytestmark = pytest.mark.anyio

LINE = ["say", "say", "say", "answer", "cut", "come", "come", "send_again", "listen", "listen"]
ELSEWHERE = ["edit", "delete", "react", "react", "pin", "unpin"]
ORDER = ["kick", "lift", "freeze"]
SERVER = ["restart", "restore"]


def steps(actions: list[str]) -> st.SearchStrategy:
    """Who does it, what, to which message, and how long they wait before: around the milliseconds of a commit."""
    step = st.tuples(
        st.integers(0, 2), st.sampled_from(actions), st.integers(0, 9), st.sampled_from([0, 0, 0, 0.001, 0.004, 0.01])
    )
    return st.lists(step, max_size=30)


@pytest.fixture
async def people(house: Callable) -> list[Person]:
    return [await a_member() for _ in range(3)]


# The suite tries the same histories every time, `--deep` others each time.
often = settings(
    max_examples=examples(30),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=examples(1) == 1,
)


@often
@given(course=steps(LINE))
async def test_cuts_and_repetitions_lose_and_double_nothing(house: Callable, people: list[Person], course: list):
    room = await play(house, people, course, keep_shots=False)
    for page in room.pages:
        # Nobody refuses anything here, and nobody loads a room anew.
        assert not page.refused and not page.resyncs and page.heard == room.pages[0].heard


@often
@given(course=steps(LINE + ELSEWHERE))
async def test_an_old_page_and_the_events_since_are_a_new_page(house: Callable, people: list[Person], course: list):
    await play(house, people, course, keep_shots=True)


@often
@given(course=steps(LINE + ELSEWHERE + ORDER))
async def test_who_is_shown_out_hears_nothing_and_hears_all_when_back(
    house: Callable, people: list[Person], course: list
):
    await play(house, people, course, keep_shots=True)


@often
@given(course=steps(LINE + LINE + ELSEWHERE + ORDER + SERVER))
async def test_restarts_and_restored_histories_lose_nothing_that_is_in_the_books(
    house: Callable, people: list[Person], course: list
):
    await play(house, people, course, keep_shots=False)


# --- the machine itself: a server that is planted to be wrong is found out ---

TALK = [(1, "say", 0, 0), (1, "say", 1, 0), (1, "listen", 0, 0.01), (2, "say", 2, 0), (0, "listen", 0, 0.01)]
SHOWN_OUT = [(2, "kick", 1, 0.01), (0, "say", 1, 0), (0, "listen", 1, 0.02), (2, "listen", 1, 0.02)]


async def is_found_out(house: Callable, people: list[Person], course: list) -> bool:
    try:
        await play(house, people, course, keep_shots=False)
    except (AssertionError, TimeoutError):
        return True
    return False


async def test_the_courses_of_the_planted_faults_pass_without_them(house: Callable, people: list[Person]):
    assert not await is_found_out(house, people, TALK + SHOWN_OUT)


async def test_a_server_that_forgets_an_event_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch
):
    whole = feed.frames_of
    monkeypatch.setattr(
        feed, "frames_of", lambda room_id, events: whole(room_id, [e for e in events if e.body != "1 says 1"])
    )
    assert await is_found_out(house, people, TALK)


async def test_a_server_that_tells_twice_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch
):
    whole = feed.frames_of
    monkeypatch.setattr(feed, "frames_of", lambda room_id, events: whole(room_id, events) * 2)
    assert await is_found_out(house, people, TALK)


async def test_a_server_that_says_again_what_was_said_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch
):
    def forgetful(saying: verdicts.Saying, known, batch) -> object:  # type: ignore[no-untyped-def]
        saying.client_id = uuid.uuid4()
        return judge(saying, known, batch)

    judge = verdicts.judge
    monkeypatch.setattr(writer, "judge", forgetful)
    assert await is_found_out(house, people, [*TALK, (1, "say", 0, 0), (1, "send_again", 0, 0), (1, "cut", 0, 0.01)])


async def test_a_server_that_does_not_ask_again_who_may_read_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch
):
    async def everybody(room_id: int, member_ids: list[int]) -> set[int]:
        return set(member_ids)

    monkeypatch.setattr(policy, "readers_among", everybody)
    assert await is_found_out(house, people, TALK + SHOWN_OUT)


async def test_a_page_that_does_not_draw_a_reaction_is_found_out(
    house: Callable, people: list[Person], monkeypatch: pytest.MonkeyPatch
):
    def blind(old: Snapshot, event: EventView) -> Snapshot:
        return msgspec.structs.replace(old, seq=event.seq) if event.kind == "react" else apply(old, event)

    monkeypatch.setattr(chat_page, "apply", blind)
    assert await is_found_out(house, people, [*TALK, (1, "react", 1, 0.01), (0, "listen", 1, 0.01)])
