"""The keeper: starts PostgreSQL and Valkey, restarts one that dies, and stops both when nobody uses them any more.

It is the only parent the servers have. Each program that uses them holds a connection to `keeper.sock`; the system
closes it even after `kill -9`, so no user is ever forgotten. Started by `app/embedded.py`, never by hand.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from app.servers import Server, postgres, stop_leftovers, valkey

__all__ = ["STOP_SECONDS", "stop_leftovers"]

STOP_SECONDS = 25.0
FIRST_USER_SECONDS = 15.0


class Order(NamedTuple):
    home: Path
    sockets: Path
    fast: bool
    uid: int | None


class Keeper:
    """The running servers and the connections of those who use them."""

    def __init__(self, servers: list[Server], listener: socket.socket, greeting: bytes) -> None:
        self._servers = servers
        self._greeting = greeting
        self._listener = listener
        self._users: set[socket.socket] = set()
        self._leaving: list[socket.socket] = []
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ)
        self._wakeup, self._signalled = socket.socketpair()
        self._signalled.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._signalled.fileno())
        self._told_to_stop = False

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop_soon)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only to wake up and look
        lonely_until = time.monotonic() + FIRST_USER_SECONDS
        while not self._told_to_stop and (self._users or (not self._leaving and time.monotonic() < lonely_until)):
            for key, _ in self._selector.select(timeout=2.0):
                self._answer(key.fileobj)  # type: ignore[arg-type]
            for server in self._servers:
                server.restart_if_dead()

    def close(self) -> None:
        """From here on a caller finds no keeper, and starts another, which waits until this one is gone."""
        self._selector.close()
        self._listener.close()

    def say_goodbye(self) -> None:
        for line in [*self._users, *self._leaving]:
            line.close()

    def _stop_soon(self, *_: object) -> None:
        self._told_to_stop = True

    def _answer(self, line: socket.socket) -> None:
        if line is self._wakeup:
            line.recv(4096)
        elif line is self._listener:
            user, _ = line.accept()
            user.sendall(self._greeting)
            self._selector.register(user, selectors.EVENT_READ)
            self._users.add(user)
        else:
            self._hear(line)

    def _hear(self, line: socket.socket) -> None:
        try:
            said = line.recv(64)
        except OSError:
            said = b""
        if said.startswith(b"who"):
            line.sendall(f"{len(self._users) - 1}\n".encode())
            return
        self._selector.unregister(line)
        self._users.discard(line)
        self._told_to_stop |= said.startswith(b"stop")
        if self._users and not self._told_to_stop:
            line.close()
        else:
            self._leaving.append(line)  # the last one is let go when the servers are down


def keep(order: Order) -> None:
    with (order.home / "keeper.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # an earlier keeper may still be stopping its servers
        stop_leftovers(order.home)
        servers = [postgres(order.home, order.sockets, order.uid, fast=order.fast)]
        servers.append(valkey(order.home, order.sockets, order.uid))
        path = order.sockets / "keeper.sock"
        try:
            for server in servers:
                server.start()
            for server in servers:
                server.wait_until_ready()
            keeper = Keeper(servers, _listen(path), _greeting(servers))
            try:
                keeper.run()
            finally:
                path.unlink(missing_ok=True)
                keeper.close()
                _stop(servers)
                keeper.say_goodbye()
        finally:
            _stop(servers)


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    # Bound under another name first: whoever finds the socket finds it private and answering.
    hidden = path.with_suffix(".new")
    hidden.unlink(missing_ok=True)
    listener.bind(str(hidden))
    hidden.chmod(0o600)
    listener.listen(64)
    hidden.rename(path)
    return listener


def _greeting(servers: list[Server]) -> bytes:
    return json.dumps({server.names: server.url for server in servers}).encode() + b"\n"


def _stop(servers: list[Server]) -> None:
    for server in servers:
        server.ask_to_stop()
    for server in servers:
        server.wait_until_stopped(STOP_SECONDS)


def main() -> None:
    given = json.loads(sys.argv[1])
    try:
        keep(Order(Path(given["home"]), Path(given["sockets"]), given["fast"], given["uid"]))
    except (OSError, subprocess.SubprocessError, RuntimeError) as error:
        print(error)
        sys.exit(1)


if __name__ == "__main__":
    # Our parent may be a terminal that closes; the connections alone decide how long we live.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with contextlib.suppress(KeyboardInterrupt):
        main()
    os._exit(0)
