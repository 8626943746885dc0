"""Hints between processes: "room 7 stands at 131", "member 3 has news". They carry ids, never content.

Every signal is heard in this process at once and in the others through one Valkey channel. Valkey may die:
`are_reaching()` is False then, and whoever depends on a hint asks PostgreSQL more often instead.
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import msgspec
import redis.asyncio as redis

from app import valkey
from app.auth import sign
from app.settings import settings

log = logging.getLogger(__name__)

Hearer = Callable[[str, Any], None]
THIS_PROCESS = secrets.token_hex(6)
QUIET_SECONDS = 5
TRY_AGAIN_SECONDS = 0.5

_hearers: dict[str, Hearer] = {}
# What waits to be published: a newer signal about the same thing replaces the older one.
_pending: dict[tuple[str, str], Any] = {}
_something: asyncio.Event | None = None
_listening = False


def heard(name: str) -> Callable[[Hearer], Hearer]:
    """`@heard("room") def wake(key, value)`: called in every web process, on its event loop."""

    def remember(hearer: Hearer) -> Hearer:
        _hearers[name] = hearer
        return hearer

    return remember


async def signal(name: str, key: object, value: Any = None) -> None:
    """Give the hint, here and elsewhere, after the commit. It never fails and waits for no other process."""
    _hear(name, str(key), value)
    if _something is not None:
        _pending[name, str(key)] = value
        _something.set()
    else:
        # A worker or a command: no publisher runs beside it.
        with suppress(*valkey.Down):
            await valkey.client().publish(_channel(), _message([[name, str(key), value]]))


def are_reaching() -> bool:
    """Whether hints from other processes arrive at the moment."""
    return _listening


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    """Publish and listen while a web process serves."""
    global _something
    _something = asyncio.Event()
    tasks = [asyncio.create_task(_publish_for_ever(_something)), asyncio.create_task(_listen_for_ever())]
    try:
        yield
    finally:
        _something = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _publish_for_ever(something: asyncio.Event) -> None:
    while True:
        await something.wait()
        something.clear()
        signals = [[name, key, value] for (name, key), value in _pending.items()]
        _pending.clear()
        try:
            await valkey.client().publish(_channel(), _message(signals))
        except valkey.Down as error:
            log.info("a signal did not reach the other processes: %s", error)


async def _listen_for_ever() -> None:
    global _listening
    while True:
        client = redis.Redis.from_url(settings().redis_url, socket_connect_timeout=1, socket_timeout=None)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as subscription:
                await subscription.subscribe(_channel())
                _listening = True
                while True:
                    message = await subscription.get_message(timeout=QUIET_SECONDS)
                    if message is not None and message["type"] == "message":
                        _hear_all(message["data"])
                    elif message is None:
                        # A line that went dead without a word is noticed here. (Not `wait_for`: in Python 3.11 it
                        # swallows a cancellation that comes as the answer does, and the server would never stop.)
                        async with asyncio.timeout(1):
                            await subscription.ping()
        except (*valkey.Down, ValueError) as error:
            if _listening:
                log.warning("no signals from other processes: %s", error)
            _listening = False
            await asyncio.sleep(TRY_AGAIN_SECONDS)
        finally:
            _listening = False
            with suppress(*valkey.Down):
                await client.aclose()


def _hear_all(data: bytes) -> None:
    try:
        origin, signals = msgspec.json.decode(data, type=tuple[str, list[tuple[str, str, Any]]])
    except msgspec.MsgspecError:
        log.warning("a signal of an unknown shape: %.100r", data)
        return
    if origin != THIS_PROCESS:
        for name, key, value in signals:
            _hear(name, key, value)


def _hear(name: str, key: str, value: Any) -> None:
    hearer = _hearers.get(name)
    if hearer is not None:
        try:
            hearer(key, value)
        except Exception:
            log.exception("hearing %s failed", name)


def _message(signals: list[list[Any]]) -> bytes:
    return msgspec.json.encode([THIS_PROCESS, signals])


def _channel() -> str:
    # Two communities may share one Valkey.
    return "gv:live:" + sign("live-channel", settings().base_url)[:16]
