"""What somebody tried who wanted in, or wanted others out: each of these once worked, or was feared to."""

import asyncio
import contextvars
import operator
import re
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pytest

from app import db
from app.errors import Forbidden, NotFound
from app.main import build
from community.chat import files, previews, reactions, service
from community.chat.mentions import rendered
from community.direct import service as direct
from community.groups import service as groups
from content.live_events.policy import access_event
from tests.community.receiver import Receiver, a_receiver
from tests.community.test_bots import a_bot, say
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_marks import said
from tests.community.test_chat_mentions import bells
from tests.community.test_chat_order import do
from tests.content.test_live import a_live
from tests.factories import Browser, a_member, run_jobs, sign_in

pytestmark = pytest.mark.anyio
API = "/api/v1"


# --- what was said to a member must not follow them out ---


async def test_a_bell_tells_no_new_words_to_whom_the_room_no_longer_lets_in(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol, visibility="secret")
    words = await said(alice, room, "@bob @carol the plan is as it was")
    await run_jobs()
    await do(alice, room, "ban", bob)
    await run_jobs()
    await service.edit(alice.viewer, int(room), words, "@bob @carol the new plan: Bob must not know")
    await run_jobs()
    assert [text for kind, text in await bells(carol) if kind == "mention"] == [
        "@bob @carol the new plan: Bob must not know"
    ]
    assert "must not know" not in str(await bells(bob))
    await service.delete(alice.viewer, int(room), words)
    assert "the plan" not in str(await bells(bob)), "what is taken back is taken back from everybody"


# --- shown out means silent ---


@pytest.mark.parametrize("deed", ["edit", "react", "delete"])
async def test_who_is_being_shown_out_changes_nothing_after_it(house: Callable, deed: str):
    """The kick holds the room; what came in beside it waits, and is judged by how things stand then."""
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(bob, room, "Harmless")
    hers = await said(alice, room, "Beans")
    is_held, may_go = asyncio.Event(), asyncio.Event()

    async def kick() -> None:
        async with db.transaction():
            await db.execute("SELECT 1 FROM room WHERE id = $1 FOR UPDATE", int(room))
            is_held.set()
            await may_go.wait()
            await do(alice, room, "ban", bob)

    async def act() -> None:
        await is_held.wait()
        match deed:
            case "edit":
                await service.edit(bob.viewer, int(room), words, "Something vile")
            case "react":
                await reactions.react(bob.viewer, int(room), hers, "🖕")
            case _:
                await service.delete(bob.viewer, int(room), words)

    async def let_go() -> None:
        await asyncio.sleep(0.3)
        may_go.set()

    _kicked, done, _ = await asyncio.gather(kick(), act(), let_go(), return_exceptions=True)
    assert isinstance(done, NotFound | Forbidden), done
    kinds = await db.fetch("SELECT kind FROM room_event WHERE room_id = $1 ORDER BY seq DESC LIMIT 1", int(room))
    assert kinds[0]["kind"] == "leave", "nothing of theirs comes after their going"


async def test_whoever_may_not_speak_does_not_type_either(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob)
    hers, his, onlooker = await a_line(house, alice), await a_line(house, bob), await a_line(house, carol)
    for line in (hers, his, onlooker):
        await line.hello(room)
    await onlooker.send("typing", room=room)
    await asyncio.sleep(2)
    await his.send("typing", room=room)
    assert (await hers.next("typing"))["author"]["id"] == str(bob.id), "who only looks in is counted, not named"
    await do(alice, room, "silence", bob)
    await asyncio.sleep(2)
    await his.send("typing", room=room)
    with pytest.raises(TimeoutError):
        await hers.next("typing", patience=2)


# --- webhooks out ---


@pytest.fixture
async def receiver(house: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Receiver]:
    async with a_receiver(monkeypatch) as one:
        yield one


async def test_a_moderator_who_is_shown_out_takes_no_webhook_along(web: Browser, receiver: Receiver):
    """An address of theirs told the closed room's words to them for ever."""
    from community.bots.jobs import send_soon

    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob, visibility="secret")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", bob.id)
    made = await web(token=bob.token).post(f"{API}/groups/{slug}/webhooks", json={"url": receiver.url, "types": []})
    assert made.status_code == 201, made.text
    await said(alice, room, "Heard by all of us")
    await send_soon()
    await run_jobs()
    assert "Heard by all of us" in str(receiver.messages)
    await do(alice, room, "ban", bob)
    await said(alice, room, "Bob is gone, speak freely")
    await run_jobs()
    await send_soon()
    await run_jobs()
    assert "speak freely" not in str(receiver.messages)
    listed = (await web(token=alice.token).get(f"{API}/groups/{slug}/webhooks")).json()["items"]
    assert listed[0]["off_reason"], "those who stay see that it is off, and why"


