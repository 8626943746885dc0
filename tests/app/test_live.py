import asyncio
import json
import os
import socket
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from app import clock, live, live_tickets, valkey
from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, Person, a_member, sign_in
from tests.lines import Line, a_real_server

pytestmark = pytest.mark.anyio


# --- who may come in ---


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://test.example.evil.example",
        "http://eviltest.example",
        "http://test.example:81",
        "https://test.example@evil.example",
        "http://test.example/",
        "HTTP://TEST.EXAMPLE",
        "",
        None,
    ],
)
async def test_another_sites_page_is_refused_before_the_handshake(house: Callable, web: Browser, origin: str | None):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    line = await Line(house).open(cookie=f"gv_session={browser.cookies['gv_session']}", origin=origin)
    assert not line.is_accepted and line.close_code == 4403


async def test_our_own_page_comes_in_with_its_cookie(house: Callable, web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    line = await Line(house).open(cookie=f"gv_lang=en; gv_session={browser.cookies['gv_session']}")
    await line.send("ping")
    assert await line.next() == {"type": "pong"}


async def test_a_page_of_somebody_who_sat_here_before_is_let_in_as_nobody_else(house: Callable, web: Browser):
    """What waits on it to be said would be said by whoever signed in to this browser since."""
    alice, bob = await a_member("alice"), await a_member("bob")
    cookie = f"gv_session={(await sign_in(web(), bob)).cookies['gv_session']}"
    assert await (await Line(house).open(cookie=cookie, member=str(alice.id))).closes() == 4401
    assert await (await Line(house).open(cookie=cookie, member="٣")).closes() == 4401
    line = await Line(house).open(cookie=cookie, member=str(bob.id))
    await line.send("ping")
    assert await line.next() == {"type": "pong"}


@pytest.mark.parametrize("cookie", ["", "gv_session=", "gv_session=planted", "gv_session", ";;=;\xff"])
async def test_a_stranger_is_told_to_sign_in(house: Callable, cookie: str):
    line = await Line(house).open(cookie=cookie)
    assert line.is_accepted and await line.closes() == 4401


async def test_a_ticket_lets_in_once_and_for_thirty_seconds(house: Callable, web: Browser):
    alice = await a_member("alice")
    answer = await web(token=alice.token).post("/api/v1/live/ticket")
    assert answer.status_code == 201
    ticket = answer.json()["ticket"]
    first = await Line(house).open(ticket=ticket, origin=None)
    await first.send("ping")
    assert await first.next() == {"type": "pong"}
    assert await (await Line(house).open(ticket=ticket, origin=None)).closes() == 4401
    late = live_tickets.issue(alice.viewer)
    clock.travel(timedelta(seconds=31))
    assert await (await Line(house).open(ticket=late, origin=None)).closes() == 4401
    assert (await web().post("/api/v1/live/ticket")).status_code == 401


async def test_a_forged_ticket_is_worth_nothing(house: Callable):
    alice = await a_member("alice")
    text, _, signature = live_tickets.issue(alice.viewer).partition(".")
    for forged in (f"{text}x.{signature}", f"{text}.{signature[::-1]}", text, ".", "%ff.%00", "é.é"):
        assert await (await Line(house).open(ticket=forged, origin=None)).closes() == 4401


async def test_a_ticket_is_good_once_while_valkey_is_away_too(house: Callable, monkeypatch: pytest.MonkeyPatch):
    class Away:
        async def set(self, *_args: object, **_options: object) -> None:
            raise ConnectionRefusedError

    monkeypatch.setattr(valkey, "client", Away)
    alice = await a_member("alice")
    ticket = live_tickets.issue(alice.viewer)
    assert await live_tickets.redeem(ticket) and not await live_tickets.redeem(ticket)


async def test_a_used_ticket_stays_used_when_valkey_forgets_or_dies(house: Callable, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    ticket = live_tickets.issue(alice.viewer)
    assert await live_tickets.redeem(ticket)
    await valkey.client().flushall()
    assert not await live_tickets.redeem(ticket)

    async def gone(*_given: object, **_named: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(valkey.client(), "set", gone)
    assert not await live_tickets.redeem(ticket)


async def test_a_token_that_may_only_read_cannot_write_through_a_ticket(house: Callable, web: Browser):
    from community.sessions.service import make_token

    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    reader = web(token=await make_token(alice.id, ["read"]))
    line = await Line(house).open(ticket=(await reader.post("/api/v1/live/ticket")).json()["ticket"], origin=None)
    await line.hello(room)
    await line.say(room, "Hello")
    assert (await line.next("error"))["code"] == "forbidden"


# --- what a frame may be ---


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "malformed"),
        ("nonsense", "malformed"),
        ('{"type":"ping"', "malformed"),
        ("[" * 5000 + "]" * 5000, "invalid"),
        ('{"type":"ping","deep":' + "[" * 30_000 + "]" * 30_000 + "}", "malformed"),
        ("[]", "invalid"),
        ("{}", "invalid"),
        ('{"type":7}', "invalid"),
        ('{"type":"fly"}', "unknown-type"),
        ('{"type":"hello","rooms":[]}', "invalid"),
        ('{"type":"hello","rooms":{"seven":{}}}', "invalid"),
        ('{"type":"hello","rooms":{"7":{"seq":-1}}}', "invalid"),
        ('{"type":"hello","rooms":{"7":{"seq":1e30}}}', "invalid"),
        ('{"type":"hello","rooms":{"99999999999999999999":{}}}', "invalid"),
        ('{"type":"send","room":"7","body":"x"}', "invalid"),
        ('{"type":"send","room":"7","client_id":"not a uuid","body":"x"}', "invalid"),
        ('{"type":"send","room":7,"client_id":"4b1c2e0e-2f4a-4b3c-9d55-0b8f0c1d2e3f","body":"x"}', "invalid"),
        ('{"type":"read","room":"7","seq":"many"}', "invalid"),
    ],
)
async def test_nonsense_gets_a_clear_answer_and_the_line_stays(house: Callable, text: str, code: str):
    line = await a_line(house, await a_member("alice"))
    await line.send_text(text)
    answer = await line.next("error")
    assert answer["code"] == code and answer["detail"]
    await line.send("ping")
    assert await line.next() == {"type": "pong"}


