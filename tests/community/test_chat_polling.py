"""A page that is told nothing by itself asks; and a socket is told, with each ping, where its rooms stand."""

from collections.abc import Callable

import pytest

from app import db
from app.db import watch_queries
from community.chat import feed, polling, queries, reads, service
from tests.community.test_chat import a_line, a_room
from tests.community.test_chat_marks import said
from tests.community.test_chat_pages import say
from tests.factories import Browser, a_member, sign_in, submit

pytestmark = pytest.mark.anyio


async def test_who_asks_is_told_what_happened_since_where_the_room_stands_and_how_far_one_has_read(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    first = await said(alice, room, "First")
    browser = await sign_in(web(), bob)
    told = (await browser.get(f"/chat/{room}/events?after=0")).json()
    assert [event.get("body") for event in told["events"] if event["kind"] == "message"] == ["First"]
    assert told["seq"] == told["events"][-1]["seq"]
    assert told["epoch"] == await db.fetch_val("SELECT epoch FROM room WHERE id = $1", int(room))
    assert told["read"] < told["seq"]
    await service.edit(alice.viewer, int(room), first, "First, changed")
    since = (await browser.get(f"/chat/{room}/events?after={told['seq']}")).json()
    assert [(event["kind"], event["body"]) for event in since["events"]] == [("edit", "First, changed")]

    answer = await submit(browser, f"/chat/{room}/read", {"seq": str(told["seq"])}, page="/chat/")
    assert answer.status_code == 204
    await reads.flush()
    assert (await browser.get(f"/chat/{room}/events?after={since['seq']}")).json()["read"] == told["seq"]


async def test_where_nothing_is_new_nobody_looks_for_events(web: Browser, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    await say(alice, room, "Hello")
    seq = await db.fetch_val("SELECT seq FROM room WHERE id = $1", int(room))
    looked: list[int] = []

    async def look(room_id: int, after: int, *, limit: int) -> list:
        looked.append(after)
        return []

    monkeypatch.setattr(queries, "events_after", look)
    for after in (seq, seq - 1):
        assert (await web().get(f"/chat/{room}/events?after={after}")).json()["events"] == []
    assert looked == [seq - 1]


async def test_who_is_not_signed_in_may_look_where_the_page_may_be_read_and_nowhere_else(web: Browser):
    alice = await a_member("alice")
    (open_slug, open_room), (_slug, closed) = (
        await a_room(alice, visibility="public"),
        await a_room(alice, visibility="closed"),
    )
    await say(alice, open_room, "To everybody")
    await say(alice, closed, "Among us")
    nobody = web()
    for room, status in ((open_room, 200), (closed, 404), ("999999", 404), (str(2**63), 404)):
        assert (await nobody.get(f"/chat/{room}/events?after=0")).status_code == status
        assert (await nobody.get(f"/chat/{room}")).status_code == status
    assert "To everybody" in (await nobody.get(f"/chat/{open_room}/events?after=0")).text
    # The group shuts its door: asked again, nothing is told any more.
    await db.execute("UPDATE groups SET visibility = 'closed' WHERE slug = $1", open_slug)
    assert (await nobody.get(f"/chat/{open_room}/events?after=0")).status_code == 404
    assert (await nobody.post(f"/chat/{open_room}/read", data={"seq": "1"})).status_code in (401, 403, 404)


async def test_an_address_that_asks_without_end_has_to_wait(web: Browser, monkeypatch: pytest.MonkeyPatch):
    alice = await a_member("alice")
    _slug, room = await a_room(alice, visibility="public")
    monkeypatch.setattr(polling, "MOST_LOOKS_OF_AN_ADDRESS", 0)
    answer = await web().get(f"/chat/{room}/events?after=0")
    assert answer.status_code == 429 and int(answer.headers["retry-after"]) > 0
    assert (await (await sign_in(web(), alice)).get(f"/chat/{room}/events?after=0")).status_code == 200


async def test_a_ping_that_names_rooms_is_told_how_far_they_were_told_here(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    (_one, room), (_two, other) = await a_room(alice, bob), await a_room(alice, bob)
    his = await a_line(house, bob)
    welcome = await his.hello(room)
    seq = welcome["rooms"][room]["seq"]
    await his.send("ping")
    assert await his.next("pong") == {"type": "pong"}, "who asks for nothing more hears what was always said"
    await his.send("ping", rooms={room: seq, other: 0, "999999": 0, "nonsense": 1})
    assert await his.next("pong") == {"type": "pong", "rooms": {room: seq}}
    await say(alice, room, "News")
    assert (await his.events(1))[0]["seq"] == seq + 1
    await his.send("ping", rooms={room: seq})
    assert (await his.next("pong"))["rooms"] == {room: seq + 1}

    # The subscription is lost while the socket is well: the answer leaves the room out, and a hello brings it all.
    for socket in feed.listeners(int(room)):
        feed.drop(socket, int(room))
    await say(alice, room, "Unheard")
    assert await his.hears_nothing()
    await his.send("ping", rooms={room: seq + 1})
    assert (await his.next("pong"))["rooms"] == {}
    await his.hello(room, seq=seq + 1)
    assert [event["body"] for event in await his.events(1)] == ["Unheard"]


async def test_a_ping_with_a_thousand_rooms_or_none_of_ours_is_answered_cheaply(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.hello(room)
    with watch_queries() as asked:
        await line.send("ping", rooms={**{str(n): 0 for n in range(10**6, 10**6 + 1000)}, room: 0})
        assert await line.next("pong") == {"type": "pong", "rooms": {}}, "it looks at the first two hundred"
    assert not asked
    await line.send("ping", rooms={"9" * 30: 1, "٣": 1, "": 1})
    assert await line.next("pong") == {"type": "pong", "rooms": {}}
    await line.send("ping", rooms=[1])
    assert (await line.next("error"))["code"] == "invalid"
