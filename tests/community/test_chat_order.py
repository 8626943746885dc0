"""Those who run a room keep it in order: it holds before the next frame, is written down, and can be undone."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from app import clock, db
from app.errors import Conflict, Forbidden, NotFound
from tests.community.test_chat import a_line, a_room
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit

pytestmark = pytest.mark.anyio
WHY = "Three warnings were not heard."


async def do(by: Person, room: str, kind: str, to: Person | None = None, *, minutes: int = 0, seconds: int = 0) -> int:
    from community.chat import measures
    from community.chat.measures_schemas import NewMeasure

    new = NewMeasure(kind, WHY, to.handle if to else "", minutes, seconds)  # type: ignore[arg-type]
    return await measures.take(by.viewer, int(room), new)


async def undo(by: Person, room: str, measure_id: int) -> None:
    from community.chat import measures

    await measures.lift(by.viewer, int(room), measure_id)


async def say(who: Person, room: str, body: str = "Hello") -> None:
    import uuid

    from community.chat import service

    await service.send(who.viewer, int(room), uuid.uuid4(), body)


# --- the story ---


@pytest.mark.parametrize("visibility", ["public", "closed"])
async def test_who_is_shown_out_hears_nothing_more_and_comes_back_after_ten_minutes(house: Callable, visibility: str):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    slug, room = await a_room(alice, bob, carol, visibility=visibility)
    his, hers = await a_line(house, bob), await a_line(house, carol)
    for line in (his, hers):
        await line.hello(room)
    await do(alice, room, "kick", bob)
    assert (await his.next())["code"] == "forbidden"
    [left] = await hers.events(1)
    assert (left["kind"], left["author"]["id"]) == ("leave", str(bob.id))
    assert left["data"]["what"] == "kick" and WHY not in str(left)
    await say(alice, room, "He is gone")
    assert (await hers.events(1))[0]["body"] == "He is gone"
    await his.send("ping")
    assert (await his.next())["type"] == "pong", "nothing else reached him"
    with pytest.raises(NotFound):
        await say(bob, room)
    from community.groups import service as groups

    with pytest.raises(Forbidden):
        await groups.join(bob.viewer, slug)
    await db.execute("UPDATE room_measure SET until = now() - interval '1 second'")
    await run_jobs()
    assert await groups.join(bob.viewer, slug) == ("active" if visibility == "public" else "pending")
    if visibility == "public":
        assert await db.fetch_val("SELECT member_count FROM groups") == 3


async def test_who_is_shown_out_while_a_frame_is_being_made_is_not_in_it(
    house: Callable, monkeypatch: pytest.MonkeyPatch
):
    """The frame's events were read before the kick; it is handed out after it."""
    from community.chat import queries

    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol, visibility="closed")
    his, hers = await a_line(house, bob), await a_line(house, carol)
    for line in (his, hers):
        await line.hello(room)
    was_read, may_go_on = asyncio.Event(), asyncio.Event()
    read = queries.events_of_rooms

    async def read_and_wait(*asked, **how):
        found = await read(*asked, **how)
        was_read.set()
        await may_go_on.wait()
        return found

    monkeypatch.setattr(queries, "events_of_rooms", read_and_wait)
    await say(alice, room, "Between us")
    await was_read.wait()
    await do(alice, room, "kick", bob)
    may_go_on.set()
    assert (await his.next())["code"] == "forbidden"
    assert [event["kind"] for event in await hers.events(2)] == ["message", "leave"]
    await his.send("ping")
    assert (await his.next())["type"] == "pong"


