"""docs/LIVE.md names the test of each promise; a name that is gone is a promise without one."""

import re
from pathlib import Path

from app import live_socket
from community.chat import feed
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
