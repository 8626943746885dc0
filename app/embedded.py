"""PostgreSQL and Valkey for whoever has none: real servers from wheels, kept under a data directory.

    with embedded.servers(Path("var")) as urls:
        ...

Any number of programs may use the same data directory at once. The first one starts a keeper (`app/keeper.py`),
every one stays connected to it, and the servers stop when the last connection is gone: by a clean end, by Ctrl-C
or by `kill -9`, all the same.
"""

import atexit
import contextlib
import fcntl
import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from app import keeper

LONGEST_SOCKET_PATH = 100  # 107 on Linux, 103 on macOS, less what the servers add
START_SECONDS = 60.0


class Urls(NamedTuple):
    database_url: str
    redis_url: str


class CannotStart(Exception):
    """The embedded servers did not come up; the sentence says why and where to look."""


@contextmanager
def servers(data_dir: Path, *, fast: bool = False) -> Iterator[Urls]:
    """Running servers for the time of the block; `fast` gives up durability and is for tests alone."""
    line, urls = _join(Path(data_dir), fast)
    try:
        yield urls
    finally:
        _leave(line)


def ensure(data_dir: Path, *, fast: bool = False) -> Urls:
    """Running servers until this process ends."""
    use = ExitStack()
    urls = use.enter_context(servers(data_dir, fast=fast))
    atexit.register(use.close)
    return urls


def stop(data_dir: Path) -> None:
    """Stop the servers whoever uses them, and what an earlier run may have left."""
    home = _home(Path(data_dir))
    if not home.exists():
        return
    with _one_at_a_time(home):
        if line := _call(home):
            with line:
                line.sendall(b"stop\n")
                _wait_for_end(line)
        keeper.stop_leftovers(home)


def users(data_dir: Path) -> int:
    """How many programs use the servers of this data directory now."""
    line = _call(_home(Path(data_dir)))
    if line is None:
        return 0
    with line:
        line.sendall(b"who\n")
        lines = line.makefile()
        lines.readline()
        return int(lines.readline() or 0)


def forget(data_dir: Path) -> None:
    """Remove the databases of a data directory for ever."""
    stop(data_dir)
    home = _home(Path(data_dir))
    for folder in {home, _socket_folder(home) if home.exists() else home}:
        shutil.rmtree(folder, ignore_errors=True)
    (Path(data_dir) / "servers-at").unlink(missing_ok=True)


def _join(data_dir: Path, fast: bool) -> tuple[socket.socket, Urls]:
    data_dir = data_dir.expanduser().absolute()
    home = _make_home(data_dir)
    with _one_at_a_time(home):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            line = _call(home) or _start_keeper(home, fast, deadline)
            if greeting := _first_line(line):
                return line, Urls(**json.loads(greeting))
            # The keeper was just leaving: the next round finds it gone and starts another.
            line.close()
    raise CannotStart(f"The database did not start within {START_SECONDS:.0f} seconds; {home}/keeper.log says more.")


def _leave(line: socket.socket) -> None:
    """Say goodbye; when nobody else is there, wait until the servers are down."""
    with line, contextlib.suppress(OSError):
        line.sendall(b"bye\n")
        _wait_for_end(line)


def _wait_for_end(line: socket.socket) -> None:
    line.settimeout(keeper.STOP_SECONDS + 10)
    with contextlib.suppress(OSError):
        while line.recv(1024):
            pass


def _call(home: Path) -> socket.socket | None:
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(str(_socket_folder(home) / "keeper.sock"))
    except OSError:
        line.close()
        return None
    return line


def _first_line(line: socket.socket) -> str:
    line.settimeout(START_SECONDS)
    received = b""
    with contextlib.suppress(OSError):
        while not received.endswith(b"\n"):
            chunk = line.recv(1)
            if not chunk:
                return ""
            received += chunk
    return received.decode()


def _start_keeper(home: Path, fast: bool, deadline: float) -> socket.socket:
    order = json.dumps({"home": str(home), "sockets": str(_socket_folder(home)), "fast": fast, "uid": _other_user()})
    with (home / "keeper.log").open("w") as log:
        started = subprocess.Popen(
            [sys.executable, "-m", "app.keeper", order],
            cwd=Path(__file__).parent.parent,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # a Ctrl-C at the terminal is for us: we stop the servers last
        )
    while time.monotonic() < deadline:
        if line := _call(home):
            return line
        if started.poll() is not None:
            raise CannotStart(_why(home))
        time.sleep(0.01)
    raise CannotStart(f"The database did not start within {START_SECONDS:.0f} seconds; {home}/keeper.log says more.")


def _why(home: Path) -> str:
    lines = (home / "keeper.log").read_text(errors="replace").strip().splitlines()
    return f"The database could not start. {lines[-1] if lines else ''} (more in {home}/keeper.log)"


@contextmanager
def _one_at_a_time(home: Path) -> Iterator[None]:
    with (home / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# Where things lie


def _home(data_dir: Path) -> Path:
    elsewhere = data_dir.expanduser().absolute() / "servers-at"
    return Path(elsewhere.read_text()) if elsewhere.exists() else data_dir.expanduser().absolute() / "servers"


def _make_home(data_dir: Path) -> Path:
    """The folder of the servers: inside the data directory, unless PostgreSQL could not reach it there.

    PostgreSQL refuses to run as root, so for root it runs as another user, to whom a folder below /root is closed.
    We never open a folder that is not ours: the servers' folder goes elsewhere instead.
    """
    data_dir.mkdir(parents=True, exist_ok=True)
    home = _home(data_dir)
    home.mkdir(exist_ok=True, mode=0o755)
    uid = _other_user()
    if uid is not None and not _can_enter(uid, home):
        if any(home.iterdir()):
            raise CannotStart(f"{home} is closed to other users than root now, and PostgreSQL does not run as root.")
        home.rmdir()
        home = Path(tempfile.mkdtemp(prefix="grapevine-", dir="/var/lib" if os.path.isdir("/var/lib") else None))
        home.chmod(0o711)
        (data_dir / "servers-at").write_text(str(home))
        print(f"{data_dir} is closed to other users than root, so its database is kept in {home}.", file=sys.stderr)
    return home


def _other_user() -> int | None:
    """Who runs PostgreSQL when we are root, who must not."""
    if os.geteuid() != 0:
        return None
    import pwd

    for name in ("grapevine", "postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise CannotStart("PostgreSQL does not run as root, and there is no other user here. Run this as a normal user.")


def _can_enter(uid: int, folder: Path) -> bool:
    asked = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]
    return subprocess.run(asked, user=uid, group=uid, extra_groups=[], stderr=subprocess.DEVNULL).returncode == 0


def _socket_folder(home: Path) -> Path:
    """The servers' folder, or a short private one named in it when its path is too long for a socket."""
    if len(str(home)) <= LONGEST_SOCKET_PATH - len("/run/.s.PGSQL.5432"):
        return home
    named = home / "sockets-at"
    if named.exists() and _is_ours(folder := Path(named.read_text())):
        return folder
    folder = Path(tempfile.mkdtemp(prefix="gv-", dir=_short_place()))
    folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
    named.write_text(str(folder))
    return folder


def _short_place() -> str | None:
    place = tempfile.gettempdir()
    return place if len(place) <= 40 else "/tmp"


def _is_ours(folder: Path) -> bool:
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022
