"""What an attacker had left: bodies of strangers, hints to outsiders, circles around a block, hellos at no price."""

import asyncio
import contextvars
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest

from app import auth, db, live_limits
from app.errors import Forbidden
from app.people import erase
from app.settings import settings
from community.direct import blocking, policy
from community.direct import service as direct
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_attacks import _parts, doors_of_rooms
from tests.community.test_chat_marks import said
from tests.factories import Browser, Person, a_member, sign_in
from tests.lines import Line

pytestmark = pytest.mark.anyio


# --- bodies that nobody asked for ---


class Sender:
    """A request whose body would be very large, and how much of it was read."""

    def __init__(self, house: Callable, path: str, **headers: str) -> None:
        self.house, self.path = house, path
        self.headers = {"host": "test.example", "content-type": "multipart/form-data; boundary=x"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        self.read = 0
        self.status = 0

    async def send(self) -> int:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
            "path": self.path, "raw_path": self.path.encode(), "query_string": b"", "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in self.headers.items()],
            "client": ("203.0.113.9", 1), "server": ("test.example", 80), "state": {},
        }  # fmt: skip
        await self.house(scope, self._receive, self._take)
        return self.status

    async def _receive(self) -> dict:
        self.read += 1
        head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
        return {"type": "http.request", "body": (head if self.read == 1 else b"") + b"0" * 65_536, "more_body": True}

    async def _take(self, message: dict) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]


MUCH = {"content_length": str(50 * 1024 * 1024)}
CHUNKED = {"transfer_encoding": "chunked"}


@pytest.mark.parametrize("size", [MUCH, CHUNKED])
@pytest.mark.parametrize("door", ["/chat/{room}/files", "/chat/{room}/messages", "/settings/avatar/"])
async def test_nothing_large_is_read_of_who_is_not_signed_in(house: Callable, door: str, size: dict[str, str]):
    """A made up cookie was enough to have 64 MB read before anybody asked who sends it."""
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    for cookie in ("", "gv_form=made-up", "gv_session=made-up"):
        sender = Sender(house, door.format(room=room), **size, **({"cookie": cookie} if cookie else {}))
        assert await sender.send() in (303, 401, 403)
        assert sender.read == 0, (cookie, sender.read)


async def test_more_than_a_door_takes_is_refused_unread(web: Browser, house: Callable):
    alice, eve = await a_member("alice"), await a_member("eve")
    _slug, room = await a_room(alice, visibility="secret")
    for person, status in ((alice, 413), (eve, 404)):
        browser = await sign_in(web(), person)
        cookie = f"gv_session={browser.cookies['gv_session']}"
        token = auth.sign("form", browser.cookies["gv_session"])
        declared = {"content_length": str(200 * 1024 * 1024), "cookie": cookie, "x_csrf_token": token}
        sender = Sender(house, f"/chat/{room}/files", **declared)
        assert (await sender.send(), sender.read) == (status, 0)
    for person, status in ((alice, 413), (eve, 404)):
        bearer = {"authorization": f"Bearer {person.token}"}
        declared = Sender(house, f"/api/v1/rooms/{room}/files", content_length=str(200 * 1024 * 1024), **bearer)
        assert (await declared.send(), declared.read) == (status, 0)
        endless = Sender(house, f"/api/v1/rooms/{room}/files", transfer_encoding="chunked", **bearer)
        assert await endless.send() == status
        assert endless.read <= (0 if status == 404 else 20 * 16 + 3), "20 MB and no more"