async def test_a_moderator_who_is_shown_out_does_not_speak_by_their_bot(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob, visibility="secret")
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", bob.id)
    his, hers = await a_bot(web, bob, slug), await a_bot(web, alice, slug, "Hers")
    assert (await say(web, his, "Mine")).status_code == 201
    await do(alice, room, "ban", bob)
    await run_jobs()
    assert (await say(web, his, "Still here", id="msg_2")).status_code == 401
    assert (await say(web, hers, "Hello")).status_code == 201
    renewed = (await web(token=alice.token).post(f"{API}/groups/{slug}/bots/{his.id}/secret", json={})).json()["secret"]
    assert (await say(web, his, "Ours now", id="msg_3", secret=renewed)).status_code == 201
    assert (await say(web, his, "Mine again", id="msg_4")).status_code == 401


# --- costly words ---


def test_a_line_of_chat_is_looked_through_for_a_hundred_links_and_no_more():
    """Each try may read the rest of the line: one of 2,000 "![" kept everybody waiting for 90 ms."""
    assert rendered("[a](/b) " * 99).count("<a ") == 99
    assert rendered("[a](/b) " * 360).count("<a ") == 100


@pytest.mark.parametrize("bomb", ["<meta ", '<meta "', "<meta '", "<title ", "<meta " + "a" * 890 + ">"])
def test_no_page_of_others_keeps_the_worker_busy(bomb: str):
    page = bomb * (previews.PAGE_BYTES // len(bomb))
    began = time.process_time()
    previews.read(page)
    assert time.process_time() - began < 2


async def test_one_member_cannot_make_us_ask_the_web_without_end(house: Callable, monkeypatch: pytest.MonkeyPatch):
    from app.http import Answer

    asked: list[str] = []

    async def fetch(method: str, url: str, **options: object) -> Answer:
        asked.append(url)
        return Answer(200, {"content-type": "text/html"}, b"<title>Victim</title>")

    monkeypatch.setattr(previews, "fetch", fetch)
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    for n in range(60):
        links = " ".join(f"https://victim.example/?q={n}-{m}" for m in range(3))
        await service.send(alice.viewer, int(room), uuid.uuid4(), links)
    await run_jobs()
    assert 0 < len(asked) <= 120, f"{len(asked)} requests to one victim by one member in one go"


async def test_who_says_what_is_slow_to_render_says_it_less_often(house: Callable):
    """300 lines of 4,000 brackets took this process 20 s of rendering. Plain words are free, however many they are."""
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    for n in range(60):
        await line.say(room, f"{n}" + "*a" * 1950)
    with pytest.raises(ConnectionError):
        for _ in range(60):
            await line.next("ack")
    assert line.close_code == 4429
    again = await a_line(house, alice)
    for n in range(10):
        await again.say(room, f"{n}" + "*a" * 1950)
    for _ in range(10):
        await again.next("ack")


async def test_one_message_is_not_changed_without_end(house: Callable, web: Browser):
    """Each change is an event to everybody and a former version for ever, and slow mode does not see it."""
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    words = await said(bob, room, "First")
    door = web(token=bob.token)
    for n in range(150):
        answer = await door.put(f"{API}/rooms/{room}/messages/{words}", json={"body": f"Words {n}"})
        if answer.status_code == 429:
            break
    assert answer.status_code == 429 and answer.headers["retry-after"]
    # Its author may always take it back.
    assert (await door.delete(f"{API}/rooms/{room}/messages/{words}")).status_code == 204


@pytest.mark.parametrize("when", ["policy.alone_with", "_open_room"])
@pytest.mark.parametrize("are_neighbours", [False, True])
async def test_who_is_blocked_while_they_write_their_first_words_is_not_heard(
    house: Callable, monkeypatch: pytest.MonkeyPatch, when: str, are_neighbours: bool
):
    """The block was looked for before there was a room, and the room before there was a block."""
    from community.direct import blocking, requests

    alice, bob = await a_member("alice"), await a_member("bob")
    if are_neighbours:
        await a_room(alice, bob)
    goes_on, blocks = operator.attrgetter(when)(direct), []

    async def late(*args: Any, **more: Any) -> Any:
        block = blocking.block(alice.viewer, "bob")
        blocks.append(asyncio.get_running_loop().create_task(block, context=contextvars.Context()))
        await asyncio.wait(blocks, timeout=1)
        return await goes_on(*args, **more)

    monkeypatch.setattr(f"community.direct.service.{when}", late)
    with suppress(Forbidden):
        await direct.begin(bob.viewer, ["alice"], uuid.uuid4(), "You will hear from me")
    await asyncio.gather(*blocks)
    assert (await requests.requests_to(alice.viewer, cursor=None)).items == []
    seat = await db.fetch_val("SELECT state FROM room_member WHERE member_id = $1", alice.id)
    assert seat in (None, "left", "blocked")


# --- every door of a room, tried by everybody whom it is closed to ---

WORDS = "the combination is xylophone"


def doors_of_rooms() -> list[tuple[str, str]]:
    """Method and path of all that stands under a room, by page or JSON."""
    return [
        (method, route.path_format)
        for route in build().routes
        for method in getattr(route, "methods", ())
        if "{room_id}" in route.path_format and method not in ("OPTIONS", "HEAD")
    ]


def _parts(path: str) -> list[str]:
    return re.split(r"(\{\w+\})", path)


@pytest.mark.parametrize("kind", ["a secret group", "two who talk alone", "a live event of a closed group"])
async def test_every_door_of_a_closed_room_is_shut_to_everybody_else(house: Callable, web: Browser, kind: str):
    alice, bob, mallory = await a_member("alice"), await a_member("bob"), await a_member("mallory")
    mod, admin = await a_member("mod", role="moderator"), await a_member("root-ed", role="admin")
    slug, room = await a_room(alice, bob, mallory, visibility="secret")
    if kind == "two who talk alone":
        room = (await direct.begin(alice.viewer, ["bob"], uuid.uuid4(), "Hello Bob")).room
    elif kind == "a live event of a closed group":
        event = await access_event(alice.viewer, await a_live(alice, group=slug))
        room = str(event["room_id"])
    file = await files.keep(alice.viewer, int(room), "plan.txt", WORDS.encode())
    words = await said(alice, room, f"{WORDS} https://roastery.example/", files=(int(file.id),))
    own, own_words = (await a_room(mallory))[1], 0
    own_words = await said(mallory, own, "My own")
    if kind == "a secret group":
        await do(alice, room, "ban", mallory)
    elif kind == "a live event of a closed group":
        await groups.leave(mallory.viewer, slug)
    await run_jobs()
    doors = doors_of_rooms()
    assert len(doors) > 40
    places = {"message_id": str(words), "file_id": file.id, "emoji": "%F0%9F%8E%89"}
    sent = {"client_id": str(uuid.uuid4()), "body": "x", "seq": 1, "for": "day", "emoji": "x", "answer": "accept"}
    heard = [
        await web(token=alice.token).get(f"{API}/rooms/{room}{path}") for path in ("/messages", f"/files/{file.id}")
    ]
    assert all("xylophone" in answer.text for answer in heard), "who belongs there is told"
    events = await db.fetch_val("SELECT count(*) FROM room_event WHERE room_id = $1", int(room))
    for who in (mallory, mod, admin, None):
        client, browser = web(token=who.token) if who else web(), web()
        if who:
            await sign_in(browser, who)
        token = re.search(
            r'name="_csrf" value="([0-9a-f]+)"', (await browser.get("/login" if not who else "/settings/privacy")).text
        )
        assert token
        for method, path in doors:
            # By its own address, and as if the message stood in a room of the intruder's own.
            for through in {room, own} if who is mallory else {room}:
                given = places | {"room_id": through}
                address = "".join(given.get(part[1:-1], "1") if part[:1] == "{" else part for part in _parts(path))
                if path.startswith("/api/"):
                    answer = await client.request(method, address, json=sent if method in ("POST", "PUT") else None)
                else:
                    answer = await browser.request(
                        method, address, data={**sent, "_csrf": token[1]} if method == "POST" else None
                    )
                assert "xylophone" not in answer.text, (method, address)
                if through == room and path != "/p/room/{room_id}":
                    assert answer.status_code in (401, 403, 404, 422, 303), (method, address, answer.status_code)
                    assert answer.status_code != 303 or "/login" in answer.headers["location"], (method, address)
    assert await db.fetch_val("SELECT count(*) FROM room_event WHERE room_id = $1", int(room)) == events
    for path in (
        f"/api/v1/search?q=xylophone&kind=message&room={room}",
        "/api/v1/search?q=xylophone",
        "/search?q=xylophone",
    ):
        assert WORDS not in (await web(token=mallory.token).get(path)).text, path
    assert own_words
