"""Direct messages: who may begin, requests that wait, blocks that hold, and that nobody else ever reads along."""

import asyncio
import re
import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from litestar.routes import HTTPRoute

from app import clock, db
from app.main import build
from community.chat import reads
from community.direct import blocking, policy
from community.groups import service as groups
from tests.community.test_chat import a_line
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio
API = "/api/v1"


async def write(web: Browser, who: Person, *to: Person, body: str = "Hello", client_id: str = "", **more: str):
    said = {"to": [person.handle for person in to], "client_id": client_id or str(uuid.uuid4()), "body": body, **more}
    return await web(token=who.token).post(f"{API}/direct", json=said)


async def in_one_group(*people: Person) -> str:
    slug = await a_group(people[0])
    for person in people[1:]:
        await groups.join(person.viewer, slug)
    await run_jobs()
    return slug


async def two_who_talk(web: Browser) -> tuple[Person, Person, str]:
    alice, bob = await a_member("alice", name="Alice A"), await a_member("bob", name="Bob B")
    await in_one_group(alice, bob)
    begun = (await write(web, alice, bob)).json()
    return alice, bob, begun["room"]


async def say(web: Browser, who: Person, room: str, body: str = "More"):
    body = {"client_id": str(uuid.uuid4()), "body": body}
    return await web(token=who.token).post(f"{API}/rooms/{room}/messages", json=body)


async def rooms(web: Browser, who: Person) -> list[dict]:
    return (await web(token=who.token).get(f"{API}/rooms")).json()["items"]


async def requests(web: Browser, who: Person) -> list[dict]:
    return (await web(token=who.token).get(f"{API}/requests")).json()["items"]


# --- the story ---


async def test_two_of_one_group_write_to_each_other_at_once(web: Browser):
    alice, bob, room = await two_who_talk(web)
    line = next(line for line in await rooms(web, bob) if line["id"] == room)
    assert (line["kind"], line["name"], line["unread"], line["waits"]) == ("direct", "Alice A", 1, False)
    assert line["partner"]["handle"] == "alice" and line["last"]["text"] == "Hello"
    answered = await write(web, bob, alice, body="Hello yourself")
    assert answered.json()["room"] == room and answered.json()["waits"] is False
    heard = (await web(token=alice.token).get(f"{API}/rooms/{room}/messages")).json()["items"]
    assert [message["body"] for message in heard] == ["Hello", "Hello yourself"]
    assert await db.fetch_val("SELECT count(*) FROM room WHERE kind = 'direct'") == 1


async def test_the_same_words_sent_again_are_said_once(web: Browser):
    alice, bob, room = await two_who_talk(web)
    client_id = str(uuid.uuid4())
    first, again = [await write(web, alice, bob, client_id=client_id) for _twice in range(2)]
    assert first.json() == again.json() and first.json()["room"] == room
    assert await db.fetch_val("SELECT count(*) FROM message") == 2


