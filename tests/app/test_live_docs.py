"""docs/LIVE.md names the test of each promise; a name that is gone is a promise without one."""

import re
from pathlib import Path

from app import live, live_socket
from community.chat import feed
from community.chat import live as chat
from community.chat.schemas import MOST_ROOMS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "LIVE.md").read_text()


def test_every_promise_names_a_test_that_is_there():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    there = {
        name for file in (ROOT / "tests").rglob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text())
    }
    assert len(named) > 25 and named <= there, named - there
    promises = [line for line in PAGE.splitlines() if line.startswith("| **")]
    assert promises and all("`test_" in line for line in promises)


def test_the_figures_a_client_needs_are_those_of_the_code():
    for figure in (
        f"at most {MOST_ROOMS} rooms",
        f"up to {feed.MOST_MISSED:,} in all",
        f"{live_socket.BURST:,} frames at once and {live_socket.PER_SECOND:.0f} a second",
        f"{live_socket.MEMBER_BURST:,} and {live_socket.MEMBER_PER_SECOND:,.0f} for all of one member",
    ):
        assert figure.lower() in PAGE.lower(), figure
    codes = {
        name: getattr(live_socket, name)
        for name in ("SIGN_IN", "NOT_ALLOWED", "IDLE", "TOO_SLOW", "TOO_FAST", "RESTART")
    }
    assert all(f"| {code} |" in PAGE for code in codes.values()), codes


def test_what_frames_cost_is_said_as_the_code_counts_it():
    prices = {
        line.split(" | ")[0].removeprefix("| "): line.split(" | ")[1]
        for line in PAGE.partition("counts so many frames more |")[2].partition("\n\n")[0].splitlines()[2:]
    }
    message, hello, nonsense = prices
    assert f"more than {chat.FEW_MARKS} marks: line ends and" in message
    assert set(message.partition("``")[2].partition("``")[0].split()) | {"\n"} == set(chat.MARKS)
    assert prices[message].startswith(f"one for each {chat.MARKS_A_FRAME} of them;")
    assert hello == "`hello`"
    assert prices[hello].startswith(f"{chat.HELLO_COSTS:.0f}, one for each room it names, and one for each ")
    assert f"each {chat.MISSED_A_FRAME} events" in prices[hello]
    assert nonsense.startswith("nonsense: ") and prices[nonsense] == f"{live.NONSENSE_COSTS:.0f} |"