async def test_a_banned_member_stays_out_until_the_ban_is_lifted(house: Callable, web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    slug, room = await a_room(alice, bob)
    ban = await do(alice, room, "ban", bob)
    as_bob = web(token=bob.token)
    assert (await as_bob.get(f"/api/v1/rooms/{room}")).status_code == 404
    assert (await as_bob.get(f"/api/v1/rooms/{room}/messages")).status_code == 404
    assert (await as_bob.put(f"/api/v1/groups/{slug}/membership")).status_code == 403
    line = await a_line(house, bob)
    assert (await line.hello(room))["code"] == "not-found"
    await undo(alice, room, ban)
    assert (await as_bob.put(f"/api/v1/groups/{slug}/membership")).is_success
    await say(bob, room, "Back again")
    with pytest.raises(Conflict):
        await undo(alice, room, ban)


async def test_who_is_silenced_reads_on_and_writes_again_when_the_time_is_over(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    line = await a_line(house, bob)
    await line.hello(room)
    await do(alice, room, "silence", bob, minutes=60)
    [told] = await line.events(1)
    assert told["kind"] == "room" and told["data"]["what"] == "silence" and told["data"]["on"] is True
    assert told["data"]["member"]["id"] == str(bob.id) and "until" in told["data"]
    assert WHY not in str(told), "why is for him alone"
    await line.say(room, "But")
    assert (await line.next("error"))["code"] == "forbidden"
    await say(alice, room, "Thank you")
    assert (await line.events(1))[0]["body"] == "Thank you"
    clock.travel(timedelta(minutes=61))
    await say(bob, room, "I am sorry")
    from community.chat import measures

    assert await measures.lift_what_is_over() == 1 and await measures.lift_what_is_over() == 0
    events = await line.events(2)
    assert [event["kind"] for event in events] == ["message", "room"]
    assert events[1]["data"]["on"] is False and "author" not in events[1]


async def test_a_frozen_room_is_read_and_only_those_who_run_it_write(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    line = await a_line(house, bob)
    await line.hello(room)
    freeze = await do(alice, room, "freeze")
    assert (await line.events(1))[0]["data"] == {"what": "freeze", "on": True, "reason": WHY}
    await line.say(room, "Anybody?")
    assert (await line.next("error"))["code"] == "forbidden"
    await say(alice, room, "We go on at five")
    await undo(alice, room, freeze)
    assert [event["kind"] for event in await line.events(2)] == ["message", "room"]
    await say(bob, room, "Fine")


async def test_in_slow_mode_each_member_waits_their_turn(house: Callable):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    await do(alice, room, "slow", seconds=30)
    line = await a_line(house, bob)
    first, second = await line.say(room, "one"), await line.say(room, "two")
    assert (await line.next("ack"))["client_id"] == first
    refused = await line.next("error")
    assert (refused["code"], refused["client_id"]) == ("too-many", second) and 1 <= refused["retry_after"] <= 30
    await line.say(room, "one", first)
    assert (await line.next("ack"))["client_id"] == first, "what was said is said, whatever the pace"
    await say(carol, room), await say(alice, room), await say(alice, room)
    clock.travel(timedelta(seconds=31))
    await line.say(room, "two", second)
    assert (await line.next("ack"))["client_id"] == second


async def test_two_sends_of_one_member_at_once_take_one_turn(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await do(alice, room, "slow", seconds=30)
    done = await asyncio.gather(*(say(bob, room, f"{n}") for n in range(5)), return_exceptions=True)
    assert [outcome for outcome in done if outcome is None] == [None]


async def test_two_moderators_at_once_leave_one_ban(house: Callable):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    await asyncio.gather(*(do(alice, room, "ban", bob) for _ in range(4)))
    assert await db.fetch_val("SELECT count(*) FROM room_measure WHERE lifted_at IS NULL") == 1
    assert await db.fetch_val("SELECT count(*) FROM room_measure") == 4
    seqs = [row["seq"] for row in await db.fetch("SELECT seq FROM room_event ORDER BY seq")]
    assert seqs == list(range(1, len(seqs) + 1))


# --- the doors ---


async def test_only_those_who_run_the_room_may_and_not_against_each_other(web: Browser):
    alice, bob, carol, dora = [await a_member(name) for name in ("alice", "bob", "carol", "dora")]
    _slug, room = await a_room(alice, bob, carol)
    await db.execute("UPDATE membership SET role = 'moderator' WHERE member_id = $1", carol.id)
    doors = f"/api/v1/rooms/{room}/measures"
    new = {"kind": "ban", "member": "bob", "reason": WHY}
    assert (await web().post(doors, json=new)).status_code == 401
    for person, status in ((bob, 403), (dora, 403), (carol, 201)):
        assert (await web(token=person.token).post(doors, json=new)).status_code == status, person.handle
        assert (await web(token=person.token).get(doors)).status_code == (200 if status == 201 else 403)
    for handle, status in (("alice", 403), ("carol", 422), ("nobody", 422)):
        answer = await web(token=carol.token).post(doors, json={**new, "member": handle})
        assert answer.status_code == status, answer.text
    assert (await web(token=alice.token).post(doors, json={**new, "member": "carol"})).status_code == 201
    assert (await web(token=alice.token).post(doors, json={"kind": "slow", "reason": WHY})).status_code == 422
    assert (await web(token=alice.token).post(doors, json={"kind": "freeze", "reason": " "})).status_code == 422


async def test_a_closed_rooms_measures_are_no_strangers_business(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    mod = await a_member("mod", role="moderator")
    _slug, room = await a_room(alice, bob, visibility="secret")
    measure = await do(alice, room, "silence", bob)
    await do(alice, room, "ban", carol)
    await run_jobs()
    for person in (carol, mod):
        client = web(token=person.token)
        assert (await client.get(f"/api/v1/rooms/{room}/measures")).status_code == 404
        assert (await client.delete(f"/api/v1/rooms/{room}/measures/{measure}")).status_code == 404
    assert await db.fetch_val("SELECT count(*) FROM modlog_entry") == 0
    told = await db.fetch("SELECT member_id, data FROM notification WHERE kind = 'room_measure'")
    assert [row["member_id"] for row in told] == [bob.id], "Carol never knew of the group"


async def test_what_was_done_stands_in_the_rooms_log_the_public_log_and_at_the_bell(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    ban = await do(alice, room, "ban", bob, minutes=60)
    await undo(alice, room, ban)
    await run_jobs()
    [entry] = (await web(token=alice.token).get(f"/api/v1/rooms/{room}/measures")).json()["items"]
    assert (entry["kind"], entry["member"]["handle"], entry["by"]["handle"]) == ("ban", "bob", "alice")
    assert entry["reason"] == WHY and entry["lifted_by"]["handle"] == "alice" and entry["stands"] is False
    shown = await web().get("/moderation/log")
    assert shown.text.count(WHY) == 2 and "Banned" in shown.text and "Let in again" in shown.text
    browser = await sign_in(web(), bob)
    assert "You are banned from" in (await browser.get("/notifications/")).text


async def test_order_is_kept_without_javascript(web: Browser):
    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    here, browser = f"/chat/{room}/moderation", await sign_in(web(), alice)
    await say(bob, room)
    wrote = await db.fetch_val("SELECT id FROM message")
    assert f'href="{here}?message={wrote}"' in (await browser.get(f"/chat/{room}")).text
    for message, handle in ((wrote, "bob"), (wrote + 1, ""), ("9" * 5000, ""), ("²", "")):
        assert f'name="member" value="{handle}"' in _fields((await browser.get(f"{here}?message={message}")).text)
    said = {"kind": "silence", "member": "@bob", "minutes": "60", "reason": ""}
    again = await submit(browser, f"{here}/measures", said, page=here)
    assert again.status_code == 422 and 'value="@bob"' in again.text
    done = await submit(browser, f"{here}/measures", {**said, "reason": WHY}, page=here)
    assert done.status_code == 303
    await submit(
        browser, f"{here}/measures", {"kind": "slow", "seconds": "30", "minutes": "0", "reason": WHY}, page=here
    )
    shown = (await browser.get(here)).text
    assert shown.count("/end") == 2 and "30 seconds" in shown
    measure = await db.fetch_val("SELECT id FROM room_measure WHERE kind = 'silence'")
    assert (await submit(browser, f"{here}/measures/{measure}/end", {}, page=here)).status_code == 303
    await say(bob, room)
    assert (await (await sign_in(web(), bob)).get(here)).status_code == 403


async def test_what_holds_one_back_is_told_with_its_end_and_its_reason(web: Browser):
    alice, bob, carol = await a_member("alice"), await a_member("bob"), await a_member("carol")
    _slug, room = await a_room(alice, bob, carol)
    await do(alice, room, "slow", seconds=30)
    freeze = await do(alice, room, "freeze", minutes=60)
    await do(alice, room, "silence", bob, minutes=120)

    async def orders(who: Person) -> list[dict]:
        return (await web(token=who.token).get(f"/api/v1/rooms/{room}")).json()["orders"]

    his = await orders(bob)
    assert [one["kind"] for one in his] == ["silence", "freeze", "slow"], "what weighs most first"
    assert {one["reason"] for one in his} == {WHY} and his[2]["seconds"] == 30 and "until" not in his[2]
    assert his[0]["until"] > his[1]["until"]
    assert [one["kind"] for one in await orders(carol)] == ["freeze", "slow"], "another's silence is theirs"
    page = (await (await sign_in(web(), bob)).get(f"/chat/{room}")).text
    assert "You are silenced here for now." in page and f"Why: {WHY}" in page and "UTC." in page
    asked = (await (await sign_in(web(), carol)).get(f"/chat/{room}/order")).text
    assert "silenced here for now. You can read on." not in asked.split("<span>")[1] and "frozen" in asked
    await undo(alice, room, freeze)
    assert [one["kind"] for one in await orders(carol)] == ["slow"]
    _other, secret = await a_room(alice, visibility="secret")
    assert (await (await sign_in(web(), bob)).get(f"/chat/{secret}/order")).status_code == 404


def _fields(html: str) -> str:
    import re

    found = re.search(r'<input[^>]*name="member"[^>]*>', html)
    assert found
    return " ".join(re.findall(r'name="member"|value="[^"]*"', found[0]))


async def test_the_page_of_order_costs_the_same_however_much_was_done(web: Browser):
    from app.db import watch_queries

    alice, bob = await a_member("alice"), await a_member("bob")
    _slug, room = await a_room(alice, bob)
    browser = await sign_in(web(), alice)
    costs = []
    for _ in range(2):
        for _ in range(4):
            await do(alice, room, "silence", bob)
        with watch_queries() as seen:
            assert (await browser.get(f"/chat/{room}/moderation")).is_success
        costs.append(len(seen))
    assert costs[0] == costs[1]


# --- reported with its context ---


async def test_moderators_see_a_reported_message_with_the_few_around_it_and_nothing_else_of_the_room(web: Browser):
    alice, bob, mod = await a_member("alice"), await a_member("bob"), await a_member("mod", role="moderator")
    _slug, room = await a_room(alice, bob, visibility="secret")
    for n in range(12):
        await say(alice if n % 2 else bob, room, f"line-{n:02d}")
    reported = await db.fetch_val("SELECT id FROM message WHERE body = 'line-06'")
    flag = {"subject": f"message:{reported}", "reason": "abuse"}
    assert (await web(token=mod.token).post("/api/v1/flags", json=flag)).status_code == 404
    assert (await web(token=alice.token).post("/api/v1/flags", json=flag)).status_code == 201
    browser = await sign_in(web(), mod)
    seen = (await browser.get("/moderation/")).text
    told = [n for n in range(12) if f"line-{n:02d}" in seen]
    assert told == [2, 3, 4, 5, 6, 7, 8, 9]
    assert (await browser.get(f"/chat/{room}")).status_code == 404
    from community.chat import service

    neighbour = await db.fetch_val("SELECT id FROM message WHERE body = 'line-05'")
    await service.delete(alice.viewer, int(room), neighbour)
    assert "line-05" not in (await browser.get("/moderation/")).text, "what its author took back is gone here too"