async def test_two_who_begin_at_the_same_moment_meet_in_one_room(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    answers = await asyncio.gather(write(web, alice, bob), write(web, bob, alice))
    assert [answer.status_code for answer in answers] == [201, 201], [answer.text for answer in answers]
    assert len({answer.json()["room"] for answer in answers}) == 1
    assert await db.fetch_val("SELECT count(*) FROM room WHERE kind = 'direct'") == 1
    # Whoever came second answered the first by writing: both may go on.
    room = answers[0].json()["room"]
    assert [(await say(web, who, room)).status_code for who in (alice, bob)] == [201, 201]


async def test_a_first_message_from_a_stranger_waits_as_a_request(web: Browser, house: Callable):
    alice, carol = await a_member("alice", name="Alice A"), await a_member("carol")
    begun = await write(web, carol, alice, body="Is it still for sale?")
    assert begun.status_code == 201 and begun.json()["waits"] is True
    room = begun.json()["room"]
    await run_jobs()
    assert room not in [line["id"] for line in await rooms(web, alice)], "it stands in a box of its own"
    assert [(asked["by"]["handle"], asked["text"]) for asked in await requests(web, alice)] == [
        ("carol", "Is it still for sale?")
    ]
    clock.travel(timedelta(minutes=5))
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1", alice.id) == 0, "no bell"
    more = await say(web, carol, room, "Hello?")
    assert more.status_code == 403 and "answered" in more.json()["detail"]
    mine = next(line for line in await rooms(web, carol) if line["id"] == room)
    assert mine["waits"] is True
    accept = await web(token=alice.token).put(f"{API}/requests/{room}", json={"answer": "accept"})
    assert accept.status_code == 204
    assert await requests(web, alice) == []
    assert [(await say(web, who, room)).status_code for who in (carol, alice)] == [201, 201]
    await run_jobs()
    kinds = await db.fetch("SELECT kind FROM notification WHERE member_id = $1", carol.id)
    assert "direct_accepted" in [row["kind"] for row in kinds]


async def test_who_is_asked_reads_without_a_trace(web: Browser, house: Callable):
    """No presence and no sign of reading before the answer; afterwards the other one is there."""
    alice, carol = await a_member("alice"), await a_member("carol")
    room = (await write(web, carol, alice)).json()["room"]
    hers = await a_line(house, carol)
    await hers.hello(room)
    assert (await hers.next("presence"))["online"] == 1
    asked = await a_line(house, alice)
    assert (await asked.hello(room))["type"] == "welcome", "she may look at what she is asked"
    await asked.send("read", room=room, seq=1)
    await asked.send("typing", room=room)
    with pytest.raises(TimeoutError):
        await hers.next("presence", "typing", "read", patience=2.5)
    await web(token=alice.token).put(f"{API}/requests/{room}", json={"answer": "accept"})
    while (here := await hers.next("presence"))["online"] != 2:
        pass
    assert [author["handle"] for author in here.get("came", here.get("members", []))] == ["alice"]


async def test_a_declined_request_is_gone_and_nobody_is_told(web: Browser):
    alice, carol = await a_member("alice"), await a_member("carol")
    room = (await write(web, carol, alice)).json()["room"]
    declined = await web(token=alice.token).put(f"{API}/requests/{room}", json={"answer": "decline"})
    assert declined.status_code == 204 and await requests(web, alice) == []
    assert (await web(token=alice.token).get(f"{API}/rooms/{room}")).status_code == 404
    again = await web(token=alice.token).put(f"{API}/requests/{room}", json={"answer": "accept"})
    assert again.status_code == 404
    mine = next(line for line in await rooms(web, carol) if line["id"] == room)
    assert mine["waits"] is True, "it looks as before"
    assert (await write(web, carol, alice)).status_code == 403
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification") == 0
    # She may change her mind: by writing herself.
    assert (await write(web, alice, carol, body="Sorry, yes it is")).json()["room"] == room
    assert (await say(web, carol, room)).status_code == 201


async def test_only_who_was_asked_answers(web: Browser):
    alice, carol, dave = await a_member("alice"), await a_member("carol"), await a_member("dave")
    room = (await write(web, carol, alice)).json()["room"]
    for who in (carol, dave, await a_member(role="admin")):
        answered = await web(token=who.token).put(f"{API}/requests/{room}", json={"answer": "accept"})
        assert answered.status_code == 404


async def test_strangers_are_asked_a_few_times_a_day_by_how_long_one_is_here(web: Browser):
    carol = await a_member("carol")
    others = [await a_member() for _ in range(policy.MEMBERS[0] + 1)]
    sent = [(await write(web, carol, other)).status_code for other in others[:4]]
    assert sent == [201, 201, 201, 429], "a newcomer"
    clock.travel(timedelta(days=2))
    sent = [(await write(web, carol, other)).status_code for other in others[3:]]
    assert sent == [201] * 8, "here for two days, and yesterday's requests do not count"
    unproven = await a_member("unproven", email_is_proven=False)
    clock.travel(timedelta(days=5))
    sent = [(await write(web, unproven, other)).status_code for other in others[:4]]
    assert sent == [201, 201, 201, 429], "an address nobody has shown to be theirs stays new"


async def test_a_big_group_is_no_mailing_list(web: Browser):
    spammer = await a_member("spammer")
    others = [await a_member() for _ in range(policy.NEWCOMERS[1] + 2)]
    await in_one_group(*others, spammer)
    sent = [(await write(web, spammer, other, body="Buy my course")).status_code for other in others]
    assert sent == [201] * policy.NEWCOMERS[1] + [429, 429]
    assert (await write(web, spammer, others[0], body="Going on is no beginning")).status_code == 201


async def test_two_requests_at_once_do_not_pass_the_limit_together(web: Browser):
    carol = await a_member("carol")
    others = [await a_member() for _ in range(policy.NEWCOMERS[0] + 3)]
    sent = await asyncio.gather(*(write(web, carol, other) for other in others))
    assert sorted(answer.status_code for answer in sent) == [201] * policy.NEWCOMERS[0] + [429] * 3


async def test_who_may_begin_is_the_members_own_choice(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    await in_one_group(alice, bob)
    door = web(token=alice.token)

    async def choose(may_write: str) -> None:
        wanted = {"may_write": may_write, "is_hidden": False}
        assert (await door.put(f"{API}/me/privacy", json=wanted)).json() == {**wanted, "hides_reading": False}

    await choose("groups")
    assert (await write(web, carol, alice)).status_code == 403, "a stranger cannot even ask"
    assert (await write(web, bob, alice)).status_code == 201
    await choose("nobody")
    assert (await write(web, bob, alice)).status_code == 201, "who talks already goes on"
    dave = await a_member("dave")
    await groups.join(dave.viewer, await db.fetch_val("SELECT slug FROM groups"))
    assert (await write(web, dave, alice)).status_code == 403
    assert (await write(web, alice, carol)).status_code == 201, "she herself may write to whom she likes"
    assert (await door.put(f"{API}/me/privacy", json={"may_write": "robots", "is_hidden": False})).status_code == 422


# --- blocks ---


async def test_a_block_holds_both_ways_and_leaves_what_was_said(web: Browser, house: Callable):
    alice, bob, room = await two_who_talk(web)
    assert (await web(token=alice.token).put(f"{API}/blocks/bob")).status_code == 204
    for who, other in ((alice, bob), (bob, alice)):
        assert (await say(web, who, room)).status_code == 403
        assert (await write(web, who, other)).status_code == 403
        read = await web(token=who.token).get(f"{API}/rooms/{room}/messages")
        assert [message["body"] for message in read.json()["items"]] == ["Hello"]
    line = await a_line(house, bob)
    await line.hello(room)
    await line.say(room, "By the socket")
    assert (await line.next("error"))["code"] == "forbidden"
    assert [row["handle"] for row in (await web(token=alice.token).get(f"{API}/blocks")).json()["items"]] == ["bob"]
    assert (await web(token=bob.token).get(f"{API}/blocks")).json()["items"] == [], "he is not told"
    assert (await web(token=alice.token).delete(f"{API}/blocks/bob")).status_code == 204
    assert (await say(web, bob, room)).status_code == 201


async def test_a_block_of_one_is_not_lifted_by_the_other(web: Browser):
    alice, bob, room = await two_who_talk(web)
    for who, other in ((alice, "bob"), (bob, "alice")):
        await web(token=who.token).put(f"{API}/blocks/{other}")
    await web(token=bob.token).delete(f"{API}/blocks/alice")
    assert (await say(web, bob, room)).status_code == 403
    await web(token=alice.token).delete(f"{API}/blocks/bob")
    assert (await say(web, bob, room)).status_code == 201


async def test_whoever_is_blocked_cannot_ask_and_their_request_is_gone(web: Browser):
    alice, carol = await a_member("alice"), await a_member("carol")
    room = (await write(web, carol, alice)).json()["room"]
    await web(token=alice.token).put(f"{API}/blocks/carol")
    assert await requests(web, alice) == []
    await web(token=alice.token).delete(f"{API}/blocks/carol")
    assert await requests(web, alice) == [], "it does not come back by itself"
    dave = await a_member("dave")
    await web(token=alice.token).put(f"{API}/blocks/dave")
    refused = await write(web, dave, alice)
    nobody = await a_member("nobody")
    await web(token=nobody.token).put(f"{API}/me/privacy", json={"may_write": "nobody", "is_hidden": False})
    closed = await write(web, dave, nobody)
    assert refused.status_code == closed.status_code == 403
    assert refused.json()["detail"].replace("alice", "x") == closed.json()["detail"].replace("nobody", "x"), (
        "being blocked looks like somebody who wants no mail"
    )
    assert (await say(web, carol, room)).status_code == 403


async def test_two_who_blocked_each_other_do_not_see_each_other_in_a_groups_room(web: Browser, house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug = await in_one_group(alice, bob, carol)
    room = (await web(token=alice.token).get(f"{API}/groups/{slug}")).json()["room_id"]
    await blocking.block(alice.viewer, "bob")
    lines = {}
    for person in (alice, bob, carol):
        lines[person.handle] = await a_line(house, person)
        await lines[person.handle].hello(room)

    async def sees(handle: str, count: int) -> list[str]:
        while len((here := await lines[handle].next("presence")).get("members", [])) != count:
            pass
        return sorted(author["handle"] for author in here["members"])

    assert await sees("carol", 3) == ["alice", "bob", "carol"]
    assert await sees("alice", 2) == ["alice", "carol"]
    assert await sees("bob", 2) == ["bob", "carol"]
    await lines["bob"].send("typing", room=room)
    assert (await lines["carol"].next("typing"))["author"]["handle"] == "bob"
    with pytest.raises(TimeoutError):
        await lines["alice"].next("typing", patience=0.3)
    await blocking.unblock(alice.viewer, "bob")
    assert await sees("alice", 3) == ["alice", "bob", "carol"]


async def test_a_blocked_member_rings_no_bell(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug = await in_one_group(alice, bob)
    await blocking.block(alice.viewer, "bob")
    topic = {"title": "Look here", "body": "What does @alice think?"}
    assert (await web(token=bob.token).post(f"{API}/groups/{slug}/topics", json=topic)).status_code == 201
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1", alice.id) == 0


# --- nobody else ---


async def test_nobody_else_ever_reads_along(web: Browser, house: Callable):
    alice, _bob, room = await two_who_talk(web)
    secret = "The-plum-is-in-the-drawer"
    said = (await say(web, alice, room, secret)).json()
    await run_jobs()
    for who in (await a_member("mallory"), await a_member(role="moderator"), await a_member(role="admin")):
        door, browser = web(token=who.token), await sign_in(web(), who)
        for path in (
            f"{API}/rooms/{room}", f"{API}/rooms/{room}/messages", f"{API}/rooms/{room}/messages?after=0",
            f"/chat/{room}", f"/chat/{room}/events?after=0", f"/chat/{room}?before=99",
            f"/report?subject=message:{said['id']}", f"/subject/message:{said['id']}",
        ):  # fmt: skip
            answer = await (door if path.startswith("/api") else browser).get(path)
            assert answer.status_code == 404 or secret not in answer.text, path
            assert answer.status_code in (403, 404, 422), (path, answer.status_code)
        for path in (
            f"/share?target=room:{room}", f"/search?q={secret}", f"{API}/search?q={secret}", "/", "/chat/",
            f"{API}/rooms", "/@alice",
        ):  # fmt: skip
            answer = await (door if path.startswith("/api") else browser).get(path)
            # What was asked for stands in the search field; what was found would stand in a link to the room.
            assert f"/chat/{room}" not in answer.text, path
        flagged = await door.post(f"{API}/flags", json={"subject": f"message:{said['id']}", "reason": "spam"})
        assert flagged.status_code == 404
        assert (await door.put(f"{API}/rooms/{room}/messages/{said['id']}", json={"body": "x"})).status_code == 404
        assert (await door.delete(f"{API}/rooms/{room}/messages/{said['id']}")).status_code == 404
        assert (await say(web, who, room)).status_code == 404
        line = await a_line(house, who)
        assert (await line.hello(room))["type"] == "error"
        assert await line.hears_nothing(0.2)
    for path in ("/sitemap.xml", "/feeds/new.atom"):
        answer = await web().get(path)
        assert secret not in answer.text and f"/chat/{room}" not in answer.text, path
    assert (await web().get(f"/oembed?url=http://test.example/chat/{room}")).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE data::text LIKE $1", f"%{secret}%") == 0
    assert await db.fetch_val("SELECT count(*) FROM event WHERE data::text LIKE $1", f"%{secret}%") == 0


async def test_every_door_of_a_room_is_shut_to_who_is_not_in_it(web: Browser):
    """All doors there are, also those somebody adds later: none tells a stranger or an admin that the room is there."""
    alice, bob, room = await two_who_talk(web)
    said = (await say(web, alice, room, "The-plum-is-in-the-drawer")).json()
    places = {"room_id": room, "message_id": said["id"], "emoji": "👍", "request_id": room, "circle_id": room}
    doors = [
        (method, route.path_format)
        for route in build().routes
        if isinstance(route, HTTPRoute) and re.search(r"\{(room_id|request_id|circle_id)[:}]", route.path_format)
        for method in route.route_handler_map
        if method != "OPTIONS"
    ]
    assert len(doors) > 30
    for who in (await a_member(role="admin"),):
        door, browser = web(token=who.token), await sign_in(web(), who)
        for method, path in doors:
            address = re.sub(r"\{(\w+)[^}]*\}", lambda found: places.get(found[1], "1"), path)
            if path.startswith("/api"):
                answer = await door.request(method, address, json={} if method in ("POST", "PUT") else None)
                # A body that does not fit may be said first; it is the same for rooms that are not there.
                nowhere = re.sub(
                    r"\{(\w+)[^}]*\}", lambda found: {**places, "room_id": "999999"}.get(found[1], "1"), path
                )
                missing = await door.request(method, nowhere, json={} if method in ("POST", "PUT") else None)
                assert answer.status_code == missing.status_code >= 400, (method, path, answer.text)
            elif method == "GET":
                answer = await browser.get(address)
                assert answer.status_code in (403, 404), (method, path, answer.status_code)
            else:
                answer = await submit(
                    browser, address, {"body": "x", "reason": "spam", "for": "day"}, page="/settings/"
                )
                assert answer.status_code in (403, 404, 422), (method, path, answer.status_code)
            assert "The-plum" not in answer.text, (method, path)
    read = await web(token=bob.token).get(f"{API}/rooms/{room}/messages")
    assert [message["body"] for message in read.json()["items"]] == ["Hello", "The-plum-is-in-the-drawer"]


async def test_an_admin_in_a_conversation_is_a_person_like_the_other(web: Browser):
    admin, bob = await a_member("admina", role="admin"), await a_member("bob")
    await in_one_group(admin, bob)
    room = (await write(web, admin, bob)).json()["room"]
    said = (await say(web, bob, room, "My words")).json()
    taken = await web(token=admin.token).delete(f"{API}/rooms/{room}/messages/{said['id']}")
    assert taken.status_code == 403


# --- pages without scripts ---


async def test_a_conversation_begins_at_a_profile_without_javascript(web: Browser):
    alice, carol = await a_member("alice", name="Alice A"), await a_member("carol")
    browser = await sign_in(web(), carol)
    assert 'href="/chat/new?to=alice"' in (await browser.get("/@alice")).text
    sheet = await browser.get("/chat/new?to=alice")
    assert "does not know you yet" in sheet.text
    client_id = re.search(r'name="client_id" value="([^"]+)"', sheet.text)[1]
    words = {"to": "alice", "client_id": client_id, "body": "Hello from your profile"}
    sent = await submit(browser, "/chat/new", words, page="/chat/new?to=alice")
    assert sent.status_code == 303 and re.match(r"/chat/\d+#message-\d+", sent.headers["location"])
    room = sent.headers["location"].split("#")[0]
    waiting = await browser.get(room)
    assert "once you are answered" in waiting.text and 'name="body"' not in waiting.text
    back = await browser.get("/chat/new?to=alice")
    assert back.status_code == 302 and back.headers["location"].startswith(room), "it goes on where it began"

    hers = await sign_in(web(), alice)
    assert "1 person asks to talk" in (await hers.get("/chat/")).text
    box = await hers.get("/chat/requests")
    assert "Hello from your profile" in box.text
    answered = await submit(hers, f"{room}/request", {"answer": "accept"}, page="/chat/requests")
    assert answered.headers["location"].startswith(room)
    assert 'name="body"' in (await hers.get(room)).text and 'name="body"' in (await browser.get(room)).text
    blocked = await submit(hers, f"/settings/blocks?next={room}", {"handle": "carol"}, page=room)
    assert blocked.status_code == 303
    assert "You blocked" in (await hers.get(room)).text
    assert "cannot write here any more" in (await browser.get(room)).text
    assert "carol" in (await hers.get("/settings/privacy")).text


async def test_a_wrong_name_finds_whom_one_may_mean(web: Browser):
    carol = await a_member("carol")
    await a_member("alice-in-town", name="Alice")
    browser = await sign_in(web(), carol)
    sheet = await browser.get("/chat/new?to=alice")
    assert sheet.status_code == 422 and "/chat/new?to=alice-in-town" in sheet.text
    assert (await browser.get("/chat/new?to=carol")).status_code == 422, "oneself"


async def test_an_old_bell_is_answered_by_reading(web: Browser):
    alice, bob, room = await two_who_talk(web)
    for body in ("One", "Two"):
        await say(web, alice, room, body)
    await run_jobs()
    clock.travel(timedelta(minutes=1))
    await run_jobs()
    bells = await db.fetch("SELECT kind, data::text, read_at FROM notification WHERE member_id = $1", bob.id)
    assert [(bell["kind"], bell["read_at"]) for bell in bells] == [("direct", None)], "one, however much was said"
    assert "Two" not in bells[0]["data"]
    browser = await sign_in(web(), bob)
    await browser.get(f"/chat/{room}")
    await reads.flush()
    assert await db.fetch_val("SELECT read_at FROM notification WHERE member_id = $1", bob.id) is not None
    await say(web, alice, room, "Three")
    await run_jobs()
    clock.travel(timedelta(minutes=1))
    await run_jobs()
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1 AND read_at IS NULL", bob.id) == 1
    assert await db.fetch_val("SELECT count(*) FROM notification WHERE member_id = $1", bob.id) == 1


async def test_a_conversation_is_put_away_until_something_new_is_said(web: Browser):
    alice, bob, room = await two_who_talk(web)
    browser = await sign_in(web(), bob)
    away = await submit(browser, f"/chat/{room}/away", {}, page=f"/chat/{room}")
    assert away.headers["location"] == "/chat/"
    assert room not in [line["id"] for line in await rooms(web, bob)]
    assert room in [line["id"] for line in await rooms(web, alice)], "hers stays"
    assert (await web(token=bob.token).get(f"{API}/rooms/{room}/messages")).status_code == 200, "nothing is lost"
    await say(web, alice, room, "One more thing")
    line = next(line for line in await rooms(web, bob) if line["id"] == room)
    assert (line["unread"], line["last"]["text"]) == (1, "One more thing")
    group = await db.fetch_val("SELECT id FROM room WHERE kind = 'group'")
    assert (await web(token=bob.token).put(f"{API}/rooms/{group}/away")).status_code == 409


# --- circles ---


async def test_a_few_talk_in_a_circle_and_who_leaves_reads_no_more(web: Browser, house: Callable):
    alice, bob, carol = await a_member("alice", name="A"), await a_member("bob", name="B"), await a_member("carol")
    await in_one_group(alice, bob, carol)
    client_id = str(uuid.uuid4())
    begun = await write(web, alice, bob, carol, body="The three of us", client_id=client_id, name="Plum trip")
    assert begun.status_code == 201 and begun.json()["waits"] is False
    room = begun.json()["room"]
    again = await write(web, alice, bob, carol, body="The three of us", client_id=client_id, name="Plum trip")
    assert again.json() == begun.json()
    assert [line["name"] for line in await rooms(web, bob) if line["id"] == room] == ["Plum trip"]
    his = await a_line(house, bob)
    await his.hello(room)
    door = web(token=alice.token)
    assert (await door.delete(f"{API}/circles/{room}/place")).status_code == 204
    assert (await his.events(1))[0]["kind"] == "leave"
    assert (await door.get(f"{API}/rooms/{room}/messages")).status_code == 404
    assert (await say(web, alice, room)).status_code == 404
    assert (await say(web, bob, room)).status_code == 201
    assert await db.fetch_val("SELECT member_id FROM room_member WHERE role = 'host'") == bob.id
    assert (await door.delete(f"{API}/circles/{room}/place")).status_code == 404


async def test_a_circle_is_begun_with_people_one_may_write_to(web: Browser):
    alice, bob, room = await two_who_talk(web)
    stranger = await a_member("stranger")
    refused = await write(web, alice, bob, stranger)
    assert refused.status_code == 422 and "alone first" in refused.json()["errors"][0]["detail"]
    await blocking.block(bob.viewer, "alice")
    assert (await write(web, alice, bob, await a_member("else"))).status_code == 403
    many = [await a_member() for _ in range(8)]
    assert (await write(web, alice, *many)).status_code == 422
    assert (await web(token=alice.token).delete(f"{API}/circles/{room}/place")).status_code == 409, "two talk alone"
    assert await db.fetch_val("SELECT count(*) FROM room WHERE kind = 'direct'") == 1


# --- moderators ---


async def test_moderators_see_the_reported_stretch_and_nothing_else(web: Browser):
    alice, bob, room = await two_who_talk(web)
    await say(web, bob, room, "The-first-secret")
    for n in range(8):
        await say(web, bob, room, f"between-{n}")
    threat = (await say(web, bob, room, "A threat")).json()
    for n in range(8):
        await say(web, bob, room, f"after-{n}")
    await say(web, bob, room, "The-last-secret")
    flag = {"subject": f"message:{threat['id']}", "reason": "abuse"}
    assert (await web(token=alice.token).post(f"{API}/flags", json=flag)).status_code == 201
    moderator = await a_member("mod", role="moderator")
    browser = await sign_in(web(), moderator)
    queue = (await browser.get("/moderation/")).text
    assert "A threat" in queue and "between-7" in queue and "after-0" in queue, "it and what stands around it"
    assert "The-first-secret" not in queue and "The-last-secret" not in queue
    assert (await browser.get(f"/chat/{room}")).status_code == 404
    log = (await web().get("/moderation/log")).text
    assert "A threat" not in log and "between-7" not in log
    case = re.search(r'action="(/moderation/cases/\d+)/verdict"', queue)[1]
    await submit(browser, f"{case}/verdict", {"reason": "A threat is a threat", "verdict": "hide"}, page="/moderation/")
    await run_jobs()
    read = await web(token=alice.token).get(f"{API}/rooms/{room}/messages")
    assert "A threat" not in read.text
