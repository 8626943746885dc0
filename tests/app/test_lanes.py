"""What the suite says of itself (tests/lanes.py): who gets a second try, and that nothing that failed is lost."""

import pytest

from tests import lanes
from tests.lanes import Told


def the_suite(monkeypatch: pytest.MonkeyPatch, broken: dict[str, list[str]], passes_alone: set[str]) -> list[str]:
    """A suite in which these fail; what is tried again."""
    tried: list[str] = []

    def pytest(asked: list[str], _to: object) -> Told:
        if asked[0] == "--share":
            return Told(10, 1, broken.get(asked[1], []), [])
        tried.append(asked[0])
        return Told(1, 0, [], []) if asked[0] in passes_alone else Told(0, 0, asked, [])

    monkeypatch.setattr(lanes, "pytest", pytest)
    return tried


def test_all_is_well(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    tried = the_suite(monkeypatch, {}, set())
    assert lanes.main() == 0 and tried == []
    assert "40 passed, 0 failed, 4 skipped, 0 shaky in " in capsys.readouterr().out.splitlines()[-1]


def test_a_browser_that_fails_once_is_shaky_and_said_so(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    the_suite(monkeypatch, {"browser": ["a::b"]}, {"a::b"})
    assert lanes.main() == 0
    said = capsys.readouterr().out.splitlines()
    assert "shaky a::b" in said and said[-1].startswith("41 passed, 0 failed, 4 skipped, 1 shaky in ")


def test_a_browser_that_fails_twice_has_failed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture):
    the_suite(monkeypatch, {"browser": ["a::b", "a::c"]}, {"a::b"})
    assert lanes.main() == 1
    said = capsys.readouterr().out.splitlines()
    assert "shaky a::b" in said and "FAIL  a::c" in said and said[-1].startswith("41 passed, 1 failed, ")


def test_many_that_fail_are_no_chance(monkeypatch: pytest.MonkeyPatch):
    names = [f"a::{n}" for n in range(4)]
    tried = the_suite(monkeypatch, {"browser": names}, set(names))
    assert lanes.main() == 1 and tried == []


def test_what_is_no_browser_has_to_pass_five_times_in_a_row(monkeypatch: pytest.MonkeyPatch):
    tried = the_suite(monkeypatch, {"2/3": ["money::x"]}, {"money::x"})
    assert lanes.main() == 0 and tried == ["money::x"] * 5
    left = iter([True, True, False, True, True])

    def pytest(asked: list[str], _to: object) -> Told:
        passes = asked[0] != "money::x" or next(left)
        return Told(1, 0, ["money::x"] if asked == ["--share", "2/3"] else [] if passes else asked, [])

    monkeypatch.setattr(lanes, "pytest", pytest)
    assert lanes.main() == 1 and len([*left]) == 2


def test_a_part_that_is_cut_short_has_failed(tmp_path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture):
    class Ended:
        returncode = -9

    monkeypatch.setattr(lanes.subprocess, "run", lambda *_command, **_how: Ended)
    assert lanes.pytest(["--share", "1/3"], tmp_path / "part").broken == ["--share 1/3: no end"]