async def test_words_that_cannot_be_kept_are_refused_with_their_client_id(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    for body in ("", "   ", "\0\0", "x" * 4001):
        client_id = await line.say(room, body)
        refused = await line.next("error")
        assert (refused["code"], refused["client_id"]) == ("invalid", client_id)
    await line.say(room, "a\0b")
    await line.next("ack")
    await line.hello(room, seq=0)
    assert (await line.events(1))[0]["body"] == "ab"


async def test_a_binary_frame_is_refused(house: Callable):
    line = await a_line(house, await a_member("alice"))
    await line.send_bytes(b'{"type":"ping"}')
    assert (await line.next("error"))["code"] == "binary"


async def test_ten_thousand_rooms_in_one_hello_are_too_many(house: Callable):
    line = await a_line(house, await a_member("alice"))
    await line.send("hello", rooms={str(n): {} for n in range(10_000)})
    assert (await line.next("error"))["code"] == "too-large"


async def test_a_flood_is_closed_with_too_fast(house: Callable):
    line = await a_line(house, await a_member("alice"))
    for _ in range(3000):
        await line.send("ping")
    assert await line.closes() == 4429
    nonsense = await a_line(house, await a_member("bob"))
    for _ in range(200):
        await nonsense.send_text("nonsense")
    assert await nonsense.closes() == 4429
    greeter = await a_line(house, await a_member("carol"))
    for _ in range(200):
        await greeter.send("hello", rooms={})
    assert await greeter.closes() == 4429


async def test_who_falls_silent_is_closed_as_idle(house: Callable, monkeypatch: pytest.MonkeyPatch):
    from community.sessions.queries import shut_out

    line = await a_line(house, await a_member("alice"))
    await line.send("ping")
    await line.next("pong")
    monkeypatch.setattr(live, "IDLE_SECONDS", -1)
    await live.look_around(shut_out)
    assert await line.closes() == 4408


async def test_a_member_is_told_of_news_on_every_open_page(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    hers = [await a_line(house, alice) for _ in range(2)]
    his = await a_line(house, bob)
    await live.notify_member(alice.id, unread=3)
    for line in hers:
        assert await line.next() == {"type": "notify", "unread": 3}
    with pytest.raises(TimeoutError):
        await his.next(patience=0.1)
    await live.shut_out_member(alice.id)
    assert [await line.closes() for line in hers] == [4401, 4401]


# --- over TCP, with real servers ---


@asynccontextmanager
async def a_socket(port: int, person: Person, **options: Any) -> AsyncIterator[ClientConnection]:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as door:
        answer = await door.post("/api/v1/live/ticket", headers={"Authorization": f"Bearer {person.token}"})
    address = f"ws://127.0.0.1:{port}/live?ticket={answer.json()['ticket']}"
    async with connect(address, compression=None, **options) as line:
        yield line


async def heard(line: ClientConnection, kind: str, patience: float = 30) -> dict:
    async with asyncio.timeout(patience):
        while (frame := json.loads(await line.recv()))["type"] != kind:
            pass
    return frame


async def close_code(line: ClientConnection) -> int | None:
    try:
        async with asyncio.timeout(60):
            while True:
                await line.recv()
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def saying(room: str, body: str) -> str:
    return json.dumps({"type": "send", "room": room, "client_id": str(uuid.uuid4()), "body": body})


async def test_a_real_server_keeps_its_limits(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    async with a_real_server() as (port, process):
        address = f"ws://127.0.0.1:{port}/live"
        with pytest.raises(InvalidStatus) as refused:
            await connect(address, origin="https://evil.example")
        assert refused.value.response.status_code == 403
        async with connect(address, origin=f"http://127.0.0.1:{port}") as stranger:
            assert await close_code(stranger) == 4401

        async with a_socket(port, alice) as line:
            await line.send("x" * 65_537)
            assert await close_code(line) == 1009
        async with a_socket(port, alice) as line:
            await line.send(["x" * 40_000, "x" * 40_000])
            assert await close_code(line) == 1009
        async with a_socket(port, alice) as line:
            # The websockets library would not send this: a text frame, masked with zeros, of a lone continuation byte.
            line.transport.write(b"\x81\x81\0\0\0\0\x80")
            assert await close_code(line) == 1007
        async with a_socket(port, alice) as line:
            await line.send(saying(room, "Still well"))
            assert (await heard(line, "ack"))["room"] == room
            process.terminate()
            assert await close_code(line) == 1012
        await asyncio.wait_for(process.wait(), 15)


async def test_who_does_not_read_is_told_to_resume_and_the_others_hear_on(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hello = json.dumps({"type": "hello", "rooms": {room: {}}})
    async with a_real_server() as (port, _process), a_socket(port, alice) as hers:
        small = socket.socket()
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        small.connect(("127.0.0.1", port))
        async with a_socket(port, bob, sock=small, max_queue=1) as his:
            await his.send(hello)
            await heard(his, "welcome")
            acks = 0
            for _ in range(25):
                for _ in range(40):
                    await hers.send(saying(room, "x" * 3900))
                for _ in range(40):
                    await heard(hers, "ack")
                    acks += 1
            assert acks == 1000
            assert await close_code(his) == 4409


@pytest.mark.parametrize("valkey", ["alive", "dead"])
async def test_two_processes_tell_each_other_and_a_dead_valkey_costs_only_time(house: Callable, valkey: str):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    redis_url = os.environ["GRAPEVINE_REDIS_URL"] if valkey == "alive" else "unix:///nowhere/valkey.sock"
    settings = {"GRAPEVINE_REDIS_URL": redis_url, "GRAPEVINE_BASE_URL": "http://127.0.0.1"}
    async with a_real_server(**settings) as (one, _), a_real_server(**settings) as (other, _):
        async with a_socket(one, alice) as hers, a_socket(other, bob) as his:
            for line in (hers, his):
                await line.send(json.dumps({"type": "hello", "rooms": {room: {}}}))
                await heard(line, "welcome")
            for n in range(3):
                await hers.send(saying(room, f"line {n}"))
                await heard(hers, "ack")
            told: list[dict] = []
            while len(told) < 3:
                told += (await heard(his, "events"))["events"]
            assert [event["body"] for event in told] == ["line 0", "line 1", "line 2"]