async def test_large_forms_have_an_end_too(web: Browser, house: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(auth, "MOST_LARGE_AN_HOUR", 2)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    browser = await sign_in(web(), alice)
    form = {"content_length": str(200 * 1024 * 1024), "cookie": f"gv_session={browser.cookies['gv_session']}"}
    statuses = [await Sender(house, f"/chat/{room}/messages", **form).send() for _ in range(3)]
    assert statuses == [413, 413, 429]


# --- a circle around a block ---


@pytest.mark.parametrize("first", ["the block", "the circle"])
async def test_of_a_block_and_a_circle_in_the_same_moment_one_knows_of_the_other(
    house: Callable, monkeypatch: pytest.MonkeyPatch, first: str
):
    """The block was looked for before the circle was there; then both stood."""
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    await a_room(alice, bob, carol)
    usual, blocks = direct._open_room if first == "the circle" else policy.require_room_to_begin, []
    late_at = "_open_room" if first == "the circle" else "policy.require_room_to_begin"

    async def late(*given: object) -> object:
        block = blocking.block(alice.viewer, "bob")
        blocks.append(asyncio.get_running_loop().create_task(block, context=contextvars.Context()))
        # To its end, or to the lock that the circle holds.
        await asyncio.wait(blocks, timeout=1)
        return await usual(*given)

    monkeypatch.setattr(f"community.direct.service.{late_at}", late)
    begun = None
    with suppress(Forbidden):
        begun = await direct.begin(bob.viewer, ["alice", "carol"], uuid.uuid4(), "All three of us")
    await asyncio.gather(*blocks)
    seats = await db.fetch_val("SELECT count(*) FROM room_member WHERE member_id = $1", alice.id)
    if first == "the block":
        assert begun is None and seats == 0, "who is blocked puts nobody into a room with them"
    else:
        assert begun is not None and seats == 1, "it was there first; she leaves it as any room"


async def test_circles_and_blocks_of_many_at_once_wait_for_each_other_and_all_come_to_an_end(house: Callable):
    people = [await a_member(name) for name in ("alice", "bob", "carol", "dora")]
    await a_room(*people)

    def circle(one: Person) -> object:
        others = [other.handle for other in people if other is not one]
        return direct.begin(one.viewer, others, uuid.uuid4(), "Hello")

    blocks = [blocking.block(people[0].viewer, "dora"), blocking.block(people[2].viewer, "bob")]
    done = await asyncio.gather(*map(circle, people), *blocks, *map(circle, people), return_exceptions=True)
    assert not [one for one in done if isinstance(one, BaseException) and not isinstance(one, Forbidden)], done
    late = await asyncio.gather(*map(circle, people), return_exceptions=True)
    assert [type(one).__name__ for one in late] == ["Forbidden"] * 4, "each of them has a block with one of the others"


# --- hints to whom a room was closed ---


def waiting(line: Line) -> str:
    """Everything that was sent there and not read yet, read now."""
    found = ""
    while not line.from_server.empty():
        found += str(line.from_server.get_nowait())
    return found


async def closed_to(house: Callable, how: str) -> tuple[str, Line, Line, Line]:
    """A room, the line of who was closed out of it without a word being said, and those of two who stay."""
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug, room = await a_room(alice, bob)
    outsider, hers, his = await a_line(house, carol), await a_line(house, alice), await a_line(house, bob)
    for line in (outsider, hers, his):
        await line.hello(room)
    await outsider.next("presence")
    if how == "closed":
        await db.execute("UPDATE groups SET visibility = 'closed' WHERE slug = $1", slug)
    else:
        await db.execute(
            """INSERT INTO room_measure (room_id, kind, member_id, seconds, reason, by_id, created_at)
               VALUES ($1, 'ban', $2, 0, 'because', $3, now())""",
            int(room),
            carol.id,
            alice.id,
        )
    return room, outsider, hers, his


@pytest.mark.parametrize("how", ["closed", "banned"])
async def test_who_types_is_not_told_to_whom_the_room_was_closed_to(house: Callable, how: str):
    room, outsider, hers, his = await closed_to(house, how)
    await his.send("typing", room=room)
    assert (await hers.next("typing"))["author"]["handle"] == "bob"
    assert (await outsider.next("typing", "error"))["code"] == "forbidden"
    assert "typing" not in waiting(outsider)


@pytest.mark.parametrize("how", ["closed", "banned"])
async def test_who_comes_is_not_told_to_whom_the_room_was_closed_to(house: Callable, how: str):
    _room, outsider, hers, his = await closed_to(house, how)
    waiting(outsider)
    await his.cut()
    while "went" not in (told := await hers.next("presence")) or not told["went"]:
        pass
    heard = waiting(outsider)
    assert "went" not in heard and "bob" not in heard and "forbidden" in heard


async def test_whoever_a_silent_room_was_closed_to_is_let_go_of_by_asking(house: Callable):
    """No signal came, nothing is said, nobody comes: it is found by looking."""
    from community.chat import feed

    room, outsider, _hers, _his = await closed_to(house, "closed")
    await feed.ask([int(room)])
    assert (await outsider.next("error"))["code"] == "forbidden"
    assert len(feed.listeners(int(room))) == 2


# --- what a line may ask for ---


async def test_coming_back_is_paid_by_what_it_asks_for(house: Callable, monkeypatch: pytest.MonkeyPatch):
    """A thousand events were ten frames like none at all: 100 a connection at once, 50 a second for ever."""
    from app import live_socket
    from community.chat import service

    monkeypatch.setattr(live_socket, "BURST", 100)
    monkeypatch.setattr(live_socket, "PER_SECOND", 0.0)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    for n in range(400):
        await service.send(alice.viewer, int(room), uuid.uuid4(), f"line {n}")
    little, much, many = [await a_line(house, alice) for _ in range(3)]
    for _ in range(8):
        await little.hello(room)
    await little.send("ping")
    assert await little.next("pong"), "eight at twelve each"
    for _ in range(4):
        await much.send("hello", rooms={room: {"seq": 1}})
    assert await much.closes() == 4429
    await many.send("hello", rooms={str(n): {} for n in range(1, 100)})
    assert await many.closes() == 4429, "also for rooms that are not there"


async def test_a_member_and_an_address_hold_so_many_lines(house: Callable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("GRAPEVINE_LINES_PER_MEMBER", "3")
    monkeypatch.setenv("GRAPEVINE_LINES_PER_ADDRESS", "2")
    settings.cache_clear()
    try:
        alice, bob = await a_member("alice"), await a_member("bob")
        lines = [await a_line(house, alice) for _ in range(3)]
        one_more = await a_line(house, alice)
        assert await one_more.closes() == 4429
        his = await a_line(house, bob)
        await his.send("ping")
        assert await his.next() == {"type": "pong"}, "others are not counted"
        await lines[0].cut()
        again = await a_line(house, alice)
        await again.send("ping")
        assert await again.next() == {"type": "pong"}
        live_limits._lines["203.0.113.9"] = 2
        assert live_limits.are_too_many(0, "203.0.113.9") and not live_limits.are_too_many(0, "203.0.113.8")
    finally:
        live_limits._lines.clear()
        monkeypatch.undo()
        settings.cache_clear()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("93.184.215.14", "93.184.215.14"),
        ("2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220:1::/64"),
        ("::ffff:93.184.215.14", "93.184.215.14"),
        ("127.0.0.1", ""),
        ("::ffff:127.0.0.1", ""),
        ("10.0.0.7", ""),
        ("fd00::1", ""),
        ("", ""),
    ],
)
def test_a_proxys_own_address_counts_for_nobody(address: str, network: str):
    assert live_limits.network_of(address) == network


