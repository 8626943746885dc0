"""The list of rooms, what is new in them, what may not disturb, and how a member's devices agree."""

import asyncio
import json
import uuid
from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from app import clock, db
from app.db import watch_queries
from community.chat import reads, service
from community.direct import blocking
from tests.app.test_live import a_socket, heard
from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit
from tests.lines import a_real_server

pytestmark = pytest.mark.anyio
API = "/api/v1"


async def say(person: Person, room: str, *words: str) -> list[int]:
    return [(await service.send(person.viewer, int(room), uuid.uuid4(), body)).id for body in words]


async def line_of(web: Browser, who: Person, room: str) -> dict:
    listed = (await web(token=who.token).get(f"{API}/rooms")).json()["items"]
    return next(line for line in listed if line["id"] == room)


async def read(person: Person, room: str, seq: int) -> None:
    await service.mark_read(person.viewer, int(room), seq)
    await reads.flush()


async def test_unread_counts_what_was_said_and_nothing_else(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await reads.flush()
    first, second = await say(alice, room, "One", "Two")
    await service.edit(alice.viewer, int(room), first, "One!")
    line = await line_of(web, bob, room)
    assert (line["unread"], line["mentions"], line["last"]["text"]) == (2, 0, "Two")
    assert line["seq"] == 4, "a join, two messages, an edit"
    seq_of_first = await db.fetch_val("SELECT seq FROM message WHERE id = $1", first)
    await read(bob, room, seq_of_first)
    assert (await line_of(web, bob, room))["unread"] == 1
    await read(bob, room, 10_000)
    assert (await line_of(web, bob, room))["unread"] == 0
    await service.delete(alice.viewer, int(room), second)
    line = await line_of(web, bob, room)
    assert line["unread"] == 0 and line["last"]["text"] == "One!"
    await reads.flush()
    assert (await line_of(web, alice, room))["unread"] == 0, "one's own words are not news"


async def test_a_mention_counts_until_it_is_read_or_taken_back(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await reads.flush()
    ids = await say(alice, room, "@bob look", "Nothing", "@bob again", "and @bob")
    await run_jobs()
    assert (await line_of(web, bob, room))["mentions"] == 3
    await read(bob, room, await db.fetch_val("SELECT seq FROM message WHERE id = $1", ids[0]))
    line = await line_of(web, bob, room)
    assert (line["unread"], line["mentions"]) == (3, 2)
    await service.edit(alice.viewer, int(room), ids[2], "never mind")
    await run_jobs()
    assert (await line_of(web, bob, room))["mentions"] == 1
    await read(bob, room, 10_000)
    assert (await line_of(web, bob, room))["mentions"] == 0
    await run_jobs()
    assert (await line_of(web, bob, room))["mentions"] == 0, "an old job does not bring it back"


async def test_a_hundred_calls_at_once_count_each_once(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await asyncio.gather(*(reads.mention(int(room), [bob.id], 1000 + n % 50) for n in range(100)))
    assert await db.fetch_val("SELECT cardinality(mentioned) FROM read_pointer WHERE member_id = $1", bob.id) == 50


async def test_a_muted_room_shows_no_badge_and_rings_no_bell(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob)
    await reads.flush()
    browser = await sign_in(web(), bob)
    muted = await submit(browser, f"/chat/{room}/mute", {"for": "day"}, page=f"/chat/{room}")
    assert muted.status_code == 303
    await say(alice, room, "@bob are you there?")
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1", bob.id) == 0
    line = await line_of(web, bob, room)
    assert line["muted"] is True and line["muted_until"] and line["unread"] == 1
    assert 'class="count"' not in (await browser.get("/g/")).text
    clock.travel(timedelta(days=1, minutes=1))
    await db.execute("UPDATE read_pointer SET muted_until = now() - interval '1 second'")
    assert (await line_of(web, bob, room))["muted"] is False
    assert 'class="count"' in (await browser.get("/g/")).text
    door = web(token=bob.token)
    assert (await door.put(f"{API}/rooms/{room}/mute", json={"for": "ever"})).status_code == 204
    line = await line_of(web, bob, room)
    assert (line["muted"], line["muted_until"]) == (True, None)
    assert (await door.delete(f"{API}/rooms/{room}/mute")).status_code == 204
    assert (await line_of(web, bob, room))["muted"] is False
    assert (await door.put(f"{API}/rooms/{room}/mute", json={"for": "a while"})).status_code == 422
    stranger = web(token=(await a_member("carol")).token)
    secret = (await a_room(alice, visibility="secret"))[1]
    assert (await stranger.put(f"{API}/rooms/{secret}/mute", json={"for": "day"})).status_code == 404
    assert slug


async def test_reading_on_one_device_is_known_on_the_others_soon(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await say(alice, room, "One", "Two")
    phone, desk, hers = await a_line(house, bob), await a_line(house, bob), await a_line(house, alice)
    for line in (phone, desk, hers):
        await line.hello(room)
    await phone.send("read", room=room, seq=2)
    told = await desk.next("read")
    assert (told["room"], told["seq"]) == (room, 2)
    for line in (phone, hers):
        with pytest.raises(TimeoutError):
            await line.next("read", patience=0.5)


async def test_what_the_page_showed_is_read_everywhere(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await say(alice, room, "One")
    desk = await a_line(house, bob)
    await (await sign_in(web(), bob)).get(f"/chat/{room}")
    assert (await desk.next("read"))["room"] == room


async def test_a_list_of_many_rooms_has_pages_and_costs_one_question(web: Browser):
    alice = await a_member("alice")
    made = [(await a_room(alice))[1] for _ in range(5)]
    for room in made[::-1]:
        await say(alice, room, "Something")
    door = web(token=alice.token)
    await door.get(f"{API}/rooms?limit=1")
    with watch_queries() as few:
        first = (await door.get(f"{API}/rooms?limit=2")).json()
    second = (await door.get(f"{API}/rooms?limit=2&after={first['next']}")).json()
    third = (await door.get(f"{API}/rooms?limit=2&after={second['next']}")).json()
    found = [line["id"] for page in (first, second, third) for line in page["items"]]
    assert found == made and third["next"] is None
    for _ in range(10):
        await a_group(alice)
    with watch_queries() as many:
        assert len((await door.get(f"{API}/rooms")).json()["items"]) == 15
    assert len(few) == len(many)
    assert (await web().get(f"{API}/rooms")).status_code == 401


# --- who is here ---


async def test_names_come_and_go_as_changes(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob)
    hers = await a_line(house, alice)
    await hers.hello(room)
    here = await hers.next("presence")
    assert (here["online"], [author["handle"] for author in here["members"]]) == (1, ["alice"])
    his = await a_line(house, bob)
    await his.hello(room)
    here = await hers.next("presence")
    assert (here["online"], [author["handle"] for author in here["came"]], here["went"]) == (2, ["bob"], [])
    assert [author["handle"] for author in (await his.next("presence"))["members"]] == ["alice", "bob"]
    looker = await a_line(house, carol)
    await looker.hello(room)
    assert await hers.next("presence") == {"type": "presence", "room": room, "online": 3}, "counted, not named"
    await his.cut()
    here = await hers.next("presence")
    assert (here["online"], here["came"], here["went"]) == (2, [], [str(bob.id)])


async def test_beyond_fifty_names_a_number_remains(house: Callable, monkeypatch: pytest.MonkeyPatch):
    from community.chat import presence

    monkeypatch.setattr(presence, "MOST_NAMES", 2)
    people = [await a_member() for _ in range(4)]
    _slug, room = await a_room(*people)
    lines = []
    for person in people:
        lines.append(await a_line(house, person))
        await lines[-1].hello(room)
    while (here := await lines[0].next("presence"))["online"] != 4:
        pass
    assert "members" not in here and "came" not in here
    for line in lines[2:]:
        await line.cut()
    while (here := await lines[0].next("presence"))["online"] != 2:
        pass
    assert len(here["members"]) == 2, "few enough again: everybody's name"


async def test_who_hides_is_neither_named_nor_counted_nor_seen_writing(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    door = web(token=bob.token)
    await door.put(f"{API}/me/privacy", json={"may_write": "everyone", "is_hidden": True})
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await hers.hello(room)
    await his.hello(room)
    await his.send("typing", room=room)
    assert (await hers.next("presence"))["online"] == 1
    with pytest.raises(TimeoutError):
        await hers.next("typing", "presence", patience=0.7)
    await door.put(f"{API}/me/privacy", json={"may_write": "everyone", "is_hidden": False})
    here = await hers.next("presence")
    assert [author["handle"] for author in here["came"]] == ["bob"]


async def test_other_processes_are_believed_for_a_while_only(house: Callable, monkeypatch: pytest.MonkeyPatch):
    from community.chat import presence

    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers = await a_line(house, alice)
    await hers.hello(room)
    assert (await hers.next("presence"))["online"] == 1
    presence.hear_presence(f"{room}:another", (1, [bob.id]))
    here = await hers.next("presence")
    assert (here["online"], here["came"][0]["handle"]) == (2, "bob")
    monkeypatch.setattr(presence, "KEPT", 0.0)
    await presence.look_again(alice.id)
    here = await hers.next("presence")
    assert (here["online"], here["went"]) == (1, [str(bob.id)])


async def test_two_processes_agree_on_who_is_here_and_what_was_read(house: Callable):
    """A member's two devices, each on another process; a block is heeded across both."""
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await say(alice, room, "One")
    settings = {"GRAPEVINE_BASE_URL": "http://127.0.0.1"}
    async with (
        a_real_server(**settings) as (one, _),
        a_real_server(**settings) as (other, _),
        a_socket(one, bob) as phone,
        a_socket(other, bob) as desk,
        a_socket(other, alice) as hers,
    ):
        for line in (phone, desk, hers):
            await line.send(json.dumps({"type": "hello", "rooms": {room: {}}}))
            await heard(line, "welcome")

        async def sees(line, *handles: str) -> None:
            names: dict[str, str] = {}
            while sorted(names.values()) != sorted(handles):
                frame = await heard(line, "presence")
                if "members" in frame:
                    names = {}
                for author in [*frame.get("members", []), *frame.get("came", [])]:
                    names[author["id"]] = author["handle"]
                for gone in frame.get("went", []):
                    names.pop(gone, None)
                assert frame["online"] == len(names), "a member in two processes is one"

        await sees(phone, "alice", "bob")
        await phone.send(json.dumps({"type": "read", "room": room, "seq": 2}))
        assert (await heard(desk, "read"))["seq"] == 2
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{other}") as door:
            token = {"Authorization": f"Bearer {alice.token}"}
            assert (await door.put(f"{API}/blocks/bob", headers=token)).status_code == 204
        await sees(phone, "bob")


async def test_what_somebody_one_blocked_says_is_not_new(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    await reads.flush()
    await read(alice, room, 100)
    await say(bob, room, "One", "Two")
    await say(carol, room, "Three")
    assert (await line_of(web, alice, room))["unread"] == 3
    await blocking.block(alice.viewer, "bob")
    await say(bob, room, "Four")
    line = await line_of(web, alice, room)
    assert (line["unread"], line["last"]["text"]) == (1, "Three")
    assert (await line_of(web, carol, room))["last"]["text"] == "Four"
    await read(alice, room, 100)
    await say(bob, room, "Five")
    assert (await line_of(web, alice, room))["unread"] == 0
    badge = (await (await sign_in(web(), alice)).get("/g/")).text
    assert 'class="count"' not in badge, "nor by the badge of any page"
