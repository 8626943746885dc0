"""`grapevine demo`: one sentence when it cannot start, one tree when it can, and nothing left behind."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app import embedded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="gv-demo-"))
    folder.chmod(0o755)
    yield folder
    embedded.forget(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(*arguments: str, **env: str) -> subprocess.Popen[str]:
    without = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
    return subprocess.Popen(
        [sys.executable, "-m", "app", "demo", *arguments],
        cwd=ROOT,
        env={**without, **env},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextlib.contextmanager
def a_demo(data_dir: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    demo = start("--data", str(data_dir), "--port", str(port))
    assert demo.stdout and demo.stderr
    # Its children complain when their database goes; a pipe that nobody empties would hold them at the last word.
    complaints: list[str] = []
    listening = threading.Thread(target=lambda: complaints.extend(demo.stderr or ()), daemon=True)
    listening.start()
    try:
        said = ""
        for line in demo.stdout:
            said += line
            if "Ctrl-C stops" in line:
                break
        assert "Grapevine is at" in said, said + "".join(complaints)
        threading.Thread(target=demo.stdout.read, daemon=True).start()
        yield demo
    finally:
        demo.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            demo.wait(30)
        demo.kill()
        demo.wait()
        listening.join(5)


def family_of(data_dir: Path, port: int) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            is_ours = any(str(data_dir) in word for word in words) or str(port) in words
            if (is_ours or process.environ().get("GRAPEVINE_DATA_DIR") == str(data_dir)) and process.pid != os.getpid():
                found.append(process)
    return found


def comes_true(fact: Callable[[], bool], seconds: float = 60.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if fact():
            return True
        time.sleep(0.1)
    return False


def test_a_port_in_use_is_one_clear_sentence(data_dir: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        demo = start("--data", str(data_dir), "--port", str(number))
        said = demo.communicate(timeout=120)
    assert demo.returncode == 1
    assert said[0] == ""
    assert re.fullmatch(rf"Error: Port {number} on 127.0.0.1 cannot be used .*--port {number + 1}\n", said[1]), said[1]


@pytest.mark.parametrize("number", ["0x1F", "70000", "-1"])
def test_a_port_that_is_none_is_one_clear_sentence(data_dir: Path, number: str) -> None:
    demo = start("--data", str(data_dir), "--port", number)
    said = demo.communicate(timeout=120)[1]
    assert demo.returncode in (1, 2)
    assert "Traceback" not in said


def test_fresh_never_empties_a_database_that_is_not_its_own(data_dir: Path) -> None:
    url = "postgresql://someone@127.0.0.1:1/precious"
    demo = start("--data", str(data_dir), "--port", "0", "--fresh", GRAPEVINE_DATABASE_URL=url)
    said = demo.communicate(timeout=120)[1]
    assert demo.returncode == 1
    assert "--fresh empties only the embedded database" in said


def test_a_folder_that_cannot_be_written_is_one_clear_sentence() -> None:
    demo = start("--data", "/proc/nowhere", "--port", "0")
    said = demo.communicate(timeout=120)[1]
    assert demo.returncode == 1
    assert "cannot be written" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_demo_comes_up_goes_down_and_survives_being_killed(data_dir: Path, port: int) -> None:
    with a_demo(data_dir, port) as demo:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=60) as answer:
            assert answer.status == 200
        second = start("--data", str(data_dir), "--port", "0")
        assert "A demo is running on" in second.communicate(timeout=120)[1]
        assert second.returncode == 1
        demo.send_signal(signal.SIGINT)
        assert demo.wait(30) == 0
    assert comes_true(lambda: not family_of(data_dir, port))
    assert not (data_dir / "demo.lock").exists()
    assert not (data_dir / "tree.json").exists()

    with a_demo(data_dir, port):
        for process in family_of(data_dir, port):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    with a_demo(data_dir, port) as demo:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=60) as answer:
            assert answer.status == 200
        demo.kill()  # this one alone: its children notice
        assert comes_true(lambda: not family_of(data_dir, port))