async def test_what_a_member_sent_to_another_process_counts_here(house: Callable, monkeypatch: pytest.MonkeyPatch):
    told: list[tuple] = []

    async def signal(*given: object) -> None:
        told.append(given)

    alice, bob = await a_member("alice"), await a_member("bob")
    hers, his = await a_line(house, alice), await a_line(house, bob)
    monkeypatch.setattr(live_limits, "signal", signal)
    live_limits._paces[alice.id].spent, live_limits._paces[bob.id].spent = 4000.4, 99.0
    await live_limits.tell_paces()
    (_name, _process, busy) = told[0]
    assert busy[str(alice.id)] == 4000 and str(bob.id) not in busy, "only who is busy"
    assert live_limits._paces[alice.id].spent == 0
    live_limits.hear_paces("another process", {str(alice.id): 20_000})
    await hers.send("ping")
    assert await hers.closes() == 4429
    await his.send("ping")
    assert await his.next() == {"type": "pong"}


# --- who belonged, and does no longer ---

WORDS = "the combination is xylophone"


async def _revoked(web: Browser, alice: Person, bob: Person, room: str, slug: str) -> None:
    await web(token=bob.token).delete(f"/api/v1/tokens/{await _token_id(bob)}")


async def _suspended(web: Browser, alice: Person, bob: Person, room: str, slug: str) -> None:
    await db.execute(
        """INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', now())""",
        bob.id,
        alice.id,
    )


async def _left(web: Browser, alice: Person, bob: Person, room: str, slug: str) -> None:
    assert (await web(token=bob.token).delete(f"/api/v1/groups/{slug}/membership")).status_code == 204


async def _erased(web: Browser, alice: Person, bob: Person, room: str, slug: str) -> None:
    await erase("bob")


async def _token_id(person: Person) -> int:
    return await db.fetch_val("SELECT id FROM api_token WHERE member_id = $1", person.id)


@pytest.mark.parametrize("how", [_revoked, _suspended, _left, _erased])
async def test_who_belonged_to_a_closed_room_finds_every_door_of_it_shut(web: Browser, house: Callable, how: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob, visibility="secret")
    words = await said(alice, room, WORDS)
    asked = web(token=bob.token)
    waiting_ticket = (await asked.post("/api/v1/live/ticket")).json()["ticket"]
    assert WORDS in (await asked.get(f"/api/v1/rooms/{room}/messages")).text
    await how(web, alice, bob, room, slug)
    events = await db.fetch_val("SELECT count(*) FROM room_event WHERE room_id = $1 AND kind <> 'leave'", int(room))
    places = {"room_id": room, "message_id": str(words), "emoji": "%F0%9F%8E%89"}
    sent = {"client_id": str(uuid.uuid4()), "body": "x", "seq": 1, "for": "day", "emoji": "x", "answer": "accept"}
    tried = 0
    for method, path in doors_of_rooms():
        if path.startswith("/api/"):
            address = "".join(places.get(part[1:-1], "1") if part[:1] == "{" else part for part in _parts(path))
            answer = await asked.request(method, address, json=sent if method in ("POST", "PUT") else None)
            assert "xylophone" not in answer.text and answer.status_code in (401, 403, 404, 422), (method, address)
            tried += 1
    assert tried > 20
    assert "xylophone" not in (await asked.get("/api/v1/search?q=xylophone")).text
    line = await Line(house).open(ticket=waiting_ticket, origin=None)
    if how is _left:
        assert (await line.hello(room))["type"] == "error" or "xylophone" not in waiting(line)
    else:
        assert await line.closes() == 4401
    now = await db.fetch_val("SELECT count(*) FROM room_event WHERE room_id = $1 AND kind <> 'leave'", int(room))
    assert now == events
