import asyncio
import uuid
from collections.abc import Callable

import msgspec
import pytest

from app import db
from tests.factories import Browser, Person, a_group, a_member, run_jobs, sign_in
from tests.lines import Line

pytestmark = pytest.mark.anyio


async def a_line(house: Callable, person: Person) -> Line:
    from app import live_tickets

    return await Line(house).open(ticket=live_tickets.issue(person.viewer), origin=None)


async def a_room(owner: Person, *members: Person, visibility: str = "public") -> tuple[str, str]:
    """A group's slug and its room's id, with these members in it."""
    from community.groups import service

    slug = await a_group(owner, visibility=visibility)
    for member in members:
        if visibility == "public":
            await service.join(member.viewer, slug)
        else:
            group_id = await db.fetch_val("SELECT id FROM groups WHERE slug = $1", slug)
            await db.execute(
                """INSERT INTO membership (group_id, member_id, role, state, joined_at)
                   VALUES ($1, $2, 'member', 'active', now())""",
                group_id,
                member.id,
            )
    await run_jobs()
    return slug, str(
        await db.fetch_val("SELECT r.id FROM room r JOIN groups g ON g.id = r.group_id WHERE slug = $1", slug)
    )


# --- the story ---


async def test_two_members_hear_each_other_at_once(house: Callable):
    alice, bob = await a_member("alice", name="Alice A"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    standing = (await hers.hello(room))["rooms"][room]
    await his.hello(room)
    client_id = await hers.say(room, "Who is in for **tea**?")
    ack = await hers.next("ack")
    assert (ack["client_id"], ack["room"], ack["seq"]) == (client_id, room, standing["seq"] + 1)
    for line in (hers, his):
        [event] = await line.events(1)
        assert event["kind"] == "message" and event["seq"] == ack["seq"] and event["id"] == ack["id"]
        assert event["author"]["id"] == str(alice.id)
        assert (event["author"]["handle"], event["author"]["name"]) == ("alice", "Alice A")
        assert event["client_id"] == client_id
        assert event["html"] == "<p>Who is in for <strong>tea</strong>?</p>"


async def test_a_group_is_founded_with_its_room(web: Browser):
    alice = await a_member("alice")
    founded = await web(token=alice.token).post("/api/v1/groups", json={"slug": "tea", "name": "Tea"})
    room = founded.json()["room_id"]
    assert room and (await web(token=alice.token).get(f"/api/v1/rooms/{room}")).json()["seq"] == 0


async def test_an_ack_means_it_is_in_the_database(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.say(room, "Durable")
    ack = await line.next("ack")
    async with db.acquired() as other:
        assert await other.fetchval("SELECT body FROM message WHERE id = $1", int(ack["id"])) == "Durable"


async def test_the_same_client_id_says_it_once_for_ever(house: Callable, web: Browser):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line, client_id = await a_line(house, alice), str(uuid.uuid4())
    for _ in range(3):
        await line.say(room, "Only once", client_id)
    acks = [await line.next("ack") for _ in range(3)]
    assert len({(ack["seq"], ack["id"]) for ack in acks}) == 1
    door = web(token=alice.token)
    again = await door.post(f"/api/v1/rooms/{room}/messages", json={"client_id": client_id, "body": "Only once"})
    assert again.status_code == 200 and again.json() == {"id": acks[0]["id"], "seq": acks[0]["seq"]}
    other = await door.post(f"/api/v1/rooms/{room}/messages", json={"client_id": client_id, "body": "Other words"})
    assert other.status_code == 409
    await line.say(room, "Other words", client_id)
    refused = await line.next("error")
    assert (refused["code"], refused["client_id"]) == ("conflict", client_id)
    assert await db.fetch_val("SELECT count(*) FROM message") == 1
    assert await db.fetch_val("SELECT count(*) FROM room_event WHERE kind = 'message'") == 1


async def test_what_was_missed_is_told_on_return_without_holes(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    standing = (await his.hello(room))["rooms"][room]
    await his.cut()
    for n in range(5):
        await hers.say(room, f"line {n}")
        await hers.next("ack")
    again = await a_line(house, bob)
    welcome = await again.hello(room, **standing)
    assert welcome["rooms"][room]["seq"] == standing["seq"] + 5
    events = await again.events(5)
    assert [event["seq"] for event in events] == list(range(standing["seq"] + 1, standing["seq"] + 6))
    assert [event["body"] for event in events] == [f"line {n}" for n in range(5)]
    await hers.say(room, "and live")
    assert (await again.events(1))[0]["body"] == "and live"


async def test_another_past_or_too_long_an_absence_is_told_to_load_anew(house: Callable):
    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.hello(room, seq=0, epoch="another")
    assert (await line.next("resync"))["room"] == room
    await line.hello(room, seq=999)
    assert (await line.next("resync"))["room"] == room
    await db.execute("UPDATE room SET seq = 5000 WHERE id = $1", int(room))
    await line.hello(room, seq=0)
    assert (await line.next("resync"))["room"] == room


async def test_an_edit_and_a_deletion_are_events_and_leave_no_old_words(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await his.hello(room)
    await hers.say(room, "Frist!")
    first = (await his.events(1))[0]
    address = f"/api/v1/rooms/{room}/messages/{first['id']}"
    assert (await web(token=bob.token).put(address, json={"body": "Hijacked"})).status_code == 403
    assert (await web(token=bob.token).delete(address)).status_code == 403
    assert (await web(token=alice.token).put(address, json={"body": "First!"})).status_code == 200
    edit = (await his.events(1))[0]
    assert (edit["kind"], edit["id"], edit["body"], edit["seq"]) == ("edit", first["id"], "First!", first["seq"] + 1)
    assert (await web(token=alice.token).delete(address)).status_code == 204
    gone = (await his.events(1))[0]
    assert (gone["kind"], gone["id"]) == ("delete", first["id"]) and "body" not in gone
    assert (await web(token=alice.token).delete(address)).status_code == 404
    again = await a_line(house, bob)
    await again.hello(room, seq=first["seq"] - 1)
    told = await again.events(3)
    assert "First!" not in str(told) and "Frist!" not in str(told) and told[0]["gone"]
    assert await db.fetch_val("SELECT count(*) FROM message WHERE body <> '' OR html <> ''") == 0


async def test_a_moderator_of_the_group_may_take_a_message_away(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    said = await web(token=bob.token).post(
        f"/api/v1/rooms/{room}/messages", json={"client_id": str(uuid.uuid4()), "body": "Spam"}
    )
    assert (
        await web(token=alice.token).delete(f"/api/v1/rooms/{room}/messages/{said.json()['id']}")
    ).status_code == 204


async def test_a_message_withheld_by_moderators_is_withheld_everywhere(house: Callable, web: Browser):
    from community.chat import service

    alice = await a_member("alice", role="moderator")
    _slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.hello(room)
    await line.say(room, "Rude words")
    event = (await line.events(1))[0]
    case = await db.fetch_val(
        """INSERT INTO moderation_case (subject_kind, subject_id, url, excerpt, opened_at, state, reason)
           VALUES ('message', $1, '', '', now(), 'hidden', '') RETURNING id""",
        int(event["id"]),
    )
    await db.execute(
        """INSERT INTO hiding (subject_kind, subject_id, case_id, by_id, reason, created_at)
           VALUES ('message', $1, $2, $3, 'rude', now())""",
        int(event["id"]),
        case,
        alice.id,
    )
    await service.tell_again(int(event["id"]))
    assert (await line.events(1))[0]["kind"] == "delete"
    listed = (await web(token=alice.token).get(f"/api/v1/rooms/{room}/messages")).json()["items"]
    assert listed[0]["gone"] and "Rude words" not in str(listed)
    await db.execute("DELETE FROM hiding")
    await service.tell_again(int(event["id"]))
    restored = (await line.events(1))[0]
    assert (restored["kind"], restored["body"], restored.get("edited", False)) == ("edit", "Rude words", False)


async def test_coming_and_going_is_told_once(house: Callable, web: Browser):
    from community.chat import service

    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice)
    line = await a_line(house, alice)
    await line.hello(room)
    door = web(token=bob.token)
    await door.put(f"/api/v1/groups/{slug}/membership")
    await run_jobs()
    group_id = await db.fetch_val("SELECT id FROM groups")
    await service.note_membership(group_id, bob.id)
    await door.delete(f"/api/v1/groups/{slug}/membership")
    await run_jobs()
    told = await line.events(2)
    assert [(event["kind"], event["author"]["handle"]) for event in told] == [("join", "bob"), ("leave", "bob")]


async def test_typing_is_heard_by_the_others_only(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await hers.hello(room)
    await his.hello(room)
    await hers.send("typing", room=room)
    assert (await his.next("typing"))["author"]["handle"] == "alice"
    await his.send("ping")
    assert await his.next("pong")
    with pytest.raises(TimeoutError):
        await hers.next("typing", patience=0.2)


async def test_presence_counts_members_not_windows(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    lines = [await a_line(house, one) for one in (alice, alice, bob)]
    for line in lines:
        await line.hello(room)
    assert (await lines[0].next("presence"))["online"] == 2


async def test_reading_moves_forward_only(house: Callable):
    from community.chat import reads

    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await his.hello(room)
    for n in range(3):
        await hers.say(room, f"line {n}")
    last = (await his.events(3))[-1]["seq"]
    for seq in (last, 1, 10**12):
        await his.send("read", room=room, seq=seq)
    await his.send("ping")
    await his.next("pong")
    await reads.flush()
    assert await db.fetch_val("SELECT seq FROM read_pointer WHERE member_id = $1", bob.id) == last


async def test_a_program_that_may_only_read_moves_no_pointer_and_types_nothing(house: Callable):
    from app import live_tickets
    from community.chat import reads

    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers = await a_line(house, alice)
    await hers.hello(room)
    await hers.say(room, "hello")
    reader = msgspec.structs.replace(bob.viewer, scopes=frozenset({"read"}))
    his = await Line(house).open(ticket=live_tickets.issue(reader), origin=None)
    await his.hello(room)
    before = await db.fetch_val("SELECT seq FROM read_pointer WHERE member_id = $1", bob.id)
    for kind, more in (("read", {"seq": 10**6}), ("typing", {})):
        await his.send(kind, room=room, **more)
        assert (await his.next("error"))["code"] == "forbidden"
    await reads.flush()
    assert await db.fetch_val("SELECT seq FROM read_pointer WHERE member_id = $1", bob.id) == before


# --- the doors ---


async def test_a_strangers_door_stays_closed(house: Callable, web: Browser):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    _slug, room = await a_room(alice, visibility="secret")
    body = {"client_id": str(uuid.uuid4()), "body": "Let me in"}
    for door, expected in ((web(token=charlie.token), 404), (web(), 404)):
        assert (await door.get(f"/api/v1/rooms/{room}")).status_code == expected
        assert (await door.get(f"/api/v1/rooms/{room}/messages")).status_code == expected
    assert (await web(token=charlie.token).post(f"/api/v1/rooms/{room}/messages", json=body)).status_code == 404
    assert (await web().post(f"/api/v1/rooms/{room}/messages", json=body)).status_code == 401
    browser = await sign_in(web(), charlie)
    assert (await browser.get(f"/chat/{room}")).status_code == 404
    assert (await browser.get(f"/chat/{room}/events")).status_code == 404
    line = await a_line(house, charlie)
    await line.send("hello", rooms={room: {"seq": 0}, "999999": {}})
    errors = [await line.next("error") for _ in range(2)]
    assert {(error["code"], error["room"]) for error in errors} == {("not-found", room), ("not-found", "999999")}
    assert (await line.next("welcome"))["rooms"] == {}
    await line.say(room, "Let me in")
    assert (await line.next("error"))["code"] == "not-found"
    hers = await a_line(house, alice)
    await hers.say(room, "Secret")
    await hers.next("ack")
    assert await line.hears_nothing()
    assert await db.fetch_val("SELECT count(*) FROM message") == 1


async def test_a_reader_of_a_public_room_must_join_to_write(house: Callable):
    alice, charlie = await a_member("alice"), await a_member("charlie")
    _slug, room = await a_room(alice)
    line = await a_line(house, charlie)
    await line.hello(room)
    await line.say(room, "Hello?")
    refused = await line.next("error")
    assert (refused["code"], refused["detail"]) == ("forbidden", "Join the group to write here.")


async def test_a_suspended_member_cannot_write_and_is_sent_away(house: Callable):
    from app.live import look_around
    from community.sessions.queries import shut_out

    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    line = await a_line(house, bob)
    await line.hello(room)
    await db.execute(
        "INSERT INTO suspension (member_id, by_id, reason, created_at) VALUES ($1, $2, 'spam', now())", bob.id, alice.id
    )
    await line.say(room, "Still here")
    assert (await line.next("error"))["code"] == "forbidden"
    await look_around(shut_out)
    assert await line.closes() == 4403
    assert await (await a_line(house, bob)).closes() == 4401
    assert await db.fetch_val("SELECT count(*) FROM message") == 0


@pytest.mark.parametrize("visibility", ["closed", "secret"])
async def test_a_revoked_member_hears_nothing_more(house: Callable, web: Browser, visibility: str):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob, visibility=visibility)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await hers.hello(room)
    await his.hello(room)
    # No job has run and no signal was given: the next message itself must notice.
    assert (await web(token=bob.token).delete(f"/api/v1/groups/{slug}/membership")).status_code == 204
    await hers.say(room, "He is gone")
    await hers.events(1)
    assert (await his.next("error"))["code"] == "forbidden"
    assert await his.hears_nothing()
    await his.say(room, "And yet")
    assert (await his.next("error"))["code"] == "not-found"


async def test_the_end_of_a_session_elsewhere_ends_its_sockets(house: Callable, web: Browser):
    from app.live import look_around
    from community.sessions.queries import shut_out

    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    line = await Line(house).open(cookie=f"gv_session={browser.cookies['gv_session']}")
    assert line.is_accepted
    await db.execute("DELETE FROM session")
    await look_around(shut_out)
    assert await line.closes() == 4401


# --- races ---


async def test_two_senders_race_and_seq_has_no_holes(house: Callable):
    people = [await a_member() for _ in range(4)]
    _slug, room = await a_room(*people)
    lines = [await a_line(house, person) for person in people]
    start = (await lines[0].hello(room))["rooms"][room]["seq"]

    async def talk(line: Line, name: int) -> list[int]:
        for n in range(25):
            await line.say(room, f"{name}:{n}")
        return [(await line.next("ack"))["seq"] for _ in range(25)]

    seqs = await asyncio.gather(*(talk(line, n) for n, line in enumerate(lines[1:])))
    assert sorted(seq for own in seqs for seq in own) == list(range(start + 1, start + 76))
    assert all(own == sorted(own) for own in seqs), "a member's words stay in the order they were said"
    heard = await lines[0].events(75)
    assert [event["seq"] for event in heard] == list(range(start + 1, start + 76))


async def test_many_readers_come_while_others_talk_and_nobody_misses_or_repeats_a_line(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers = await a_line(house, alice)
    start = (await hers.hello(room))["rooms"][room]["seq"]

    async def talk() -> None:
        for n in range(120):
            await hers.say(room, f"line {n}")
            await asyncio.sleep(0.001)

    async def come_late(pause: float) -> list[int]:
        await asyncio.sleep(pause)
        line = await a_line(house, bob)
        await line.hello(room, seq=start)
        return [event["seq"] for event in await line.events(120)]

    _said, *heard = await asyncio.gather(talk(), *(come_late(n * 0.011) for n in range(12)))
    assert all(seqs == list(range(start + 1, start + 121)) for seqs in heard)


async def test_the_same_words_from_two_processes_at_once_are_said_once(house: Callable):
    """Two writers with the same client id: the room's row decides who is first, the other reads its answer."""
    from community.chat import writer
    from community.chat.verdicts import Saying

    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    client_id = uuid.uuid4()

    def a_saying() -> Saying:
        future = asyncio.get_running_loop().create_future()
        return Saying(int(room), alice.id, client_id, b"same", "Hi", "<p>Hi</p>", None, future)

    outcomes = await asyncio.gather(*(writer._commit([a_saying(), a_saying()]) for _ in range(5)))
    said = [outcome for batch in outcomes for outcome in batch]
    assert len({(one.id, one.seq) for one in said}) == 1 and sum(one.is_new for one in said) == 1


async def test_one_impossible_message_does_not_take_its_neighbours_with_it(house: Callable):
    from app.errors import Unavailable
    from community.chat import writer

    alice = await a_member("alice")
    _slug, room = await a_room(alice)

    def say(html: str) -> asyncio.Future:
        return writer.say(
            room_id=int(room),
            author_id=alice.id,
            client_id=uuid.uuid4(),
            fingerprint=b"x",
            body="x",
            html=html,
            reply_to=None,
        )

    good, bad, also_good = say("<p>a</p>"), say("\0"), say("<p>b</p>")
    with pytest.raises(Unavailable):
        await bad
    assert [(await good).seq, (await also_good).seq] == [1, 2]


async def test_a_slow_reader_is_told_to_resume_and_holds_up_nobody(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    await hers.hello(room)
    await his.hello(room)
    his.is_reading.clear()
    for _burst in range(40):
        for _ in range(20):
            await hers.say(room, "x" * 3000)
        for _ in range(20):
            await hers.next("ack")
    his.is_reading.set()
    assert await his.closes() == 4409


async def test_a_reader_who_pauses_for_a_moment_gets_everything_in_order(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    hers, his = await a_line(house, alice), await a_line(house, bob)
    start = (await his.hello(room))["rooms"][room]["seq"]
    his.is_reading.clear()
    for n in range(30):
        await hers.say(room, f"line {n}")
        await hers.next("ack")
    his.is_reading.set()
    assert [event["seq"] for event in await his.events(30)] == list(range(start + 1, start + 31))
    await hers.say(room, "and on")
    assert (await his.events(1))[0]["body"] == "and on"


async def test_words_said_while_a_listener_arrives_are_heard_at_once(house: Callable, monkeypatch: pytest.MonkeyPatch):
    """Said after the room was looked up and before anybody listened: no signal finds a listener."""
    from community.chat import policy, service

    alice = await a_member("alice")
    _slug, room = await a_room(alice)
    look_up = policy.rooms_to_read

    async def look_up_slowly(*asked):
        rooms = await look_up(*asked)
        await service.send(alice.viewer, int(room), uuid.uuid4(), "In between")
        return rooms

    monkeypatch.setattr(policy, "rooms_to_read", look_up_slowly)
    line = await a_line(house, alice)
    await line.hello(room)
    assert (await line.next("events"))["events"][0]["body"] == "In between"


async def test_who_is_shut_out_while_catching_up_is_not_told_what_came_after(
    house: Callable, monkeypatch: pytest.MonkeyPatch
):
    from community.chat import policy, service
    from community.groups.service import leave

    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob, visibility="secret")
    look_up = policy.rooms_to_read

    async def look_up_slowly(*asked):
        rooms = await look_up(*asked)
        await leave(bob.viewer, slug)
        await service.send(alice.viewer, int(room), uuid.uuid4(), "Now that he is gone")
        return {key: {**row, "seq": row["seq"] + 1} for key, row in rooms.items()}

    monkeypatch.setattr(policy, "rooms_to_read", look_up_slowly)
    line = await a_line(house, bob)
    await line.hello(room, seq=0)
    assert (await line.next("error", "events"))["type"] == "error"
    assert await line.hears_nothing()
