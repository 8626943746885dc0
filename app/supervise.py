"""Several programs as one tree: they start together, one that crashes comes back, and none outlives this process."""

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LONGEST_PAUSE = 30.0
CALM_SECONDS = 60.0  # a child that lived this long starts again without a pause
HOPELESS_AFTER = 3  # crashes in a row before the tree was ever ready


class Child(NamedTuple):
    name: str
    command: Sequence[str]
    env: Mapping[str, str] = {}


class _Running:
    def __init__(self, child: Child) -> None:
        self.child = child
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_again_at = 0.0
        self.crashes = 0

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.child.command,
            env={**os.environ, **self.child.env},
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches us alone, and we stop them in order
            preexec_fn=die_with_parent,
        )

    def look(self) -> None:
        """Start the child again after it ended, each time a little later."""
        if self.process is not None and self.process.poll() is not None:
            if time.monotonic() - self.started_at > CALM_SECONDS:
                self.crashes = 0
            pause = min(LONGEST_PAUSE, 0.25 * 2**self.crashes)
            self.crashes += 1
            print(f"{self.child.name} ended with {self.process.returncode}; again in {pause:g} s", file=sys.stderr)
            self.start_again_at = time.monotonic() + pause
            self.process = None
        if self.process is None and time.monotonic() >= self.start_again_at:
            self.start()

    def start_anew(self) -> None:
        self.ask_to_stop()
        if self.process:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(3)
            self.signal(signal.SIGKILL)
            self.process.wait()
        self.process, self.start_again_at, self.crashes = None, 0.0, 0

    def signal(self, number: signal.Signals) -> None:
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def ask_to_stop(self) -> None:
        # Only the child itself: a server with its own workers stops them in its own order.
        if self.process and self.process.poll() is None:
            self.process.terminate()


def run(
    children: Sequence[Child],
    *,
    record: Path,
    is_ready: Callable[[], bool] | None = None,
    on_ready: Callable[[], None] | None = None,
    has_changed: Callable[[], bool] | None = None,
    grace: float = 10.0,
) -> int:
    """Run the children until SIGINT, SIGTERM or SIGHUP; 0 after a clean stop, 1 when they never came up.

    `has_changed` is asked twice a second; a yes starts the children anew.
    """
    end_leftovers(record)
    running = [_Running(child) for child in children]
    with _signals() as heard:
        try:
            return _watch(running, heard, record, is_ready, on_ready, has_changed)
        finally:
            _stop(running, heard, grace)
            record.unlink(missing_ok=True)


def end_leftovers(record: Path) -> None:
    """End what an earlier run left behind when it was killed where the kernel does not do it for us."""
    import psutil

    try:
        left = json.loads(record.read_text())
    except (OSError, ValueError):
        return
    for pid, born in left:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if abs(process.create_time() - born) < 1.0:  # else the pid is a stranger's by now
                family = [*process.children(recursive=True), process]
                for member in family:
                    member.terminate()
                for member in psutil.wait_procs(family, timeout=5)[1]:
                    member.kill()
    record.unlink(missing_ok=True)


def _watch(
    running: list[_Running],
    heard: "_Heard",
    record: Path,
    is_ready: Callable[[], bool] | None,
    on_ready: Callable[[], None] | None,
    has_changed: Callable[[], bool] | None,
) -> int:
    ready = False
    pids: list[int] = []
    while not heard.stop:
        for one in running:
            one.look()
        now = [one.process.pid for one in running if one.process]
        if now != pids:
            pids = now
            _write_down(pids, record)
        if not ready and (is_ready is None or is_ready()):
            ready = True
            if on_ready:
                on_ready()
        if not ready and any(one.crashes >= HOPELESS_AFTER for one in running):
            names = ", ".join(one.child.name for one in running if one.crashes >= HOPELESS_AFTER)
            print(f"{names} ended {HOPELESS_AFTER} times before it was ready; giving up.", file=sys.stderr)
            return 1
        if has_changed and has_changed():
            for one in running:
                one.start_anew()
        heard.wait(0.5 if ready else 0.05)
    return 0


def _write_down(pids: list[int], record: Path) -> None:
    import psutil

    alive = []
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            alive.append([pid, psutil.Process(pid).create_time()])
    new = record.with_suffix(".new")
    new.write_text(json.dumps(alive))
    new.replace(record)


def _stop(running: list[_Running], heard: "_Heard", grace: float) -> None:
    asked = heard.count
    for one in running:
        one.ask_to_stop()
    deadline = time.monotonic() + grace
    while any(one.process and one.process.poll() is None for one in running):
        if time.monotonic() > deadline or heard.count > asked:  # a second Ctrl-C means now
            break
        heard.wait(0.05)
    for one in running:
        one.signal(signal.SIGKILL)
        if one.process:
            one.process.wait()


class _Heard:
    """Signals as something that can be waited for."""

    def __init__(self) -> None:
        self.count = 0
        self.stop = False
        self._receiver, self.sender = socket.socketpair()
        self.sender.setblocking(False)

    def wait(self, seconds: float) -> None:
        self._receiver.settimeout(seconds)
        with contextlib.suppress(TimeoutError):
            self._receiver.recv(64)

    def told_to_stop(self, *_: object) -> None:
        self.count += 1
        self.stop = True

    def close(self) -> None:
        self.sender.close()
        self._receiver.close()


@contextlib.contextmanager
def _signals():  # type: ignore[no-untyped-def]
    heard = _Heard()
    meant = dict.fromkeys((signal.SIGINT, signal.SIGTERM, signal.SIGHUP), heard.told_to_stop)
    before = {number: signal.signal(number, handler) for number, handler in meant.items()}
    before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # wake up and look
    old_wakeup = signal.set_wakeup_fd(heard.sender.fileno(), warn_on_full_buffer=False)
    try:
        yield heard
    finally:
        signal.set_wakeup_fd(old_wakeup)
        for number, handler in before.items():
            signal.signal(number, handler)
        heard.close()


def die_with_parent() -> None:
    """To be called in a child process: on Linux the kernel ends it when its parent was killed."""
    if _prctl is not None:
        _prctl(1, signal.SIGTERM)


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
