"""The process tree of the demo: what crashes comes back, and nothing stays behind."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from app import supervise

ROOT = Path(__file__).parents[2]

A_TREE = """
import sys
from pathlib import Path
from app.supervise import Child, run
folder = Path(sys.argv[1])
children = [Child("web", [sys.executable, "-c", sys.argv[2], str(folder / "web")]),
            Child("worker", [sys.executable, "-c", sys.argv[3], str(folder / "worker")])]
sys.exit(run(children, record=folder / "tree.json", grace=1.0,
             is_ready=lambda: (folder / "web").exists() and (folder / "worker").exists(),
             on_ready=lambda: print("ready", flush=True)))
"""
LIVES = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); time.sleep(60)"
IS_STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LIVES
CRASHES_ONCE = "import os, sys; os.path.exists(sys.argv[1]) or (open(sys.argv[1], 'w').close(), os._exit(3)); " + LIVES


@pytest.fixture
def a_tree(tmp_path: Path):  # type: ignore[no-untyped-def]
    started: list[subprocess.Popen[str]] = []

    def start(web: str = LIVES, worker: str = LIVES) -> subprocess.Popen[str]:
        tree = subprocess.Popen(
            [sys.executable, "-c", A_TREE, str(tmp_path), web, worker],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(tree)
        return tree

    yield start
    for tree in started:
        tree.kill()
        tree.communicate()


def pids(folder: Path, name: str) -> list[int]:
    path = folder / name
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def comes_true(fact: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.03)
    return False


def is_running(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_owner_stops_the_tree_and_every_child_is_gone(tmp_path: Path, a_tree, how: signal.Signals) -> None:
    tree = a_tree()
    assert tree.stdout.readline() == "ready\n"
    tree.send_signal(how)
    assert tree.wait(60) == 0
    assert not [p for p in pids(tmp_path, "web") + pids(tmp_path, "worker") if is_running(p)]
    assert not (tmp_path / "tree.json").exists()


def test_a_child_that_does_not_want_to_stop_is_ended_after_the_grace(tmp_path: Path, a_tree) -> None:
    tree = a_tree(worker=IS_STUBBORN)
    assert tree.stdout.readline() == "ready\n"
    tree.terminate()
    assert tree.wait(60) == 0
    assert not is_running(pids(tmp_path, "worker")[0])


def test_a_child_that_crashes_comes_back(tmp_path: Path, a_tree) -> None:
    tree = a_tree(worker=CRASHES_ONCE)
    assert comes_true(lambda: bool(pids(tmp_path, "worker")))
    tree.terminate()
    assert "worker ended with 3" in tree.communicate(timeout=60)[1]


def test_a_child_that_never_comes_up_is_given_up_with_its_name(a_tree) -> None:
    tree = a_tree(worker="raise SystemExit(4)")
    said = tree.communicate(timeout=60)[1]
    assert tree.returncode == 1
    assert "worker ended 3 times before it was ready" in said


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent was killed")
def test_killing_the_parent_ends_its_children(tmp_path: Path, a_tree) -> None:
    tree = a_tree()
    assert tree.stdout.readline() == "ready\n"
    tree.kill()
    tree.wait()
    assert comes_true(lambda: not [p for p in pids(tmp_path, "web") + pids(tmp_path, "worker") if is_running(p)])


def test_the_next_start_ends_what_the_last_one_left_and_no_stranger(tmp_path: Path) -> None:
    left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        born = psutil.Process(left.pid).create_time()
        (tmp_path / "tree.json").write_text(json.dumps([[left.pid, born], [stranger.pid, born - 3600]]))
        supervise.end_leftovers(tmp_path / "tree.json")
        assert not is_running(left.pid)
        assert stranger.poll() is None
    finally:
        for process in (left, stranger):
            process.kill()
            process.wait()
